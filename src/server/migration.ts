import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { BrainError } from '../domain/error.ts';
import { copyTable, type Copied, type CopyMode, type CopyOptions, type Side } from '../storage/copy-table.ts';
import { INDEX_FOLDER, openDataFolder } from '../storage/embedded/data-folder.ts';
import { SqliteTable } from '../storage/embedded/sqlite-table.ts';
import { SqliteWhole } from '../storage/embedded/sqlite-whole.ts';
import type { Settings } from './settings.ts';

export type StoreKind = Settings['store'];

export interface Migration {
  readonly from: StoreKind;
  readonly to: StoreKind;
  readonly mode: CopyMode;
  readonly onProgress: CopyOptions['onProgress'];
}

interface Opened extends Side {
  close(): Promise<void>;
}

/**
 * Moves all that the one store of the settings holds into the other: a data folder, which it locks meanwhile, and a
 * table at DynamoDB. The source stays as it is. Throws `conflict` (the target is not empty, or not equal in the end),
 * `not_found` (no source, or no table), `locked`, and what the engines throw: then it can be gone on with.
 */
export async function migrateStore(settings: Settings, migration: Migration): Promise<Copied> {
  const { from, to, mode, onProgress } = migration;
  if (from === 'sqlite' && !existsSync(join(settings.dataDir, 'brain2.sqlite'))) {
    throw new BrainError('not_found', `there is no store at ${settings.dataDir}`, {
      operation: 'store.migrate',
    });
  }
  const source = await OPEN[from](settings);
  try {
    const target = await OPEN[to](settings);
    try {
      const copied = await copyTable({ source, target, mode, nowSeconds, onProgress });
      // Of what was there before: the log that it was made from may have had the same name and gone another way.
      if (to === 'sqlite') rmSync(join(settings.dataDir, INDEX_FOLDER), { recursive: true, force: true });
      return copied;
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

const OPEN: { readonly [K in StoreKind]: (settings: Settings) => Promise<Opened> } = {
  async sqlite({ dataDir }) {
    const folder = openDataFolder(dataDir);
    try {
      const table = new SqliteTable({ path: folder.databasePath });
      const whole = new SqliteWhole(table, folder.databasePath);
      return {
        name: `sqlite ${dataDir}`,
        table,
        whole,
        async close() {
          whole.close();
          await table.close();
          folder.release();
        },
      };
    } catch (error) {
      folder.release();
      throw error;
    }
  },
  async dynamodb({ table: tableName }) {
    const { openWholeDynamo } = await import('./dynamo-engine.ts'); // the SDK takes 0.2 s to load
    const { table, whole } = await openWholeDynamo(tableName);
    return { name: `dynamodb ${tableName}`, table, whole, close: () => table.close() };
  },
};

function nowSeconds(): number {
  return Math.floor(Date.now() / 1000);
}
