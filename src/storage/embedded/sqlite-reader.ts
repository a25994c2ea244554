import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { BrainError } from '../../domain/error.ts';
import { placeOf } from '../keys.ts';
import {
  nameOf,
  TABLE_LIMITS,
  type Item,
  type Key,
  type Page,
  type QueryOptions,
  type TableReader,
} from '../table.ts';
import { compareSortKeys } from '../unit-of-work.ts';
import { checksum, isAlive, rows } from './sqlite-connection.ts';
import { storageError } from './sqlite-error.ts';

/** The last code point, longer than a sort key: `prefix` up to `prefix` + this spans all keys that begin with it. */
const LAST = '\u{10ffff}'.repeat(TABLE_LIMITS.sortKeyBytes / 4 + 1);
const COLUMNS = 'sk, et, ver, ttl, j, sum';

/** A row as the statements give it. */
type Row = [sk: string, et: string, ver: number | null, ttl: number | null, j: string, sum: number];

interface ReaderOptions {
  /** For `ttl`. */
  readonly nowSeconds: () => number;
  /** Told of a row that is not what was written, which is then given as it is; without it that throws `corrupt`. */
  readonly onDamaged?: ((key: Key) => void) | undefined;
}

/** The reads of the table contract over one connection. Throws what SQLite throws. */
export class SqliteReader {
  readonly #options: ReaderOptions;
  readonly #get: StatementSync;
  readonly #version: StatementSync;
  readonly #all: StatementSync;
  readonly #ranges: {
    readonly [K in 'all' | 'some']: { readonly forward: StatementSync; readonly backward: StatementSync };
  };

  constructor(database: DatabaseSync, options: ReaderOptions) {
    this.#options = options;
    this.#get = rows(database, `SELECT ${COLUMNS} FROM item WHERE pk = ? AND sk = ?`);
    this.#version = rows(database, 'SELECT ttl FROM item WHERE pk = ? AND sk = ?');
    this.#all = rows(database, `SELECT pk, ${COLUMNS} FROM item WHERE (pk, sk) > (?, ?) ORDER BY pk, sk`);
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

  get({ pk, sk }: Key): Item | undefined {
    const row = this.#get.get(pk, sk) as unknown as Row | undefined;
    return row && isAlive(row[3], this.#options.nowSeconds()) ? this.#toItem(pk, row) : undefined;
  }

  batchGet(keys: readonly Key[]): readonly Item[] {
    const found = new Map<string, Item>();
    for (const key of keys) {
      const item = this.get(key);
      if (item) found.set(nameOf(key), item);
    }
    return [...found.values()];
  }

  has(keys: readonly Key[]): readonly Key[] {
    const now = this.#options.nowSeconds();
    return keys.filter(({ pk, sk }) => {
      const row = this.#version.get(pk, sk) as unknown as [ttl: number | null] | undefined;
      return row !== undefined && isAlive(row[0], now);
    });
  }

  query(pk: string, { prefix = '', after, reverse, limit }: QueryOptions = {}): Page {
    let low = prefix;
    let high = prefix + LAST;
    if (after !== undefined && !reverse && compareSortKeys(after, low, {}) >= 0) low = `${after}\0`; // the next key
    if (after !== undefined && reverse && compareSortKeys(after, high, {}) < 0) high = after;
    const statement = this.#ranges[limit === undefined ? 'all' : 'some'][reverse ? 'backward' : 'forward'];
    const page = limit === undefined ? [] : [limit + 1];
    const found = statement.all(pk, low, high, this.#options.nowSeconds(), ...page) as unknown as Row[];
    const more = limit !== undefined && found.length > limit;
    const items = (more ? found.slice(0, limit) : found).map((row) => this.#toItem(pk, row));
    return more ? { items, next: items.at(-1)?.sk } : { items };
  }

  /** Every item after a key, whoever's it is and also past its `ttl`, in the order of the keys, while it is read. */
  *scan(after: Key): Generator<Item> {
    for (const [pk, ...row] of this.#all.iterate(after.pk, after.sk) as Iterable<[string, ...Row]>) {
      yield this.#toItem(pk, row);
    }
  }

  #toItem(pk: string, [sk, et, ver, ttl, j, sum]: Row): Item {
    if (checksum(pk, sk, et, ver, ttl, j) !== sum) this.#damaged({ pk, sk });
    return { pk, sk, et, j, ...(ver !== null && { ver }), ...(ttl !== null && { ttl }) };
  }

  #damaged(key: Key): void {
    const { onDamaged } = this.#options;
    if (onDamaged) return onDamaged(key);
    throw new BrainError('corrupt', `the stored item ${placeOf(key)} is not what was written`, {
      operation: 'table.read',
    });
  }
}

/** Reads, and throws what the table contract names where SQLite throws. */
export function attemptRead<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw storageError(error, 'table.read');
  }
}

/** The same reader with the answers and failures of a table. */
export function asTableReader(reader: SqliteReader): TableReader {
  return {
    get: async (key) => attemptRead(() => reader.get(key)),
    batchGet: async (keys) => attemptRead(() => reader.batchGet(keys)),
    has: async (keys) => attemptRead(() => reader.has(keys)),
    query: async (pk, options) => attemptRead(() => reader.query(pk, options)),
  };
}
