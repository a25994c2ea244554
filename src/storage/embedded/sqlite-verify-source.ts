import { DatabaseSync } from 'node:sqlite';
import { BrainError } from '../../domain/error.ts';
import { nameOf, type Key } from '../table.ts';
import type { VerifySource } from '../verify/source.ts';
import { checkSchema, pragma } from './schema.ts';
import { rows } from './sqlite-connection.ts';
import { storageError } from './sqlite-error.ts';
import { asTableReader, attemptRead, SqliteReader } from './sqlite-reader.ts';

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
  return {
    checkEngine: () =>
      attemptRead(() => database.prepare('PRAGMA integrity_check').all())
        .map((row) => String(row['integrity_check']))
        .filter((line) => line !== 'ok'),

    async *partitions() {
      const next = rows(database, 'SELECT min(pk) FROM item WHERE pk > ?'); // not DISTINCT, which reads every row
      for (let last = ''; ;) {
        const [pk] = attemptRead(() => next.get(last)) as unknown as [string | null];
        if (pk === null) return;
        yield pk;
        last = pk;
      }
    },

    async atRest(_owner, read) {
      attemptRead(() => database.exec('BEGIN'));
      const damaged = new Map<string, Key>();
      try {
        const onDamaged = (key: Key): void => void damaged.set(nameOf(key), key);
        const reader = asTableReader(new SqliteReader(database, { nowSeconds, onDamaged }));
        return await read({ reader, damaged });
      } finally {
        if (database.isTransaction) database.exec('COMMIT'); // a read that the disk failed has ended it
      }
    },

    async close() {
      database.close();
    },
  };
}
