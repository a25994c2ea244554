import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startDynamo, type TestDynamo } from '../support/dynamo.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { brain2, MAIN, type Ended } from './brain2.ts';

const root = mkdtempSync(join(tmpdir(), 'brain2-migrate-'));
const source = join(root, 'source');
/** Some thousands of items, so that every move takes several steps. */
const NOTES = 300;
let dynamo: TestDynamo;
let proxy: FaultProxy;

beforeAll(async () => {
  dynamo = await startDynamo();
  if (dynamo.endpoint === undefined) throw new Error('tables are made here, so it needs an emulator');
  proxy = await FaultProxy.before(dynamo.endpoint);
  const lines = Array.from({ length: NOTES }, (_, n) => {
    const text = `Circadian rhythm ${n % 17} and melatonin ${n % 23}, as seen on evening ${n}.`;
    return JSON.stringify({ id: `n${n}`, title: `Evening ${n}`, text, tags: ['sleep', `t${n % 5}`] });
  });
  writeFileSync(join(root, 'notes.ndjson'), lines.join('\n'));
  await brain2(['import', join(root, 'notes.ndjson')], { data: source });
  await brain2(['token', 'create', '--owner', 'somebody-else'], { data: source });
});
afterAll(async () => {
  await proxy.close();
  await dynamo.stop();
  rmSync(root, { recursive: true, force: true });
});
beforeEach(() => {
  proxy.choose = () => undefined;
  proxy.seen.length = 0;
});

const environmentOf = (table: string) => ({
  AWS_ENDPOINT_URL_DYNAMODB: proxy.endpoint,
  BRAIN2_TABLE: table,
});

type Direction = 'to dynamodb' | 'to sqlite';
const WAY: Readonly<Record<Direction, readonly string[]>> = {
  'to dynamodb': ['migrate', '--from', 'sqlite', '--to', 'dynamodb'],
  'to sqlite': ['migrate', '--from', 'dynamodb', '--to', 'sqlite'],
};

interface Place {
  readonly data: string;
  readonly table: string;
}

const move = (direction: Direction, { data, table }: Place, ...flags: readonly string[]): Promise<Ended> =>
  brain2([...WAY[direction], ...flags, '--json'], { data, env: environmentOf(table) });

interface Report {
  readonly items: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly hash: string;
  readonly resumedAt: number;
}

function reportOf({ code, stdout, stderr }: Ended): Report {
  expect(stderr).toBe('');
  expect(code).toBe(0);
  return JSON.parse(stdout) as Report;
}

/** Starts a move, and kills it when the request that `isCut` picks is under way: that one is never answered. */
async function killedMove(
  direction: Direction,
  { data, table }: Place,
  isCut: { readonly operation: string; readonly at: number },
): Promise<void> {
  const reached = Promise.withResolvers<void>();
  proxy.choose = ({ operation }) => {
    if (operation !== isCut.operation || proxy.count(operation) < isCut.at) return undefined;
    reached.resolve();
    return 'no answer';
  };
  const child = spawn(process.execPath, [MAIN, ...WAY[direction]], {
    stdio: 'ignore',
    env: { ...process.env, BRAIN2_DATA_DIR: data, ...environmentOf(table) },
  });
  const ended = once(child, 'exit');
  await reached.promise;
  child.kill('SIGKILL');
  expect(await ended).toEqual([null, 'SIGKILL']);
  proxy.choose = () => undefined;
}

const exportOf = async (place: Place, store: string): Promise<string> => {
  const env = { BRAIN2_STORE: store, ...environmentOf(place.table) };
  const { stdout } = await brain2(['export'], { data: place.data, env });
  return stdout.split('\n').toSorted().join('\n');
};

/** An ever new copy of the source. */
function copyOfSource(name: string): string {
  const copy = join(root, name);
  cpSync(source, copy, { recursive: true });
  return copy;
}

