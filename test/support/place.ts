import { basename } from 'node:path';
import { DEFAULTS, type Settings } from '../../src/server/settings.ts';

/** The engine that the tests of the whole run on: SQLite, or with `npm run test:dynamodb` the other. */
export const STORE = process.env['BRAIN2_TEST_STORE'] === 'dynamodb' ? 'dynamodb' : 'sqlite';

/** On DynamoDB each folder has a table of its own. */
export const settingsOf = (dataDir: string): Settings => ({
  ...DEFAULTS,
  dataDir,
  port: 0,
  logLevel: 'silent',
  store: STORE,
  table: basename(dataDir),
});

/** The same, and the table is there. */
export async function placeOf(dataDir: string): Promise<Settings> {
  const settings = settingsOf(dataDir);
  if (settings.store === 'sqlite') return settings;
  const { createTableOf } = await import('../../src/server/tables.ts');
  await createTableOf(settings);
  return settings;
}

/** The same for a process; a test that has named a table for all of its servers keeps that. */
export async function environmentOf(dataDir: string): Promise<Readonly<Record<string, string>>> {
  if (STORE === 'sqlite' || process.env['BRAIN2_TABLE'] !== undefined) return {};
  const { table } = await placeOf(dataDir);
  return { BRAIN2_STORE: STORE, BRAIN2_TABLE: table };
}
