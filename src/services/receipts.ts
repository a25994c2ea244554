import { BrainError } from '../domain/error.ts';
import type { OwnerId } from '../domain/values.ts';
import type { Receipt } from '../storage/repositories.ts';
import type { Store } from '../storage/store.ts';
import type { Tx } from '../storage/transaction.ts';

/** How long a request can be repeated and is not done again. */
const RECEIPT_HOURS = 24;
const HOUR_S = 3600;

/**
 * Keeps, in the transaction of an effect, how it is answered. A service that takes one calls it last, with its result;
 * it may be called again with a newer result of the same request.
 */
export type Keep<T> = (tx: Tx, result: T) => Promise<void>;

export type ReceiptService = ReturnType<typeof receiptService>;

/** Requests that name themselves are done once, whatever becomes of their answers: the name is stored with the effect. */
export function receiptService({ store }: { readonly store: Store }) {
  return {
    /** Throws `key_reused` where the name stands for something else that was asked. */
    async find(owner: OwnerId, about: Pick<Receipt, 'name' | 'asked'>): Promise<Receipt | undefined> {
      const found = await store.read(owner).receipts.find(about.name);
      if (found && found.asked !== about.asked) {
        throw new BrainError('key_reused', 'this Idempotency-Key was sent with another body; take a new one');
      }
      return found;
    },

    /**
     * A fresh receipt. In the transaction it throws `in_progress` where another process was first: then nothing of
     * the transaction is kept, and `find` has the answer.
     */
    keeping<T>(about: Pick<Receipt, 'name' | 'asked'>, answerOf: (result: T) => unknown): Keep<T> {
      let kept: Receipt | undefined;
      return async (tx, result) => {
        const before = await tx.receipts.find(about.name);
        if (before && !isSame(before, kept)) {
          throw new BrainError(
            'in_progress',
            'this request was done meanwhile; send it again for its answer',
          );
        }
        const keptUntil = Math.floor(Date.parse(tx.now) / 1000) + RECEIPT_HOURS * HOUR_S;
        kept = { ...about, answer: answerOf(result), keptUntil };
        tx.receipts.replace(before, kept);
      };
    },

    /** For work that is the same however often it is done, and has no transaction of its own. */
    async keepAfter<T>(owner: OwnerId, keep: Keep<T>, result: T): Promise<void> {
      await store.write(owner, (tx) => keep(tx, result));
    },
  };
}

function isSame(stored: Receipt, kept: Receipt | undefined): boolean {
  return JSON.stringify(stored) === JSON.stringify(kept);
}
