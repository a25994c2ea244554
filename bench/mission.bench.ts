#!/usr/bin/env node
// node bench/mission.bench.ts [--notes N] [--bulk N] [--repeats N] [--rate N] [--seconds N]
import { connectBrain } from '../src/client/client.ts';
import { brainClient, type BrainClient } from '../src/client/http-client.ts';
import { httpTransport } from '../src/client/http-transport.ts';
import { mapConcurrent } from '../src/shared/map-concurrent.ts';
import { allPairs, WORKERS } from './all-pairs.ts';
import { goal, numbers, percentile, spread, table } from './figures.ts';
import { putLoad, type LoadRequest } from './load.ts';
import { machine } from './machine.ts';
import { query, seeded, syntheticVault, type VaultNote } from './make-vault.ts';
import { prepared } from './prepared.ts';
import { startReadyBrain2, temporaryFolder } from './processes.ts';

/** Beside single writes a bulk goes in smaller rounds: it begins when the creates before it are over for so long. */
const QUIET_MS = 1_100;
const BULK_BAR_MS = 1_000;
const PARALLEL_BAR_MS = 100;
const SOCKET_BAR_MS = 50;
const WARM_UP = 3;
const WARM_UP_S = 2;
/** As a browser or a script would send them side by side. */
const AT_ONCE = 6;

const { notes, bulk, repeats, rate, seconds, connections, events } = numbers({
  notes: 10_000,
  bulk: 100,
  repeats: 15,
  rate: 200,
  seconds: 10,
  connections: 20,
  events: 200,
});
const folder = temporaryFolder();

console.log(`## The bar that was set\n\n${machine()}\n`);
console.log(
  `A graph of ${notes} notes, over HTTP, every note durable and linked when it is answered. ${bulk} notes at once, new each ` +
    `time, ${repeats} times after ${WARM_UP} that do not count, the ways in turn; all pairs (Jaccard of keywords, in its ` +
    `best form) stores nothing. Parallel operations: ${rate} a second for ${seconds} s on a fixed schedule over ` +
    `${connections} connections, two creates, four reads, two searches and two neighborhoods in ten, from the moment each ` +
    `was due. Commit to socket: ${events} creates, one after the other, from sending the request until its event is at a ` +
    'listening WebSocket, so the commit itself is in it.\n',
);

const input = ({ title, text, tags }: VaultNote) => ({ title, content: text, tags: [...tags] });
type Way = (client: BrainClient, of: readonly VaultNote[]) => Promise<void>;
const inBulk: Way = async (of, some) => {
  const { summary } = await of.nodes.bulk.create({ mode: 'partial', items: some.map(input) });
  if (summary.failed > 0) throw new Error(`${summary.failed} notes were not stored`);
};
const singly =
  (limit: number): Way =>
  async (of, some) => {
    const made = await mapConcurrent(some, { limit }, (note) => of.nodes.create(input(note)));
    if (made.some(({ status }) => status === 'rejected')) throw new Error('a note was not stored');
  };
const WAYS: readonly (readonly [string, Way])[] = [
  [`${bulk} notes in one bulk`, inBulk],
  [`${bulk} single creates, one by one`, singly(1)],
  [`${bulk} single creates, ${AT_ONCE} at once`, singly(AT_ONCE)],
];

const { dataDir, vault } = await prepared(folder, notes);
// Notes of the same topics and words as the stored ones, and none of them stored yet.
const creates = rate * (seconds + WARM_UP_S) + events;
const fresh = syntheticVault(bulk * WAYS.length * (repeats + WARM_UP) + creates, 2).notes.values();
const take = (count: number): VaultNote[] => [...fresh.take(count)];

const pairs = await allPairs([...vault.notes, ...take(bulk)], bulk);
const server = await startReadyBrain2(folder, dataDir);
const client = brainClient(httpTransport(server.url));

const rows = [...(await bulks()), ...(await parallel()), await commitToSocket()];
await server.stop();
console.log(table(['', 'p50, ms', 'p99, ms', 'worst, ms', 'bar, of the p99'], rows));

