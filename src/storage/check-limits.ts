import { BrainError } from '../domain/error.ts';
import { OpSet } from './op-set.ts';
import { keyOf, TABLE_LIMITS, type Op } from './table.ts';

/** What an item takes beside its keys and its payload: its type, version and time to live. */
const ATTRIBUTES_BYTES = 64;
/** A UTF-16 unit takes at most so many bytes of UTF-8: what is far from a limit need not be counted. */
const BYTES_A_UNIT = 3;

/** Refuses (`too_large`) what the stricter engine would refuse, before anything is sent. Every engine calls it. */
export function checkLimits(transactions: readonly (readonly Op[])[]): void {
  for (const ops of transactions) {
    if (!areSmall(ops)) checkOps(ops);
    if (new OpSet(ops).size < ops.length)
      throw new BrainError('internal', 'a transaction names an item twice');
  }
}

/** The same of one transaction, but for items named twice. Gives the bytes that it counts. */
export function checkOps(ops: readonly Op[]): number {
  if (ops.length > TABLE_LIMITS.opsInTransaction) {
    tooLarge(`a transaction has at most ${TABLE_LIMITS.opsInTransaction} operations, not ${ops.length}`);
  }
  let total = 0;
  for (const op of ops) total += checkOp(op);
  if (total > TABLE_LIMITS.transactionBytes) {
    tooLarge(`a transaction takes at most ${TABLE_LIMITS.transactionBytes} bytes, not ${total}`);
  }
  return total;
}

/** Whether they are within all limits, however many bytes their characters take. */
function areSmall(ops: readonly Op[]): boolean {
  let total = 0;
  for (const op of ops) {
    const { pk, sk } = keyOf(op);
    if (pk === '' || pk.length * BYTES_A_UNIT > TABLE_LIMITS.partitionKeyBytes) return false;
    if (sk === '' || sk.length * BYTES_A_UNIT > TABLE_LIMITS.sortKeyBytes) return false;
    const units = pk.length + sk.length + ('put' in op ? op.put.j.length : 0);
    const bytes = units * BYTES_A_UNIT + ATTRIBUTES_BYTES;
    if (bytes > TABLE_LIMITS.itemBytes) return false;
    total += bytes;
  }
  return ops.length <= TABLE_LIMITS.opsInTransaction && total <= TABLE_LIMITS.transactionBytes;
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
