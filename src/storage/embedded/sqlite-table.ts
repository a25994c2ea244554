import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { BrainError } from '../../domain/error.ts';
import { Thread, threadModule } from '../../shared/thread.ts';
import { checkLimits } from '../check-limits.ts';
import {
  TABLE_LIMITS,
  type Item,
  type Key,
  type Op,
  type Outcome,
  type Page,
  type QueryOptions,
  type Table,
} from '../table.ts';
import { compareSortKeys } from '../unit-of-work.ts';
import { placeOf } from '../keys.ts';
import { packOps } from './packed-ops.ts';
import { checksum, isAlive, openConnection, rows, type ConnectionOptions } from './sqlite-connection.ts';
import { storageError } from './sqlite-error.ts';
import type { WriteAnswer } from './sqlite-writer-entry.ts';
import type { Series, SeriesOutcome } from './sqlite-writer.ts';

/** The last code point, longer than a sort key: `prefix` up to `prefix` + this spans all keys that begin with it. */
const LAST = '\u{10ffff}'.repeat(TABLE_LIMITS.sortKeyBytes / 4 + 1);
const COLUMNS = 'sk, et, ver, ttl, j, sum';

/** A row as the statements give it. */
type Row = [sk: string, et: string, ver: number | null, ttl: number | null, j: string, sum: number];

interface Waiting {
  readonly transactions: readonly (readonly Op[])[];
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: unknown) => void;
}

export interface SqliteOptions extends ConnectionOptions {
  /** For `ttl`. */
  readonly nowSeconds?: () => number;
}

/**
 * The table on `node:sqlite`: one file, WAL, every commit synced before it is acknowledged. Reads are of this thread's
 * own connection; commits, syncs and checkpoints are a thread's of their own, started by the first write, so nobody
 * who reads or decides waits for the disk.
 */
