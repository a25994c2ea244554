import { existsSync } from 'node:fs';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { crc32 } from 'node:zlib';
import { BrainError } from '../../domain/error.ts';
import { checkLimits } from '../check-limits.ts';
import {
  holds,
  keyOf,
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
import { checkSchema, migrate, pragma } from './schema.ts';
import { storageError } from './sqlite-error.ts';

const BUSY_TIMEOUT_MS = 5_000;
const CACHE_KIB = 40 * 1024;
/** A checkpoint keeps a commit waiting, the longer the more there is to copy: 4 MB of log take about 10 ms. */
const CHECKPOINT_PAGES = 1_000;
/** `PRAGMA synchronous`: 2 is FULL, the log is synced at each commit. */
const SYNCHRONOUS_FULL = 2;
/** The last code point, longer than a sort key: `prefix` up to `prefix` + this spans all keys that begin with it. */
const LAST = '\u{10ffff}'.repeat(TABLE_LIMITS.sortKeyBytes / 4 + 1);

/** A row as the statements give it: arrays cost a third less than objects. */
type Row = [sk: string, et: string, ver: number | null, ttl: number | null, j: string, sum: number];

interface Waiting {
  readonly transactions: readonly (readonly Op[])[];
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: unknown) => void;
}

export interface SqliteOptions {
  readonly path: string;
  /** For `ttl`. */
  readonly nowSeconds?: () => number;
  /** Pages of the log after which it is copied into the database; 1,000. More is less to write in all. */
  readonly checkpointPages?: number | undefined;
  /** Greatest size of the database in pages of 4 KB; for tests of a full disk. */
  readonly maxPages?: number;
}

/** The table on `node:sqlite`: one file, WAL, every commit synced before it is acknowledged. */
export class SqliteTable implements Table {
  readonly #database: DatabaseSync;
  readonly #nowSeconds: () => number;
  readonly #get: StatementSync;
  readonly #put: StatementSync;
  readonly #del: StatementSync;
  readonly #version: StatementSync;
  readonly #ranges: {
    readonly [K in 'all' | 'some']: { readonly forward: StatementSync; readonly backward: StatementSync };
  };
  #waiting: Waiting[] = [];
  #closed = false;
  /** Set when a sync failed: what is on disk is no longer known, so nothing more is acknowledged. */
  #failed: BrainError | undefined;

  /** Throws `read_only`, `corrupt`, `schema_newer` or `unavailable`. */
  constructor(options: SqliteOptions) {
    this.#nowSeconds = options.nowSeconds ?? (() => Math.floor(Date.now() / 1000));
    this.#database = open(options);
    const database = this.#database;
    const columns = 'sk, et, ver, ttl, j, sum';
    this.#get = rows(database, `SELECT ${columns} FROM item WHERE pk = ? AND sk = ?`);
    this.#version = rows(database, 'SELECT ver, ttl FROM item WHERE pk = ? AND sk = ?');
    this.#put = database.prepare(
      `INSERT INTO item (pk, ${columns}) VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (pk, sk) DO UPDATE SET et = excluded.et, ver = excluded.ver, ttl = excluded.ttl, j = excluded.j,
         sum = excluded.sum`,
    );
    this.#del = database.prepare('DELETE FROM item WHERE pk = ? AND sk = ?');
    const range = `SELECT ${columns} FROM item WHERE pk = ? AND sk >= ? AND sk < ? AND (ttl IS NULL OR ttl > ?) ORDER BY sk`;
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
    return this.#read(() => keys.filter((key) => this.#versionOf(key) !== undefined));
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
    return new Promise((resolve, reject) => {
      this.#waiting.push({ transactions, resolve, reject });
      if (this.#waiting.length === 1) setImmediate(() => this.#flush());
    });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#flush();
    this.#closed = true;
    this.#database.close();
  }

  #flush(): void {
    const group = this.#waiting;
    this.#waiting = [];
    if (group.length === 0) return;
    let outcomes: readonly Outcome[];
    try {
      outcomes = this.#commit(group);
    } catch (error) {
      for (const { reject } of group) reject(error);
      return;
    }
    group.forEach(({ resolve }, index) => resolve(outcomes[index] ?? { applied: 0 }));
  }

  #commit(group: readonly Waiting[]): readonly Outcome[] {
    this.#assertUsable();
    const database = this.#database;
    try {
      database.exec('BEGIN IMMEDIATE');
      const outcomes = group.map(({ transactions }) => this.#applySeries(transactions));
      database.exec('COMMIT');
      return outcomes;
    } catch (error) {
      const failure = storageError(error, 'table.transact');
      if (failure.details['lost'] === true) this.#failed = failure;
      this.#rollback();
      throw failure;
    }
  }

  /** If even that fails, what is on disk is not known any more. */
  #rollback(): void {
    try {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
    } catch (error) {
      this.#failed = storageError(error, 'table.rollback');
    }
  }

  #applySeries(transactions: readonly (readonly Op[])[]): Outcome {
    for (const [applied, ops] of transactions.entries()) {
      const refused = ops.find((op) => !this.#holds(op));
      if (refused) return { applied, refused: { op: refused } };
      for (const op of ops) this.#applyOp(op);
    }
    return { applied: transactions.length };
  }

  #holds(op: Op): boolean {
    if (op.if === undefined) return true;
    return holds(op.if, this.#versionOf(keyOf(op)));
  }

  #find({ pk, sk }: Key): Item | undefined {
    const row = this.#get.get(pk, sk) as unknown as Row | undefined;
    return row && this.#isAlive(row[3]) ? toItem(pk, row) : undefined;
  }

  /** Of an item that is there; its payload is not read. */
  #versionOf({ pk, sk }: Key): { readonly ver?: number | undefined } | undefined {
    const row = this.#version.get(pk, sk) as unknown as [Row[2], Row[3]] | undefined;
    return row && this.#isAlive(row[1]) ? { ver: row[0] ?? undefined } : undefined;
  }

  #applyOp(op: Op): void {
    if ('put' in op) {
      const { pk, sk, et, ver, ttl, j } = op.put;
      this.#put.run(pk, sk, et, ver ?? null, ttl ?? null, j, checksum(op.put));
    } else if ('del' in op) {
      this.#del.run(op.del.pk, op.del.sk);
    }
  }

  #isAlive(ttl: number | null): boolean {
    return ttl === null || ttl > this.#nowSeconds();
  }

  #read<T>(read: () => T): T {
    if (this.#closed) throw new BrainError('unavailable', 'the store is closed', { operation: 'table.read' });
    try {
      return read();
    } catch (error) {
      throw storageError(error, 'table.read');
    }
  }

  #assertUsable(): void {
    if (this.#closed)
      throw new BrainError('unavailable', 'the store is closed', { operation: 'table.transact' });
    if (this.#failed) throw this.#failed;
  }
}

