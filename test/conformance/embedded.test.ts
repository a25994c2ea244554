import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SqliteTable } from '../../src/storage/embedded/sqlite-table.ts';
import { followConformance } from './follow.ts';
import { storeConformance } from './store.ts';
import { tableConformance, type MadeTable } from './table.ts';
import { readAllConformance } from './read-all.ts';
import { trimConformance } from './trim.ts';

async function makeTable(): Promise<MadeTable> {
  const folder = await mkdtemp(join(tmpdir(), 'brain2-conformance-'));
  const path = join(folder, 'brain2.db');
  const table = new SqliteTable({ path });
  const other = new SqliteTable({ path });
  return {
    table,
    other,
    async dispose() {
      await Promise.all([table.close(), other.close()]);
      await rm(folder, { recursive: true });
    },
  };
}

tableConformance('SQLite', makeTable);
storeConformance('SQLite', makeTable);
followConformance('SQLite', makeTable);
trimConformance('SQLite', makeTable);
readAllConformance('SQLite', makeTable);
