import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { isBrainError } from '../../src/domain/error.ts';
import { dynamoClient } from '../../src/storage/dynamodb/dynamo-client.ts';
import type { DynamoTable } from '../../src/storage/dynamodb/dynamo-table.ts';
import { DynamoWhole } from '../../src/storage/dynamodb/dynamo-whole.ts';
import type { PatienceLimits } from '../../src/storage/dynamodb/patience.ts';
import { TABLE_LIMITS, type Item, type Op } from '../../src/storage/table.ts';
import { startDynamo, type TestDynamo } from '../support/dynamo.ts';
import { FaultProxy, type Fault } from '../support/fault-proxy.ts';

/** Short, so that a test of what is given up ends; long enough that nothing else is. */
const PATIENCE: PatienceLimits = {
  deadlineMs: 5_000,
  attemptMs: 250,
  attempts: 3,
  pauseMs: 1,
  longestPauseMs: 8,
};

const item = (pk: string, sk: string, ver?: number): Item => ({
  pk,
  sk,
  et: 'test.1',
  j: JSON.stringify(sk),
  ...(ver !== undefined && { ver }),
});

const put = (...items: readonly Item[]): Op[] => items.map((i) => ({ put: i }));

describe('the table on a DynamoDB that fails', () => {
  let dynamo: TestDynamo;
  let proxy: FaultProxy;
  let table: DynamoTable;
  let direct: DynamoTable;
  let tableName: string;
  let partitions = 0;
  const fresh = (): string => `p${++partitions}`;

  beforeAll(async () => {
    dynamo = await startDynamo();
    if (dynamo.endpoint === undefined) throw new Error('faults are injected in front of an emulator');
    proxy = await FaultProxy.before(dynamo.endpoint);
    tableName = await dynamo.newTable();
    direct = dynamo.open(tableName);
    table = dynamo.open(tableName, { endpoint: proxy.endpoint, patience: PATIENCE });
  });
  afterAll(async () => {
    await table.close();
    await direct.close();
    await proxy.close();
    await dynamo.stop();
  });
  beforeEach(() => {
    proxy.choose = () => undefined;
    proxy.seen.length = 0;
  });

  /** The first `times` requests of the operation go wrong in this way. */
  const spoil = (operation: string, fault: Fault, times: number): void => {
    let left = times;
    proxy.choose = (request) => (request.operation === operation && left-- > 0 ? fault : undefined);
  };

  const sortKeys = async (pk: string): Promise<string[]> => (await direct.query(pk)).items.map((i) => i.sk);

  const refusals: Fault[] = ['throttled', 'conflict', 'request lost'];
  const doubts: Fault[] = [
    'answer lost',
    'answer cut',
    'failed after it was done',
    'no answer',
    'done too late',
  ];

  test.each([...refusals, ...doubts])(
    '[ST60 ST62] a transaction whose request is spoilt (%s) is applied once, and said to be applied',
    async (fault) => {
      const pk = fresh();
      spoil('TransactWriteItems', fault, 2);
      const once: Op[] = [{ put: item(pk, 'a', 1), if: 'absent' }, ...put(item(pk, 'b'))];
      expect(await table.transact([once])).toEqual({ applied: 1 });
      expect(await sortKeys(pk)).toEqual(['a', 'b']);
      expect(proxy.count('TransactWriteItems')).toBe(3);
      expect(new Set(proxy.seen.map((request) => request.body)).size).toBe(1);
    },
  );

  test.each(refusals)(
    '[ST60] what is always spoilt before it is done (%s) is given up as `unavailable`, after so many attempts, and nothing is applied',
    async (fault) => {
      const pk = fresh();
      spoil('TransactWriteItems', fault, Infinity);
      const error: unknown = await table.transact([put(item(pk, 'a'))]).catch((e: unknown) => e);
      const expected = fault === 'request lost' ? 'timeout' : 'unavailable'; // a lost request looks like a lost answer
      expect(isBrainError(error, expected)).toBe(true);
      expect(proxy.count('TransactWriteItems')).toBe(PATIENCE.attempts);
      expect(await sortKeys(pk)).toEqual([]);
    },
  );

  test.each(doubts)(
    '[ST63] of a transaction whose answer never comes (%s) nobody says that it was not applied',
    async (fault) => {
      const pk = fresh();
      spoil('TransactWriteItems', fault, Infinity);
      await expect(table.transact([put(item(pk, 'a'))])).rejects.toMatchObject({
        code: 'timeout',
        message: expect.stringContaining('may have been done') as string,
        details: { attempts: PATIENCE.attempts },
      });
      expect(await sortKeys(pk)).toEqual(['a']);
    },
  );

  test('[ST64] a condition that does not hold is told from a conflict, and which operation it was', async () => {
    const pk = fresh();
    await direct.transact([put(item(pk, 'a', 1))]);
    spoil('TransactWriteItems', 'conflict', 1);
    const stale: Op = { put: item(pk, 'a', 3), if: { ver: 2 } };
    expect(await table.transact([[...put(item(pk, 'b')), stale]])).toEqual({
      applied: 0,
      refused: { op: stale },
    });
    expect(proxy.count('TransactWriteItems')).toBe(2);
  });

  test('[ST65] of a series that is cut short, what came before is said to be applied', async () => {
    const pk = fresh();
    proxy.choose = ({ body }) => (body.includes('third') ? 'throttled' : undefined);
    const series = ['first', 'second', 'third', 'fourth'].map((sk) => put(item(pk, sk)));
    expect(await table.transact(series)).toEqual({ applied: 2 });
    expect(await sortKeys(pk)).toEqual(['first', 'second']);
    proxy.choose = ({ body }) => (body.includes('third') ? 'answer lost' : undefined);
    await expect(table.transact(series)).rejects.toMatchObject({ code: 'timeout' });
  });

  test('[ST61] keys left unread are asked for again until all are read, and none is given twice', async () => {
    const pk = fresh();
    const items = Array.from({ length: 230 }, (_, n) => item(pk, `k${String(n).padStart(3, '0')}`));
    await direct.transact([
      put(...items.slice(0, 100)),
      put(...items.slice(100, 200)),
      put(...items.slice(200)),
    ]);
    let batches = 0;
    proxy.choose = () => (batches++ % 3 < 2 ? 'half of it undone' : undefined);
    const found = await table.batchGet(items);
    expect(found.toSorted((a, b) => (a.sk < b.sk ? -1 : 1))).toEqual(items);
    expect(await table.has([...items, { pk, sk: 'none' }])).toHaveLength(230);
  });

  test('[ST61] keys that are always left unread are given up as `unavailable`', async () => {
    const pk = fresh();
    await direct.transact([put(item(pk, 'a'))]);
    spoil('BatchGetItem', 'half of it undone', Infinity);
    await expect(table.batchGet([{ pk, sk: 'a' }])).rejects.toMatchObject({
      code: 'unavailable',
      details: { attempts: PATIENCE.attempts },
    });
    expect(proxy.count('BatchGetItem')).toBe(PATIENCE.attempts);
  });

  test.each<Fault>(['throttled', ...doubts, 'request lost'])(
    '[ST60] every read is asked for again (%s), and given up when it stays so',
    async (fault) => {
      const pk = fresh();
      const stored = Array.from({ length: 4 }, (_, n) => item(pk, `k${n}`));
      await direct.transact([put(...stored)]);
      const reads = {
        GetItem: () => table.get({ pk, sk: 'k0' }),
        BatchGetItem: () => table.batchGet(stored),
        Query: () => table.query(pk),
      };
      for (const [operation, read] of Object.entries(reads)) {
        proxy.choose = () => undefined;
        const right = await read();
        spoil(operation, fault, 2);
        expect(await read()).toEqual(right);
        spoil(operation, fault, Infinity);
        await expect(read()).rejects.toMatchObject({
          code: fault === 'throttled' ? 'unavailable' : 'timeout',
        });
      }
    },
  );

  test('[ST1] a copy that lags behind is never read: every read asks for what is current', async () => {
    const pk = fresh();
    const key = { pk, sk: 'a' };
    proxy.choose = () => 'stale';
    for (const ver of [1, 2, 3]) {
      await table.transact([put(item(pk, 'a', ver))]);
      expect(await table.get(key)).toEqual(item(pk, 'a', ver));
      expect(await table.batchGet([key])).toEqual([item(pk, 'a', ver)]);
      expect((await table.query(pk)).items).toEqual([item(pk, 'a', ver)]);
    }
    // The fault itself: who does not ask for it is given what was.
    const client = dynamoClient({ AWS_ENDPOINT_URL_DYNAMODB: proxy.endpoint });
    const versions: (string | undefined)[] = [];
    for (const ver of [4, 5]) {
      await table.transact([put(item(pk, 'a', ver))]);
      const read = await client.send(
        new GetItemCommand({ TableName: tableName, Key: { pk: { S: pk }, sk: { S: 'a' } } }),
      );
      versions.push(read.Item?.['ver']?.N);
    }
    client.destroy();
    expect(versions).toEqual(['4', '4']);
  });

  test('[ST60] the deadline ends a call whatever attempts are left', async () => {
    const hasty = dynamo.open('any', {
      endpoint: proxy.endpoint,
      patience: { ...PATIENCE, deadlineMs: 50, attempts: Infinity },
    });
    proxy.choose = () => 'throttled';
    // The last attempt may be cut off before it is answered.
    await expect(hasty.get({ pk: 'p', sk: 's' })).rejects.toMatchObject({
      code: expect.stringMatching(/unavailable|timeout/) as string,
    });
    proxy.choose = () => 'no answer';
    await expect(hasty.get({ pk: 'p', sk: 's' })).rejects.toMatchObject({ code: 'timeout' });
    await hasty.close();
  });

  test('[ST60] a batch of a move that is not written when patience ends fails the move', async () => {
    const client = dynamoClient({ AWS_ENDPOINT_URL_DYNAMODB: proxy.endpoint });
    const whole = new DynamoWhole({ client, tableName, patience: PATIENCE });
    const changes = Array.from({ length: 60 }, (_, n) => ({ put: item('moved', String(n)) }));
    spoil('BatchWriteItem', 'throttled', Infinity);
    await expect(whole.write(changes)).rejects.toMatchObject({ code: 'unavailable' });
    client.destroy();
  });

  test('[ST11] what is above a limit is refused before anything is sent', async () => {
    const large = { ...item('p', 'a'), j: 'x'.repeat(TABLE_LIMITS.itemBytes) };
    await expect(table.transact([put(item('p', 'b')), put(large)])).rejects.toMatchObject({
      code: 'too_large',
    });
    expect(proxy.seen).toEqual([]);
  });

  test('[ST60] nobody is there: `unavailable`, and a table that is not there says how it is made', async () => {
    const nobody = await FaultProxy.before('http://127.0.0.1:1');
    const { endpoint } = nobody;
    await nobody.close();
    const lost = dynamo.open('any', { endpoint, patience: PATIENCE });
    await expect(lost.get({ pk: 'p', sk: 's' })).rejects.toMatchObject({ code: 'unavailable' });
    await expect(lost.transact([put(item('p', 's'))])).rejects.toMatchObject({ code: 'unavailable' });
    await lost.close();
    const none = dynamo.open('no-such-table', { patience: PATIENCE });
    await expect(none.get({ pk: 'p', sk: 's' })).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('brain2 table create') as string,
    });
    await none.close();
  });
});
