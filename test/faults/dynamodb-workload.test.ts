import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ApiError, brainClient, type BrainClient } from '../../src/client/http-client.ts';
import { httpTransport } from '../../src/client/http-transport.ts';
import { readSettings } from '../../src/server/settings.ts';
import { verify } from '../../src/server/verify.ts';
import { startDynamo, type TestDynamo } from '../support/dynamo.ts';
import { FaultProxy, type Fault, type Seen } from '../support/fault-proxy.ts';
import { Ledger } from './ledger.ts';
import type { Expectation, Facts } from './oracle.ts';
import { KILLS, SEED, seeded } from './seed.ts';
import { listening, type ServerProcess } from './server-process.ts';
import { Writer } from './writer.ts';

// Two servers on one table write what a seed says, over a DynamoDB of whose requests one in eight goes wrong.

const WRITES_EACH = KILLS * 15;
const SPOILT_OF = 8;
const FAULTS: readonly Fault[] = [
  'throttled',
  'request lost',
  'answer lost',
  'answer cut',
  'answered slowly',
  'failed after it was done',
  'stale',
];
const OF_OPERATION: Readonly<Record<string, readonly Fault[]>> = {
  TransactWriteItems: ['conflict', 'conflict'],
  BatchGetItem: ['half of it undone', 'half of it undone'],
};

const root = mkdtempSync(join(tmpdir(), 'brain2-workload-'));
const random = seeded(SEED);
const injected = new Map<Fault, number>();
let dynamo: TestDynamo;
let proxy: FaultProxy;
let table: string;
let servers: readonly ServerProcess[];

function choose({ operation }: Seen): Fault | undefined {
  if (random.below(SPOILT_OF) > 0) return undefined;
  const fault = random.pick([...FAULTS, ...(OF_OPERATION[operation] ?? [])]);
  injected.set(fault, (injected.get(fault) ?? 0) + 1);
  return fault;
}

beforeAll(async () => {
  dynamo = await startDynamo();
  if (dynamo.endpoint === undefined) throw new Error('faults are injected in front of an emulator');
  proxy = await FaultProxy.before(dynamo.endpoint);
  table = await dynamo.newTable();
  process.env['BRAIN2_STORE'] = 'dynamodb';
  process.env['BRAIN2_TABLE'] = table;
  process.env['AWS_ENDPOINT_URL_DYNAMODB'] = proxy.endpoint;
  servers = await Promise.all(['a', 'b'].map((name) => listening(join(root, name))));
});
afterAll(async () => {
  await Promise.all(servers.map((server) => server.stop()));
  await proxy.close();
  await dynamo.stop();
  rmSync(root, { recursive: true, force: true });
});

function isSo(found: object | undefined, facts: Facts | 'gone'): boolean {
  if (!found) return facts === 'gone';
  return (
    facts !== 'gone' &&
    Object.entries(facts).every(([field, is]) => isDeepStrictEqual(found[field as never], is))
  );
}

/** Everything that the API says there is, by its id. */
async function everything(
  client: BrainClient,
): Promise<Readonly<Record<Expectation['kind'], Map<string, object>>>> {
  const { nodes, edges } = await client.graph();
  const { items: categories } = await client.categories.list();
  const whole = await Promise.all(nodes.map(({ id }) => client.nodes.get(id)));
  const byId = (all: readonly { readonly id: string }[]) => new Map(all.map((one) => [one.id, one]));
  return { nodes: byId(whole), edges: byId(edges), categories: byId(categories) };
}

describe(`two servers over a failing DynamoDB, seed ${SEED}`, () => {
  test('[ST60 ST62 ST64 ST67] every write is answered, none is lost and none is done twice', async () => {
    proxy.choose = choose;
    const ledger = new Ledger();
    let doubts = 0;
    /** A slow machine may not be done in the 10 s of a request; then the answer is that it may have been done. */
    const doubted = (error: unknown): void => {
      if (!(error instanceof ApiError && /^(?:timeout|unavailable)$/.test(error.problem.code))) throw error;
      doubts += 1;
    };
    const clients = servers.map(({ url }) => brainClient(httpTransport(url)));
    await Promise.all(
      clients.map(async (client, at) => {
        const writer = new Writer(ledger, seeded(SEED * 100 + at));
        for (let n = 0; n < WRITES_EACH; n++) await writer.write(client).catch(doubted);
      }),
    );
    proxy.choose = () => undefined;
    expect(injected.size).toBeGreaterThan(FAULTS.length / 2);

    const [client] = clients as [BrainClient];
    const is = await everything(client);
    const expected = [...ledger.expectations];
    for (const { kind, id, anyOf } of expected) {
      const found = is[kind].get(id);
      expect(anyOf.some((facts) => isSo(found, facts))).toBe(true);
    }
    // Nothing else is there either, but for creations of which nobody was told; edges that link by themselves aside.
    const others = (['nodes', 'categories'] as const).flatMap((kind) => {
      const told = new Set(expected.map(({ id }) => id));
      return [...is[kind].keys()].filter((id) => !told.has(id));
    });
    expect(others.length).toBeLessThanOrEqual(doubts);
    expect(doubts).toBeLessThan(WRITES_EACH);

    const { problems, owners } = await verify(readSettings(process.env));
    expect(problems).toEqual([]);
    expect(owners.length).toBeGreaterThan(0);
  });
});
