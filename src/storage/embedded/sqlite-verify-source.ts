import { DatabaseSync } from 'node:sqlite';
import { BrainError } from '../../domain/error.ts';
import { nameOf, type Key, type TableReader } from '../table.ts';
import type { VerifySource } from '../verify/source.ts';
import { checkSchema, pragma } from './schema.ts';
import { rows } from './sqlite-connection.ts';
import { storageError } from './sqlite-error.ts';
import { SqliteReader } from './sqlite-reader.ts';

const BUSY_TIMEOUT_MS = 5_000;

/** Opens a file to be read alone, whoever has it open. Throws `corrupt`, `schema_newer`, `not_found`. */
export function openToRead(path: string): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { readOnly: true, timeout: BUSY_TIMEOUT_MS });
    checkSchema(database, path);
    if (pragma(database, 'user_version') === 0)
      throw new BrainError('not_found', `nothing is stored in ${path} yet`);
    return database;
  } catch (error) {
    database?.close();
    throw storageError(error, `store.read ${path}`);
  }
}

/**
 * A database file as a check reads it, beside whoever writes it or by itself: what is read of an owner is of one
 * moment, and nobody waits for it. Only the write-ahead log grows meanwhile.
 */
export function sqliteVerifySource(path: string, nowSeconds: () => number): VerifySource {
  const database = openToRead(path);
  const attempt = <T>(read: () => T): T => {
    try {
      return read();
    } catch (error) {
      throw storageError(error, 'table.read');
    }
  };
  return {
    checkEngine: () =>
      attempt(() => database.prepare('PRAGMA integrity_check').all())
        .map((row) => String(row['integrity_check']))
        .filter((line) => line !== 'ok'),

    async *partitions() {
      const next = rows(database, 'SELECT min(pk) FROM item WHERE pk > ?'); // not DISTINCT, which reads every row
      for (let last = ''; ;) {
        const [pk] = attempt(() => next.get(last)) as unknown as [string | null];
        if (pk === null) return;
        yield pk;
        last = pk;
      }
    },

    async atRest(_owner, read) {
      attempt(() => database.exec('BEGIN'));
      const damaged = new Map<string, Key>();
      try {
        return await read({ reader: tolerant(database, { nowSeconds, damaged, attempt }), damaged });
      } finally {
        if (database.isTransaction) database.exec('COMMIT'); // a read that the disk failed has ended it
      }
    },

    async close() {
      database.close();
    },
  };
}

function tolerant(
  database: DatabaseSync,
  {
    nowSeconds,
    damaged,
    attempt,
  }: {
    readonly nowSeconds: () => number;
    readonly damaged: Map<string, Key>;
    readonly attempt: <T>(read: () => T) => T;
  },
): TableReader {
  const onDamaged = (key: Key): void => void damaged.set(nameOf(key), key);
  const reader = new SqliteReader(database, { nowSeconds, onDamaged });
  return {
    get: async (key) => attempt(() => reader.get(key)),
    batchGet: async (keys) => attempt(() => reader.batchGet(keys)),
    has: async (keys) => attempt(() => reader.has(keys)),
    query: async (pk, options) => attempt(() => reader.query(pk, options)),
  };
}
