// Imports a folder in this process and writes how long each stage took to stdout, as JSON.
// node bench/import-stages.ts VAULT DATA
import { collectionOf } from '../src/vault/collection.ts';
import { LIMITS } from '../src/domain/limits.ts';
import { connect } from '../src/server/connect.ts';
import { readSettings } from '../src/server/settings.ts';
import { readVault } from '../src/vault/read-vault.ts';

export type Stage = 'read' | 'open' | 'store' | 'links' | 'close';

const [path = '', dataDir = ''] = process.argv.slice(2);
const stages: Partial<Record<Stage, number>> = {};
let last = performance.now();
function end(stage: Stage): void {
  const now = performance.now();
  stages[stage] = (stages[stage] ?? 0) + now - last;
  last = now;
}

const vault = await readVault(path, { categories: 'none', maxNoteBytes: LIMITS.contentBytes });
end('read');
const { client, close } = await connect(readSettings({}, { dataDir }));
end('open');
const collection = collectionOf(path, { name: undefined, notes: vault.notes, isFolder: true });
for await (const event of client.import(collection.notes(), { collection: collection.name })) {
  if (event.type === 'item') end('store');
  else if (event.type === 'progress') end(event.stage);
  else if (event.type === 'summary') end('links');
}
await close();
end('close');
console.log(JSON.stringify(stages));