describe('migrate', () => {
  test('[ST70] moves everything of every owner to the table and back, the same to the letter', async () => {
    const there: Place = { data: source, table: await dynamo.newTable() };
    const report = reportOf(await move('to dynamodb', there));
    expect(report.items).toBeGreaterThan(2_000);
    expect(report.counts).toMatchObject({ node: NOTES, token: 1 });
    expect(report.counts['edge']).toBeGreaterThan(0);
    const back: Place = { data: join(root, 'back'), table: there.table };
    expect(reportOf(await move('to sqlite', back))).toEqual({ ...report, from: 'dynamodb', to: 'sqlite' });
    expect(await exportOf(back, 'sqlite')).toBe(await exportOf(there, 'sqlite'));
    expect(await exportOf(there, 'dynamodb')).toBe(await exportOf(there, 'sqlite'));
  });

  test.each([
    { direction: 'to dynamodb', cut: { operation: 'BatchWriteItem', at: 60 } },
    { direction: 'to sqlite', cut: { operation: 'Scan', at: 3 } },
  ] as const)(
    '[ST71 ST72] $direction, killed in the middle, is served by nobody, goes on where it was, and ends the same',
    async ({ direction, cut }) => {
      const table = await dynamo.newTable();
      const whole = reportOf(await move('to dynamodb', { data: source, table }));
      const store = direction === 'to sqlite' ? 'sqlite' : 'dynamodb';
      const place: Place =
        store === 'sqlite'
          ? { data: join(root, 'cut'), table }
          : { data: copyOfSource('cut-source'), table: await dynamo.newTable() };
      proxy.seen.length = 0;
      await killedMove(direction, place, cut);

      const refused = await move(direction, place);
      expect(refused.code).toBe(4);
      expect(refused.stderr).toContain('--resume');
      const served = await brain2(['export'], {
        data: place.data,
        env: { BRAIN2_STORE: store, ...environmentOf(place.table) },
      });
      expect(served.code).toBe(4);
      expect(served.stderr).toContain('is not whole');

      const moved =
        store === 'sqlite'
          ? await move('to dynamodb', { data: place.data, table: await dynamo.newTable() })
          : await move('to sqlite', { data: join(root, 'away'), table: place.table });
      expect(moved.code).toBe(4);
      expect(moved.stderr).toContain('is not whole');

      const resumed = reportOf(await move(direction, place, '--resume'));
      expect(resumed.resumedAt).toBeGreaterThan(0);
      expect(resumed.resumedAt).toBeLessThan(whole.items);
      expect(resumed).toMatchObject({ items: whole.items, hash: whole.hash, counts: whole.counts });
    },
  );

  test('[ST73] changes nothing of a target that holds something, but with --force deletes that', async () => {
    const table = await dynamo.newTable();
    const place: Place = { data: source, table };
    const env = { BRAIN2_STORE: 'dynamodb', ...environmentOf(table) };
    await brain2(['add', 'Something of its own'], { data: join(root, 'indexes'), env });
    const before = await exportOf(place, 'dynamodb');
    for (const flags of [[], ['--resume']]) {
      const refused = await move('to dynamodb', place, ...flags);
      expect(refused.code).toBe(4);
      expect(refused.stderr).toContain('is not empty');
    }
    expect(await exportOf(place, 'dynamodb')).toBe(before);
    const report = reportOf(await move('to dynamodb', place, '--force'));
    expect(report.counts).toMatchObject({ node: NOTES });
    expect(await exportOf(place, 'dynamodb')).toBe(await exportOf(place, 'sqlite'));
  });

  test('[ST73] does not go on with the move of another store', async () => {
    const place: Place = { data: copyOfSource('one'), table: await dynamo.newTable() };
    await killedMove('to dynamodb', place, { operation: 'BatchWriteItem', at: 60 });
    const other = await move('to dynamodb', { ...place, data: copyOfSource('two') }, '--resume');
    expect(other.code).toBe(4);
    expect(other.stderr).toContain(place.data);
  });

  test('[ST60 ST70] loses nothing where DynamoDB leaves changes undone, turns requests away and loses answers', async () => {
    const place: Place = { data: source, table: await dynamo.newTable() };
    const faults = ['half of it undone', 'throttled', 'answer lost', 'failed after it was done'] as const;
    proxy.choose = ({ operation }) =>
      operation === 'BatchWriteItem' && proxy.seen.length % 3 === 0
        ? faults[(proxy.seen.length / 3) % faults.length]
        : undefined;
    const spoilt = reportOf(await move('to dynamodb', place));
    proxy.choose = () => undefined;
    const plain = reportOf(await move('to dynamodb', { data: source, table: await dynamo.newTable() }));
    expect(spoilt).toEqual(plain);
  });

  test('says what is wrong with what it is asked', async () => {
    const table = await dynamo.newTable();
    const run = (...args: readonly string[]) =>
      brain2(['migrate', ...args], { data: source, env: environmentOf(table) });
    expect((await run('--from', 'sqlite', '--to', 'sqlite')).code).toBe(2);
    expect((await run('--from', 'sqlite')).code).toBe(2);
    expect((await run('--from', 'sqlite', '--to', 'dynamodb', '--resume', '--force')).code).toBe(2);
    const nothing = join(root, 'nothing');
    const none = await move('to dynamodb', { data: nothing, table });
    expect(none.code).toBe(3);
    expect(none.stderr).toContain(nothing);
    expect(existsSync(nothing)).toBe(false);
    const noTable = await move('to dynamodb', { data: source, table: 'none-such' });
    expect(noTable.code).toBe(3);
    expect(noTable.stderr).toContain('brain2 table create');
  });
});
