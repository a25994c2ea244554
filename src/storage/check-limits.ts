import { BrainError } from '../domain/error.ts';
import { keyOf, nameOf, TABLE_LIMITS, type Op } from './table.ts';

/** What an item takes beside its keys and its payload: its type, version and time to live. */
const ATTRIBUTES_BYTES = 64;

/** Refuses (`too_large`) what the stricter engine would refuse, before anything is sent. Every engine calls it. */
export function checkLimits(transactions: readonly (readonly Op[])[]): void {
  for (const ops of transactions) {
    checkOps(ops);
    const names = new Set(ops.map((op) => nameOf(keyOf(op))));
    if (names.size < ops.length) throw new BrainError('internal', 'a transaction names an item twice');
  }
}

/** The same of one transaction, but for items named twice. Gives the bytes that it counts. */
export function checkOps(ops: readonly Op[]): number {
  if (ops.length > TABLE_LIMITS.opsInTransaction) {
    tooLarge(`a transaction has at most ${TABLE_LIMITS.opsInTransaction} operations, not ${ops.length}`);
  }
  const total = ops.reduce((sum, op) => sum + checkOp(op), 0);
  if (total > TABLE_LIMITS.transactionBytes) {
    tooLarge(`a transaction takes at most ${TABLE_LIMITS.transactionBytes} bytes, not ${total}`);
  }
  return total;
}

function checkOp(op: Op): number {
  const { pk, sk } = keyOf(op);
  const pkBytes = Buffer.byteLength(pk);
  const skBytes = Buffer.byteLength(sk);
  if (pkBytes === 0 || pkBytes > TABLE_LIMITS.partitionKeyBytes) {
    tooLarge(`a partition key takes 1 to ${TABLE_LIMITS.partitionKeyBytes} bytes`);
  }
  if (skBytes === 0 || skBytes > TABLE_LIMITS.sortKeyBytes) {
    tooLarge(`a sort key takes 1 to ${TABLE_LIMITS.sortKeyBytes} bytes`);
  }
  const bytes = pkBytes + skBytes + ('put' in op ? Buffer.byteLength(op.put.j) + ATTRIBUTES_BYTES : 0);
  if (bytes > TABLE_LIMITS.itemBytes)
    tooLarge(`an item takes at most ${TABLE_LIMITS.itemBytes} bytes, not ${bytes}`);
  return bytes;
}

function tooLarge(message: string): never {
  throw new BrainError('too_large', message, { operation: 'table.transact' });
}