function open({ path, maxPages, checkpointPages = CHECKPOINT_PAGES }: SqliteOptions): DatabaseSync {
  const existed = existsSync(path);
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS, enableForeignKeyConstraints: false });
    checkSchema(database, path); // before anything is written: even the journal mode stands in the file
    database.exec(`PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      PRAGMA trusted_schema = OFF;
      PRAGMA wal_autocheckpoint = ${checkpointPages};
      PRAGMA cache_size = -${CACHE_KIB};`);
    // Read back: a file system or a build that ignores it would lose acknowledged writes when the power goes.
    if (pragma(database, 'synchronous') !== SYNCHRONOUS_FULL) {
      throw new BrainError('unavailable', `${path}: SQLite did not take synchronous = FULL`);
    }
    migrate(database);
    if (maxPages !== undefined) database.exec(`PRAGMA max_page_count = ${maxPages}`);
    return database;
  } catch (error) {
    database?.close();
    throw storageError(error, existed ? `store.open ${path}` : `store.create ${path}`);
  }
}

function rows(database: DatabaseSync, sql: string): StatementSync {
  const statement = database.prepare(sql);
  statement.setReturnArrays(true);
  return statement;
}

function toItem(pk: string, [sk, et, ver, ttl, j, sum]: Row): Item {
  const item: Item = { pk, sk, et, j, ...(ver !== null && { ver }), ...(ttl !== null && { ttl }) };
  if (checksum(item) !== sum) {
    throw new BrainError('corrupt', `the stored item ${pk} ${sk} is not what was written`, {
      operation: 'table.read',
    });
  }
  return item;
}

function checksum({ pk, sk, et, ver, ttl, j }: Item): number {
  return crc32(`${pk}\n${sk}\n${et}\n${ver ?? ''}\n${ttl ?? ''}\n${j}`);
}
