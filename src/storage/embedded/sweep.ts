import { DatabaseSync } from 'node:sqlite';
import { storageError } from './sqlite-error.ts';

/** Rows removed in one commit: others' writes wait for it. */
const ROWS_AT_ONCE = 500;
const BUSY_TIMEOUT_MS = 1_000;

/**
 * Removes rows whose time is over, which no reader sees any more. Gives how many there were. It has a connection of its
 * own for as long as it takes: whatever goes wrong here is nothing that a write was told of.
 */
export function sweepExpired(path: string, nowSeconds: number): number {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
    const expired = database.prepare('SELECT 1 FROM item WHERE ttl <= ? LIMIT 1');
    const remove = database.prepare(
      'DELETE FROM item WHERE rowid IN (SELECT rowid FROM item WHERE ttl <= ? LIMIT ?)',
    );
    let removed = 0;
    while (expired.get(nowSeconds)) removed += Number(remove.run(nowSeconds, ROWS_AT_ONCE).changes);
    return removed;
  } catch (error) {
    throw storageError(error, 'table.sweep');
  } finally {
    database?.close();
  }
}