export class SqliteTable implements Table {
  readonly #options: SqliteOptions;
  readonly #database: DatabaseSync;
  readonly #nowSeconds: () => number;
  readonly #begin: StatementSync;
  readonly #end: StatementSync;
  readonly #get: StatementSync;
  readonly #version: StatementSync;
  readonly #ranges: {
    readonly [K in 'all' | 'some']: { readonly forward: StatementSync; readonly backward: StatementSync };
  };
  #writer: Thread<readonly Series[]> | undefined;
  #waiting: Waiting[] = [];
  /** Whether reads stand on a snapshot, which lasts as long as the turn of the event loop. */
  #isReading = false;
  #closed = false;

  /** Throws `read_only`, `corrupt`, `schema_newer` or `unavailable`. */
  constructor(options: SqliteOptions) {
    this.#options = options;
    this.#nowSeconds = options.nowSeconds ?? (() => Math.floor(Date.now() / 1000));
    this.#database = openConnection(options);
    const database = this.#database;
    this.#begin = database.prepare('BEGIN');
    this.#end = database.prepare('COMMIT');
    this.#get = rows(database, `SELECT ${COLUMNS} FROM item WHERE pk = ? AND sk = ?`);
    this.#version = rows(database, 'SELECT ttl FROM item WHERE pk = ? AND sk = ?');
    const range = `SELECT ${COLUMNS} FROM item WHERE pk = ? AND sk >= ? AND sk < ? AND (ttl IS NULL OR ttl > ?) ORDER BY sk`;
    // A LIMIT, even one of none, makes a short range twice as dear: only pages pay for it.
    this.#ranges = {
      all: { forward: rows(database, range), backward: rows(database, `${range} DESC`) },
      some: {
        forward: rows(database, `${range} LIMIT ?`),
        backward: rows(database, `${range} DESC LIMIT ?`),
      },
    };
  }

  async get(key: Key): Promise<Item | undefined> {
    return this.#read(() => this.#find(key));
  }

  async batchGet(keys: readonly Key[]): Promise<readonly Item[]> {
    return this.#read(() => {
      const found = new Map<string, Item>();
      for (const key of keys) {
        const item = this.#find(key);
        if (item) found.set(`${key.pk}\n${key.sk}`, item);
      }
      return [...found.values()];
    });
  }

  async has(keys: readonly Key[]): Promise<readonly Key[]> {
    return this.#read(() => {
      const now = this.#nowSeconds();
      return keys.filter(({ pk, sk }) => {
        const row = this.#version.get(pk, sk) as unknown as [ttl: number | null] | undefined;
        return row !== undefined && isAlive(row[0], now);
      });
    });
  }

  async query(pk: string, { prefix = '', after, reverse, limit }: QueryOptions = {}): Promise<Page> {
    return this.#read(() => {
      let low = prefix;
      let high = prefix + LAST;
      if (after !== undefined && !reverse && compareSortKeys(after, low, {}) >= 0) low = `${after}\0`; // the next key
      if (after !== undefined && reverse && compareSortKeys(after, high, {}) < 0) high = after;
      const statement = this.#ranges[limit === undefined ? 'all' : 'some'][reverse ? 'backward' : 'forward'];
      const page = limit === undefined ? [] : [limit + 1];
      const found = statement.all(pk, low, high, this.#nowSeconds(), ...page) as unknown as Row[];
      const more = limit !== undefined && found.length > limit;
      const items = (more ? found.slice(0, limit) : found).map((row) => toItem(pk, row));
      return more ? { items, next: items.at(-1)?.sk } : { items };
    });
  }

  /** Calls made in the same turn of the event loop, of any owners, share one commit and one sync of the disk. */
  async transact(transactions: readonly (readonly Op[])[]): Promise<Outcome> {
    checkLimits(transactions);
    this.#assertOpen('table.transact');
    return new Promise((resolve, reject) => {
      this.#waiting.push({ transactions, resolve, reject });
      if (this.#waiting.length === 1) setImmediate(() => void this.#send());
    });
  }

  /** Ends what was called before, and lets go of the file. */
  async close(): Promise<void> {
    if (this.#closed) return;
    const sent = this.#send();
    this.#closed = true;
    await sent;
    await this.#writer?.end();
    this.#endReading();
    this.#database.close();
  }

  /** Never rejects: each caller is told by its own promise. */
  async #send(): Promise<void> {
    const group = this.#waiting;
    this.#waiting = [];
    if (group.length === 0) return;
    try {
      const nowSeconds = this.#nowSeconds();
      const series = group.map(({ transactions }): Series => ({
        transactions: transactions.map(packOps),
        nowSeconds,
      }));
      const answer = await this.#writing().call<WriteAnswer>(series);
      this.#endReading(); // who is answered reads what was written
      if ('failure' in answer) {
        const { code, message, operation, details } = answer.failure;
        throw new BrainError(code, message, { details, ...(operation !== undefined && { operation }) });
      }
      group.forEach((waiting, at) => {
        waiting.resolve(outcomeOf(waiting.transactions, answer.outcomes[at] as SeriesOutcome));
      });
    } catch (error) {
      for (const { reject } of group) reject(storageError(error, 'table.transact'));
    }
  }

  /** Whether there is a thread that writes, or none was needed yet. */
  get canWrite(): boolean {
    return this.#writer?.isAlive ?? true;
  }

  #writing(): Thread<readonly Series[]> {
    if (!this.#writer) {
      const { path, checkpointPages, maxPages } = this.#options;
      const options: ConnectionOptions = { path, checkpointPages, maxPages };
      this.#writer = new Thread(threadModule('sqlite-writer-entry', import.meta.url), options);
    }
    return this.#writer;
  }

  #find({ pk, sk }: Key): Item | undefined {
    const row = this.#get.get(pk, sk) as unknown as Row | undefined;
    return row && isAlive(row[3], this.#nowSeconds()) ? toItem(pk, row) : undefined;
  }

  /**
   * The reads of one turn share a snapshot: each by itself would take its locks, and find its pages, anew. Answers
   * of commits come in turns of their own.
   */
  #read<T>(read: () => T): T {
    this.#assertOpen('table.read');
    try {
      if (!this.#isReading) {
        this.#begin.run();
        this.#isReading = true;
        setImmediate(() => this.#endReading());
      }
      return read();
    } catch (error) {
      throw storageError(error, 'table.read');
    }
  }

  #endReading(): void {
    if (!this.#isReading) return;
    this.#isReading = false;
    this.#end.run();
  }

  #assertOpen(operation: string): void {
    if (this.#closed) throw new BrainError('unavailable', 'the store is closed', { operation });
  }
}

function outcomeOf(transactions: readonly (readonly Op[])[], { applied, refusedAt }: SeriesOutcome): Outcome {
  const refused = refusedAt === undefined ? undefined : transactions[applied]?.[refusedAt];
  return refused ? { applied, refused: { op: refused } } : { applied };
}

function toItem(pk: string, [sk, et, ver, ttl, j, sum]: Row): Item {
  if (checksum(pk, sk, et, ver, ttl, j) !== sum) {
    throw new BrainError('corrupt', `the stored item ${placeOf({ pk, sk })} is not what was written`, {
      operation: 'table.read',
    });
  }
  return { pk, sk, et, j, ...(ver !== null && { ver }), ...(ttl !== null && { ttl }) };
}
