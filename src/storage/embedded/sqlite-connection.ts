import { existsSync } from 'node:fs';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { crc32 } from 'node:zlib';
import { BrainError } from '../../domain/error.ts';
import { checkSchema, migrate, pragma } from './schema.ts';
import { storageError } from './sqlite-error.ts';

export interface ConnectionOptions {
  readonly path: string;
  /** Pages of the log after which the writer copies it into the database; 1,000. More is less to write in all. */
  readonly checkpointPages?: number | undefined;
  /** Greatest size of the database in pages of 4 KB; for tests of a full disk. */
  readonly maxPages?: number | undefined;
  /** A file of the writer that keeps room for deletions on a full disk; without it they are refused as all else is. */
  readonly ballastPath?: string | undefined;
  /** Whoever wrote before was gone of a sudden: SQLite is to look through the whole file first. */
  readonly isChecked?: boolean | undefined;
}

const BUSY_TIMEOUT_MS = 5_000;
const CACHE_KIB = 16 * 1024;
/** `PRAGMA synchronous`: 2 is FULL, the log is synced at each commit. */
const SYNCHRONOUS_FULL = 2;

/** Opens the file, making and migrating it if need be. Throws `read_only`, `corrupt`, `schema_newer`, `unavailable`. */
export function openConnection(options: ConnectionOptions): DatabaseSync {
  const { path, maxPages } = options;
  const existed = existsSync(path);
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS, enableForeignKeyConstraints: false });
    checkSchema(database, path); // before anything is written: even the journal mode stands in the file
    database.exec(`PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      PRAGMA trusted_schema = OFF;
      PRAGMA cache_size = -${CACHE_KIB};`);
    // Read back: a file system or a build that ignores it would lose acknowledged writes when the power goes.
    if (pragma(database, 'synchronous') !== SYNCHRONOUS_FULL) {
      throw new BrainError('unavailable', `${path}: SQLite did not take synchronous = FULL`);
    }
    migrate(database);
    if (options.isChecked) checkWhole(database, path);
    if (maxPages !== undefined) database.exec(`PRAGMA max_page_count = ${maxPages}`);
    return database;
  } catch (error) {
    database?.close();
    throw storageError(error, existed ? `store.open ${path}` : `store.create ${path}`);
  }
}

function checkWhole(database: DatabaseSync, path: string): void {
  const [found] = Object.values(database.prepare('PRAGMA quick_check(1)').get() ?? {});
  if (found === 'ok') return;
  throw new BrainError('corrupt', `${path} is damaged: ${String(found)}`, { operation: 'store.open' });
}

/** A statement whose rows are arrays: they cost a third less than objects. */
export function rows(database: DatabaseSync, sql: string): StatementSync {
  const statement = database.prepare(sql);
  statement.setReturnArrays(true);
  return statement;
}

/** CRC-32 of all that a row says. */
export function checksum(
  pk: string,
  sk: string,
  et: string,
  ver: number | null,
  ttl: number | null,
  j: string,
): number {
  return crc32(`${pk}\n${sk}\n${et}\n${ver ?? ''}\n${ttl ?? ''}\n${j}`);
}

export function isAlive(ttl: number | null, nowSeconds: number): boolean {
  return ttl === null || ttl > nowSeconds;
}
