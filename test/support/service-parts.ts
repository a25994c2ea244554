import { importReader } from '../../src/server/import-reader.ts';
import { zipOfExport } from '../../src/server/vault-writer.ts';
import { createLog } from '../../src/shared/log.ts';
import type { Table } from '../../src/storage/table.ts';
import { tableBlobs } from '../../src/storage/table-blobs.ts';
import { vaultWorkers } from '../../src/server/vault-workers.ts';

/** What services need beside a store, for a test that makes them itself: a log that says nothing, and real formats. */
export const serviceParts = (table: Table) => ({
  log: createLog({ level: 'silent', format: 'json' }),
  blobs: tableBlobs(table, () => Math.floor(Date.now() / 1000)),
  formats: { reader: importReader(vaultWorkers({})), writeVault: zipOfExport },
});
