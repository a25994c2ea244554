import { setImmediate as nextTurn } from 'node:timers/promises';
import { BrainError } from '../../src/domain/error.ts';
import type { Item, Key, Op, Outcome, Page, QueryOptions, Table } from '../../src/storage/table.ts';

/** What becomes of one call of `transact`; `turns` of the event loop pass before it. */
export interface Fate {
  readonly kind:
    | 'done'
    /** As if a rival's commit had come between, of which nothing is to be seen. */
    | 'refused'
    /** The first of the series are applied, and the next one is refused, as by a rival. */
    | 'part'
    | 'unavailable'
    /** Nobody knows: it is applied, it is not, some of it is, or it is some turns after the call has failed. */
    | 'timeout, done'
    | 'timeout, not done'
    | 'timeout, part'
    | 'timeout, late';
  readonly turns: number;
}

/** In the place of a number of turns: the read fails. */
export const UNREAD = -1;

/**
 * One process's way to a table that others write to as well. Its calls are applied in their order, as the contract
 * says, and each comes to what the next fate says; when none is left all goes well. Reads take some turns, too.
 */
export class UnsureTable implements Table {
  readonly #table: Table;
  readonly #fates: Fate[];
  readonly #readTurns: number[];
  readonly #late: Promise<void>[] = [];
  #last: Promise<unknown> = Promise.resolve();

  constructor(table: Table, fates: readonly Fate[], readTurns: readonly number[]) {
    this.#table = table;
    this.#fates = [...fates];
    this.#readTurns = [...readTurns];
  }

  get(key: Key): Promise<Item | undefined> {
    return this.#read(() => this.#table.get(key));
  }

  batchGet(keys: readonly Key[]): Promise<readonly Item[]> {
    return this.#read(() => this.#table.batchGet(keys));
  }

  has(keys: readonly Key[]): Promise<readonly Key[]> {
    return this.#read(() => this.#table.has(keys));
  }

  query(pk: string, options?: QueryOptions): Promise<Page> {
    return this.#read(() => this.#table.query(pk, options));
  }

  transact(transactions: readonly (readonly Op[])[]): Promise<Outcome> {
    const apply = (): Promise<Outcome> => this.#apply(transactions);
    const outcome = this.#last.then(apply, apply);
    this.#last = outcome;
    return outcome;
  }

  close(): Promise<void> {
    return this.#table.close();
  }

  /** Everything goes well from here on, and what was late has come to its end. */
  async recover(): Promise<void> {
    this.#fates.length = 0;
    this.#readTurns.length = 0;
    await Promise.all(this.#late);
  }

  async #apply(series: readonly (readonly Op[])[]): Promise<Outcome> {
    const { kind, turns } = this.#fates.shift() ?? { kind: 'done', turns: 0 };
    const some = series.slice(0, Math.ceil(series.length / 2));
    await pass(turns);
    switch (kind) {
      case 'done':
        return this.#table.transact(series);
      case 'refused':
        return { applied: 0 };
      case 'part':
        return series.length === 1 ? { applied: 0 } : this.#table.transact(some);
      case 'unavailable':
        throw new BrainError('unavailable', 'the table is not there');
      case 'timeout, done':
        await this.#table.transact(series);
        break;
      case 'timeout, part':
        await this.#table.transact(some);
        break;
      case 'timeout, late':
        this.#late.push(pass(2 * turns).then(async () => void (await this.#table.transact(series))));
        break;
      case 'timeout, not done':
    }
    throw new BrainError('timeout', 'whether it was written is not known');
  }

  async #read<T>(read: () => Promise<T>): Promise<T> {
    const turns = this.#readTurns.shift() ?? 0;
    if (turns === UNREAD) throw new BrainError('unavailable', 'the table cannot be read');
    await pass(turns);
    const found = await read();
    await pass(turns);
    return found;
  }
}

async function pass(turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await nextTurn();
}
