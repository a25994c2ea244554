import { readFileSync } from 'node:fs';
import { createConfig, formatProblems, getTotals, lintFromString, type Plugin } from '@redocly/openapi-core';
import { pathOf } from './committed.ts';
import { CONTRACTS } from './documents.ts';
import { boundsPlugin } from './lint-bounds.ts';

// Lints each committed document, offline: `npm run check:contracts`. Nothing is only a warning.

const RULES = [
  'array-parameter-serialization',
  'bounds/bounded-requests',
  'component-name-unique',
  'info-license-strict',
  'no-duplicated-enum-values',
  'no-duplicated-tag-names',
  'no-empty-servers',
  'no-enum-type-mismatch',
  'no-identical-paths',
  'no-illogical-composition-keywords',
  'no-invalid-media-type-examples',
  'no-invalid-parameter-examples',
  'no-invalid-schema-examples',
  'no-mixed-number-range-constraints',
  'no-path-trailing-slash',
  'no-required-schema-properties-undefined',
  'no-schema-type-mismatch',
  'no-unsafe-markdown',
  'no-unused-components',
  'operation-2xx-response',
  'operation-4xx-response',
  'operation-description',
  'operation-operationId',
  'operation-operationId-unique',
  'operation-operationId-url-safe',
  'operation-parameters-unique',
  'operation-singular-tag',
  'operation-summary',
  'operation-tag-defined',
  'parameter-description',
  'path-declaration-must-exist',
  'path-http-verbs-order',
  'path-not-include-query',
  'path-parameters-defined',
  'path-params-defined',
  'paths-kebab-case',
  'spec-components-invalid-map-name',
  'spec-example-values',
  'spec-strict-refs',
  'tag-description',
] as const;

const OFF = {
  // A fixed word and an id at one place of a path: the fixed word is no id, so nothing is ambiguous.
  'no-ambiguous-paths': 'off',
  // v1 has /nodes/bulk-delete, and keeps it.
  'no-http-verbs-in-paths': 'off',
} as const;

const config = await createConfig(
  {
    extends: ['recommended-strict'],
    plugins: [boundsPlugin as unknown as Plugin],
    rules: { ...Object.fromEntries(RULES.map((rule) => [rule, 'error'])), ...OFF },
  },
  {},
);

let found = 0;
for (const { api } of CONTRACTS) {
  const path = pathOf(api.version);
  const problems = await lintFromString({
    source: readFileSync(path, 'utf8'),
    absoluteRef: path.pathname,
    config,
  });
  const totals = getTotals(problems);
  formatProblems(problems, { format: 'stylish', totals, version: '', maxProblems: 100 });
  found += totals.errors + totals.warnings;
  console.log(`${path.pathname.split('/').at(-1)}: ${totals.errors} errors, ${totals.warnings} warnings`);
}
process.exitCode = found > 0 ? 1 : 0;
