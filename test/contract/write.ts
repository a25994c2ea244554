import { writeFileSync } from 'node:fs';
import { CONTRACTS, describe, pathOf, textOf } from './documents.ts';

// Writes the document of each version into docs/: `npm run docs:openapi`.
for (const contract of CONTRACTS) {
  const { document, examples } = await describe(contract);
  writeFileSync(pathOf(contract.api.version), textOf(document));
  console.log(`docs/openapi-v${contract.api.version}.json: ${examples.length} examples`);
}
