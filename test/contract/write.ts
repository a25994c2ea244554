import { writeFileSync } from 'node:fs';
import { pathOf, releasedPathOf } from './committed.ts';
import { CONTRACTS, describe, releasedTextOf, textOf } from './documents.ts';

// Writes the document of each version into docs/: `npm run docs:openapi`. With `--release` it becomes what the next
// ones are compared with: they may only add to it.
const isRelease = process.argv.includes('--release');
for (const contract of CONTRACTS) {
  const { document, examples } = await describe(contract);
  writeFileSync(pathOf(contract.api.version), textOf(document));
  if (isRelease) writeFileSync(releasedPathOf(contract.api.version), releasedTextOf(document));
  console.log(`docs/openapi-v${contract.api.version}.json: ${examples.length} examples`);
}
