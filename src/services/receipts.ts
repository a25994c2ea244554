import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { BrainError } from '../domain/error.ts';
import type { OwnerId } from '../domain/values.ts';
import type { Receipt, Repositories } from '../storage/repositories.ts';
import type { Store } from '../storage/store.ts';
import type { Tx } from '../storage/transaction.ts';

/** How long a request can be repeated and is not done again. */
const RECEIPT_HOURS = 24;
const HOUR_S = 3600;
/** Of an answer in one item, with room for what goes with it. */
const PART_BYTES = 300_000;

const compress = promisify(gzip);
const decompress = promisify(gunzip);

/**
 * Keeps, in the transaction of an effect, how it is answered. A service that takes one calls it last, with its result;
 * it may be called again with a newer result of the same request.
 */
export interface Keep<T> {
  (tx: Tx, result: T): Promise<void>;
}

/**
 * The same for work of several transactions: what it begins with, such as the ids that it will give, is kept before it.
 * Cut off and sent again, it goes on with the same, and with the parts that were not done.
 */
export interface PlannedKeep<T> extends Keep<T> {
  plan<P>(owner: OwnerId, make: () => P): Promise<Plan<P>>;
}

export interface Plan<P> {
  readonly value: P;
  /** In the transaction that does a part, one of a few thousand from 0 on: gives whether it was to be done still. */
  claim(tx: Tx, part: number): Promise<boolean>;
}

export type ReceiptService = ReturnType<typeof receiptService>;

/** Requests that name themselves are done once, whatever becomes of their answers: the name is stored with the effect. */
export function receiptService({ store }: { readonly store: Store }) {
  return {
    /** Throws `key_reused` where the name stands for something else that was asked. */
    async find(owner: OwnerId, about: Pick<Receipt, 'name' | 'asked'>): Promise<Receipt | undefined> {
      const from = store.read(owner);
      let before: string | undefined;
      for (let found; (found = await from.receipts.find(about.name));) {
        checkAsked(found, about);
        if (found.parts === undefined) return found;
        const text = await joined(from, found);
        if (text === before) return { ...found, answer: await unpacked(text) };
        before = text; // it may be kept once more just now: what was read is then parts of both
      }
      return undefined;
    },

    /**
     * A fresh receipt. In the transaction it throws `in_progress` where another process was first: then nothing of
     * the transaction is kept, and `find` has the answer.
     */
    keeping<T>(about: Pick<Receipt, 'name' | 'asked'>, answerOf: (result: T) => unknown): PlannedKeep<T> {
      // All of them: a transaction that keeps one may be decided again, or come to nothing, and the one before stands.
      const kept = new Set<string>();
      const keep = async (tx: Tx, result: T): Promise<void> => {
        const before = await tx.receipts.find(about.name);
        if (before && !kept.has(JSON.stringify(before))) {
          throw new BrainError(
            'in_progress',
            'this request was done meanwhile; send it again for its answer',
          );
        }
        const [first, ...rest] = await packed({ ...about, answer: answerOf(result), keptUntil: endOf(tx) });
        kept.add(JSON.stringify(first));
        tx.receipts.replace(before, first);
        for (const part of rest) tx.receipts.replace(undefined, part);
      };
      const plan = async <P>(owner: OwnerId, make: () => P): Promise<Plan<P>> => {
        const begin = async (tx: Tx): Promise<Receipt> => {
          const name = `${about.name}.plan`;
          const before = await tx.receipts.find(name);
          if (before) checkAsked(before, about);
          const after = before ?? { ...about, name, answer: make(), keptUntil: endOf(tx) };
          if (!before) tx.receipts.replace(undefined, after);
          return after;
        };
        const planned = await store.write(owner, begin, { bulk: true });
        // Kept as long as the plan: the next one of this name begins without any part done.
        const done = { ...planned, name: `${about.name}.done` };
        return { value: planned.answer as P, claim: (tx, part) => claimPart(tx, done, part) };
      };
      return Object.assign(keep, { plan });
    },

    /** For work that is the same however often it is done, and has no transaction of its own. */
    async keepAfter<T>(owner: OwnerId, keep: Keep<T>, result: T): Promise<void> {
      await store.write(owner, (tx) => keep(tx, result));
    },
  };
}

function checkAsked(found: Receipt, about: Pick<Receipt, 'asked'>): void {
  if (found.asked === about.asked) return;
  throw new BrainError('key_reused', 'this Idempotency-Key was sent with another body; take a new one');
}

/** What parts are done is one item, a bit a part: it goes with each of them, and a round writes it once. */
async function claimPart(tx: Tx, done: Receipt, part: number): Promise<boolean> {
  const before = await tx.receipts.find(done.name);
  const bits = Buffer.from(before ? (before.answer as string) : '', 'base64');
  const [at, bit] = [part >> 3, 1 << (part & 7)];
  if (((bits[at] ?? 0) & bit) !== 0) return false;
  const after = Buffer.alloc(Math.max(bits.length, at + 1));
  after.set(bits);
  after[at] = (after[at] ?? 0) | bit;
  tx.receipts.replace(before, { ...done, answer: after.toString('base64') });
  return true;
}

function endOf(tx: Tx): number {
  return Math.floor(Date.parse(tx.now) / 1000) + RECEIPT_HOURS * HOUR_S;
}

/** An answer that is longer than an item can be is compressed, and stands in as many as it takes. */
async function packed(receipt: Receipt): Promise<readonly [Receipt, ...Receipt[]]> {
  const text = JSON.stringify(receipt.answer);
  if (Buffer.byteLength(text) <= PART_BYTES) return [receipt];
  const bytes = (await compress(text)).toString('base64');
  const parts = Math.ceil(bytes.length / PART_BYTES);
  const partOf = (at: number) => bytes.slice(at * PART_BYTES, (at + 1) * PART_BYTES);
  const rest = Array.from({ length: parts - 1 }, (_, at): Receipt => ({
    ...receipt,
    name: `${receipt.name}.${at + 1}`,
    answer: partOf(at + 1),
  }));
  return [{ ...receipt, answer: partOf(0), parts }, ...rest];
}

async function joined({ receipts }: Repositories, { name, answer, parts = 1 }: Receipt): Promise<string> {
  let text = answer as string;
  for (let at = 1; at < parts; at++) text += (await receipts.get(`${name}.${at}`)).answer as string;
  return text;
}

async function unpacked(text: string): Promise<unknown> {
  return JSON.parse((await decompress(Buffer.from(text, 'base64'))).toString()) as unknown;
}