async function bulks(): Promise<(string | number)[][]> {
  const times = WAYS.map((): number[] => []);
  for (let round = -WARM_UP; round < repeats; round++) {
    await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
    for (const [at, [, way]] of WAYS.entries()) {
      const some = take(bulk);
      const started = performance.now();
      await way(client, some);
      if (round >= 0) times[at]?.push(performance.now() - started);
    }
  }
  const cells = (name: string, taken: readonly number[]) => [
    name,
    ...spread(taken),
    goal(percentile(taken, 0.99), BULK_BAR_MS, 'ms'),
  ];
  return [
    ...WAYS.map(([name], at) => cells(name, times[at] ?? [])),
    cells(`all pairs of ${bulk} with ${notes}, one by one`, [pairs.oneByOneMs]),
    cells(`the same over ${WORKERS} workers`, [pairs.spreadMs]),
  ];
}

async function parallel(): Promise<(string | number)[][]> {
  const random = seeded(5);
  const { items } = await client.nodes.list({ limit: 200 });
  const anyId = (): string => items[Math.floor(random() * items.length)]?.id ?? '';
  const kinds = {
    create: (): LoadRequest => ({
      method: 'POST',
      path: '/api/v2/nodes',
      body: JSON.stringify(input(take(1)[0]!)),
    }),
    read: (): LoadRequest => ({ method: 'GET', path: `/api/v2/nodes/${anyId()}` }),
    search: (): LoadRequest => ({
      method: 'GET',
      path: `/api/v2/search?q=${encodeURIComponent(query('two words', vault, random))}`,
    }),
    neighbors: (): LoadRequest => ({ method: 'GET', path: `/api/v2/nodes/${anyId()}/neighbors?depth=2` }),
  };
  const mix = [
    'create',
    'read',
    'search',
    'neighbors',
    'read',
    'create',
    'read',
    'search',
    'neighbors',
    'read',
  ] as const;
  const order = Array.from({ length: rate * (seconds + WARM_UP_S) }, (_, at) => mix[at % mix.length]!);
  const requests = order.map((kind) => kinds[kind]());
  const warmUp = rate * WARM_UP_S;
  const load = { url: server.url, perSecond: rate, connections, requests, warmUp };
  const { latenciesMs, failed } = await putLoad(folder, load);
  if (failed > 0) throw new Error(`${failed} requests failed`);
  const counted = order.slice(warmUp);
  const cells = (name: string, taken: readonly number[]) => [
    name,
    ...spread(taken),
    goal(percentile(taken, 0.99), PARALLEL_BAR_MS, 'ms'),
  ];
  return [
    cells(`${rate} operations a second`, latenciesMs),
    ...(Object.keys(kinds) as (keyof typeof kinds)[]).map((kind) =>
      cells(
        `… ${kind}`,
        latenciesMs.filter((_, at) => counted[at] === kind),
      ),
    ),
  ];
}

async function commitToSocket(): Promise<(string | number)[]> {
  const { epoch, seq } = await client.graph();
  const listening = connectBrain({ url: server.url }).events({ from: { epoch, seq } });
  let heard: ((id: string) => void) | undefined;
  listening.on({
    item: (item) => {
      if ('event' in item && item.event.type === 'node.created') heard?.(item.event.nodeId ?? '');
    },
  });
  listening.start();
  const times: number[] = [];
  for (const note of take(events)) {
    const arrived = new Map<string, number>();
    const first = Promise.withResolvers<void>();
    heard = (id) => {
      arrived.set(id, performance.now());
      first.resolve();
    };
    const started = performance.now();
    const [{ id }] = await Promise.all([client.nodes.create(input(note)), first.promise]);
    const at = arrived.get(id);
    if (at === undefined) throw new Error('the event of another note came');
    times.push(at - started);
  }
  listening.stop();
  return ['commit to socket', ...spread(times), goal(percentile(times, 0.99), SOCKET_BAR_MS, 'ms')];
}
