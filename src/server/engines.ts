import { join } from 'node:path';
import { refuseUnfinished } from '../storage/copy-table.ts';
import { openDataFolder } from '../storage/embedded/data-folder.ts';
import { fileBlobs } from '../storage/embedded/file-blobs.ts';
import { SqliteTable, type SqliteOptions } from '../storage/embedded/sqlite-table.ts';
import type { Engine } from './engine.ts';
import type { Settings } from './settings.ts';

interface EngineOptions {
  /** Of the embedded engine. */
  readonly checkpointPages?: number | undefined;
  readonly nowSeconds: () => number;
  /** Of the embedded engine: told when the thread that writes has ended and nobody asked it to. */
  readonly onWriterLost?: ((reason: Error) => void) | undefined;
}

/**
 * Opens the engine that the settings name; only that one is loaded. Closing the table and releasing the home ends it.
 * Throws `locked`, `read_only`, `corrupt`, `schema_newer`, `not_found` (no such table), `unavailable`, and `conflict` for
 * one that a migration has not filled yet.
 */
export async function openEngine(settings: Settings, options: EngineOptions): Promise<Engine> {
  switch (settings.store) {
    case 'sqlite':
      return openSqlite(settings, options);
    case 'dynamodb': {
      const { openDynamo } = await import('./dynamo-engine.ts'); // the SDK takes 0.2 s to load
      return openDynamo(settings, options.nowSeconds);
    }
  }
}

async function openSqlite(
  { dataDir }: Settings,
  { checkpointPages, nowSeconds, onWriterLost }: EngineOptions,
): Promise<Engine> {
  const home = openDataFolder(dataDir);
  try {
    const table = await openSqliteTable({
      path: home.databasePath,
      ballastPath: home.ballastPath,
      checkpointPages,
      nowSeconds,
      onWriterLost,
    });
    const blobs = fileBlobs(join(home.path, 'blobs'));
    return {
      table,
      home,
      blobs,
      canWrite: () => table.canWrite,
      sweep: async () => (await table.sweep()) + (await blobs.sweep(nowSeconds() * 1000)),
      facts: { engine: 'sqlite', synchronous: 'full' },
    };
  } catch (error) {
    home.release();
    throw error;
  }
}

async function openSqliteTable(options: SqliteOptions): Promise<SqliteTable> {
  const table = new SqliteTable(options);
  try {
    await refuseUnfinished(table);
    return table;
  } catch (error) {
    await table.close();
    throw error;
  }
}
