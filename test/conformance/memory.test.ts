import { MemoryTable } from '../support/memory-table.ts';
import { followConformance } from './follow.ts';
import { storeConformance } from './store.ts';
import { tableConformance, type MadeTable } from './table.ts';
import { readAllConformance } from './read-all.ts';
import { trimConformance } from './trim.ts';

async function makeTable(): Promise<MadeTable> {
  const table = new MemoryTable();
  return { table, other: table, dispose: () => table.close() };
}

tableConformance('memory', makeTable);
storeConformance('memory', makeTable);
followConformance('memory', makeTable);
trimConformance('memory', makeTable);
readAllConformance('memory', makeTable);
