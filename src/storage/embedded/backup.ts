import { closeSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { backup, DatabaseSync } from 'node:sqlite';
import { storageError } from './sqlite-error.ts';
import { openToRead } from './sqlite-verify-source.ts';

/** 4 MB: copied beside this thread, step by step. */
const PAGES_A_STEP = 1_024;

/**
 * Copies a database to a file of its own, whole and synced or not at all. The copy is of the moment at which it began:
 * whoever writes meanwhile is not kept waiting and does not make it begin anew. Throws `not_found`, `corrupt`,
 * `storage_full`, `read_only`.
 */
export async function copyDatabase(
  from: string,
  to: string,
  onProgress: (pages: number, total: number) => void = () => {},
): Promise<void> {
  const partial = `${to}.partial`;
  const source = openToRead(from);
  try {
    remove(partial);
    closeSync(openSync(partial, 'wx', 0o600)); // nobody else may read it, wherever it lies
    // With a read open, the source stands still for this connection: without one each foreign commit starts it anew.
    source.exec('BEGIN');
    source.prepare('SELECT count(*) FROM sqlite_schema').get();
    await backup(source, partial, {
      rate: PAGES_A_STEP,
      progress: ({ totalPages, remainingPages }) => {
        sync(partial); // step by step: hundreds of megabytes at the end would keep a server's own syncs waiting
        onProgress(totalPages - remainingPages, totalPages);
      },
    });
    source.exec('COMMIT');
    standAlone(partial);
    sync(partial);
    renameSync(partial, to);
    sync(dirname(to));
  } catch (error) {
    remove(partial);
    throw storageError(error, 'store.copy');
  } finally {
    source.close();
  }
}

/** The copy says that it has a write-ahead log, as its source does; one file is easier kept. */
function standAlone(path: string): void {
  const database = new DatabaseSync(path);
  try {
    database.exec('PRAGMA journal_mode = DELETE');
  } finally {
    database.close();
  }
}

function remove(path: string): void {
  for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(path + suffix, { force: true });
}

/** Has the disk keep a file, or the names in a folder. */
export function sync(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
