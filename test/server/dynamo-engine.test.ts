import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateTableCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openEngine } from '../../src/server/engines.ts';
import { readSettings, type Settings } from '../../src/server/settings.ts';
import { createTableOf, tableStatusOf } from '../../src/server/tables.ts';
import { ownerId } from '../../src/domain/values.ts';
import { dynamoClient } from '../../src/storage/dynamodb/dynamo-client.ts';
import { brain2 } from '../cli/brain2.ts';
import { startDynamo, type TestDynamo } from '../support/dynamo.ts';

const root = mkdtempSync(join(tmpdir(), 'brain2-engine-'));
const OWNER = ownerId('o');
let dynamo: TestDynamo;
let tables = 0;
const CLOCK = { nowSeconds: () => Math.floor(Date.now() / 1000) };

beforeAll(async () => {
  dynamo = await startDynamo();
  if (dynamo.endpoint === undefined) throw new Error('tables are made here, so it needs an emulator');
  process.env['AWS_ENDPOINT_URL_DYNAMODB'] = dynamo.endpoint;
});
afterAll(async () => {
  await dynamo.stop();
  rmSync(root, { recursive: true, force: true });
});

/** Of a table that is not there yet. */
function settingsOf(folder: string): Settings {
  const environment = { BRAIN2_STORE: 'dynamodb', BRAIN2_TABLE: `engine-${++tables}` };
  return readSettings(environment, { dataDir: join(root, folder), logLevel: 'silent' });
}

describe('the table', () => {
  test('is made, paid by use and protected; making it again changes nothing', async () => {
    const settings = settingsOf('made');
    await expect(tableStatusOf(settings)).rejects.toMatchObject({ code: 'not_found' });
    const made = await createTableOf(settings);
    expect(made).toMatchObject({
      name: settings.table,
      state: 'ACTIVE',
      billing: 'on demand',
      ttl: 'on',
      deletionProtection: 'on',
    });
    expect(await createTableOf(settings)).toEqual(made);
    expect(await tableStatusOf(settings)).toEqual(made);
  });

  test('of other keys is refused as `conflict`, and nothing of it is changed', async () => {
    const settings = settingsOf('other');
    const client = dynamoClient(process.env);
    await client.send(
      new CreateTableCommand({
        TableName: settings.table,
        AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
        KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
        BillingMode: 'PAY_PER_REQUEST',
      }),
    );
    client.destroy();
    await expect(createTableOf(settings)).rejects.toMatchObject({ code: 'conflict' });
    await expect(openEngine(settings, CLOCK)).rejects.toMatchObject({ code: 'conflict' });
  });
});

describe('the engine', () => {
  test('of a table that is not there is refused, and says how it is made', async () => {
    await expect(openEngine(settingsOf('none'), CLOCK)).rejects.toMatchObject({
      code: 'not_found',
      message: expect.stringContaining('brain2 table create') as string,
    });
  });

  test('gives servers that start at the same time one key, and knows whether the table is new', async () => {
    const settings = settingsOf('key');
    await createTableOf(settings);
    const engines = await Promise.all(Array.from({ length: 5 }, () => openEngine(settings, CLOCK)));
    const keys = new Set(engines.map(({ home }) => Buffer.from(home.key).toString('hex')));
    expect(keys.size).toBe(1);
    expect([...keys][0]).toHaveLength(64);
    expect(engines.filter(({ home }) => home.isNew)).toHaveLength(1);
    await Promise.all(engines.map(({ table }) => table.close()));
  });

  test('keeps copies of indexes in the data folder, which several servers may share', async () => {
    const settings = settingsOf('shared');
    await createTableOf(settings);
    const [one, two] = [await openEngine(settings, CLOCK), await openEngine(settings, CLOCK)];
    expect(await one.home.loadIndex(OWNER)).toBeUndefined();
    const versions = Array.from({ length: 20 }, (_, n) => new Uint8Array(1000).fill(n));
    await Promise.all(
      versions.map((bytes, n) =>
        (n % 2 ? one : two).home.saveIndex(OWNER, [bytes.subarray(0, 9), bytes.subarray(9)]),
      ),
    );
    const loaded = await two.home.loadIndex(OWNER);
    expect(versions).toContainEqual(loaded);
    expect(readdirSync(join(settings.dataDir, 'tables', settings.table))).toEqual(['o.idx']);
    await Promise.all([one.table.close(), two.table.close()]);
  });

  test('[ST66] answers an item that was changed by another hand with `corrupt`', async () => {
    const settings = settingsOf('corrupt');
    await createTableOf(settings);
    const { table } = await openEngine(settings, CLOCK);
    const item = { pk: 'p', sk: 's', et: 'test.1', j: '"as written"' };
    await table.transact([[{ put: item }]]);
    const client = dynamoClient(process.env);
    const edited = {
      pk: { S: 'p' },
      sk: { S: 's' },
      et: { S: 'test.1' },
      j: { S: '"edited"' },
      sum: { N: '1' },
    };
    await client.send(new PutItemCommand({ TableName: settings.table, Item: edited }));
    client.destroy();
    for (const read of [() => table.get(item), () => table.batchGet([item]), () => table.query('p')]) {
      await expect(read()).rejects.toMatchObject({ code: 'corrupt' });
    }
    await table.close();
  });
});

