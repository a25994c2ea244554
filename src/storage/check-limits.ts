import { BrainError } from '../domain/error.ts';
import { keyOf, opBytes, TABLE_LIMITS, type Op } from './table.ts';

/** Refuses (`too_large`) what the stricter engine would refuse, before anything is sent. Every engine calls it. */
export function checkLimits(transactions: readonly (readonly Op[])[]): void {
  for (const ops of transactions) {
    if (ops.length > TABLE_LIMITS.opsInTransaction) {
      tooLarge(`a transaction has at most ${TABLE_LIMITS.opsInTransaction} operations, not ${ops.length}`);
    }
    let total = 0;
    const seen = new Set<string>();
    for (const op of ops) {
      const bytes = checkOp(op);
      total += bytes;
      const { pk, sk } = keyOf(op);
      const name = `${pk}\n${sk}`;
      if (seen.has(name)) throw new BrainError('internal', `a transaction names ${pk} ${sk} twice`);
      seen.add(name);
    }
    if (total > TABLE_LIMITS.transactionBytes) {
      tooLarge(`a transaction takes at most ${TABLE_LIMITS.transactionBytes} bytes, not ${total}`);
    }
  }
}

function checkOp(op: Op): number {
  const { pk, sk } = keyOf(op);
  if (pk === '' || Buffer.byteLength(pk) > TABLE_LIMITS.partitionKeyBytes) {
    tooLarge(`a partition key takes 1 to ${TABLE_LIMITS.partitionKeyBytes} bytes`);
  }
  if (sk === '' || Buffer.byteLength(sk) > TABLE_LIMITS.sortKeyBytes) {
    tooLarge(`a sort key takes 1 to ${TABLE_LIMITS.sortKeyBytes} bytes`);
  }
  const bytes = opBytes(op);
  if (bytes > TABLE_LIMITS.itemBytes)
    tooLarge(`an item takes at most ${TABLE_LIMITS.itemBytes} bytes, not ${bytes}`);
  return bytes;
}

function tooLarge(message: string): never {
  throw new BrainError('too_large', message, { operation: 'table.transact' });
}
