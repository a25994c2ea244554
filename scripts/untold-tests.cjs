// node scripts/untold-tests.cjs REPORT   the test files of which a report of vitest has no result, one a line
const { readFileSync, readdirSync } = require('node:fs');
const { join, relative, resolve } = require('node:path');

const root = resolve(__dirname, '..');
const { testResults } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const told = new Set(
  testResults
    .filter(({ assertionResults }) => assertionResults.length > 0)
    .map(({ name }) => relative(root, name)),
);
const files = ['src', 'test'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true }).map((file) => join(folder, file)),
);
for (const file of files) if (file.endsWith('.test.ts') && !told.has(file)) console.log(file);