describe('the command line', () => {
  test('makes a table, works on it without a server, and finds it healthy', async () => {
    const env = { BRAIN2_STORE: 'dynamodb', BRAIN2_TABLE: `engine-${++tables}` };
    const run = { data: join(root, 'cli'), env };
    expect(await brain2(['doctor'], run)).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/problem +table .*\n +fix: brain2 table create/) as string,
    });
    expect(await brain2(['show', 'Tea'], run)).toMatchObject({ code: 3 });
    const made = await brain2(['table', 'create', '--json'], run);
    expect(made.code).toBe(0);
    expect(JSON.parse(made.stdout)).toMatchObject({ name: env.BRAIN2_TABLE, state: 'ACTIVE' });
    expect((await brain2(['add', 'Tea keeps me awake', '--title', 'Tea'], run)).code).toBe(0);
    expect((await brain2(['show', 'Tea'], run)).stdout).toContain('Tea keeps me awake');
    const healthy = await brain2(['doctor'], run);
    expect(healthy).toMatchObject({ code: 0, stdout: expect.stringMatching(/ok +table +engine-/) as string });
    expect(healthy.stdout).toMatch(/ok +graph +1 note,/);
  });

  test('verifies a table beside whoever serves it, and names what another hand has changed', async () => {
    const settings = settingsOf('verified');
    const env = { BRAIN2_STORE: 'dynamodb', BRAIN2_TABLE: settings.table };
    const run = { data: settings.dataDir, env };
    await createTableOf(settings);
    expect((await brain2(['add', 'Tea keeps me awake', '--tag', 'tea'], run)).code).toBe(0);
    const sound = await brain2(['verify', '--json'], run);
    expect(sound.code).toBe(0);
    expect(JSON.parse(sound.stdout)).toMatchObject({
      ok: true,
      of: settings.table,
      owners: [{ owner: 'local', nodes: 1, events: 1, compared: 1 }],
    });
    const { table } = await openEngine(settings, CLOCK);
    const [tag] = (await table.query('local#T')).items;
    await table.transact([[{ del: tag! }]]);
    await table.close();
    const wrong = await brain2(['verify', '--json'], run);
    expect(wrong.code).toBe(1);
    expect(JSON.parse(wrong.stdout)).toMatchObject({
      ok: false,
      problems: [
        { kind: 'index_row', owner: 'local', key: `${tag?.pk} ${tag?.sk}`, message: 'is not there' },
      ],
    });
    expect(await brain2(['backup', join(root, 'a.sqlite')], run)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('last 35 days') as string,
    });
  });

  test('says which names a table may have', () => {
    expect(() => readSettings({ BRAIN2_STORE: 'dynamodb', BRAIN2_TABLE: 'no/such' })).toThrow('BRAIN2_TABLE');
    expect(() => readSettings({ BRAIN2_STORE: 'postgres' })).toThrow('sqlite, dynamodb');
  });
});
