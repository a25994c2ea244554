#!/usr/bin/env node
// node bench/read.bench.ts [--notes N] [--rate N] [--seconds N] [--connections N]
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brainClient } from '../src/client/http-client.ts';
import { httpTransport } from '../src/client/http-transport.ts';
import { ms, numbers, spread, table } from './figures.ts';
import { putLoad, type LoadRequest } from './load.ts';
import { machine } from './machine.ts';
import { query, seeded } from './make-vault.ts';
import { prepared } from './prepared.ts';
import { cpuMsOf, startReadyBrain2, startServer, temporaryFolder, type Server } from './processes.ts';

const FLOOR = fileURLToPath(new URL('./floor-server.ts', import.meta.url));
const WARM_UP_S = 1;
/** The whole graph is megabytes of JSON. */
const GRAPHS_A_SECOND = 2;
const IDS = 1_000;
const PAGE = 200;

const { notes, rate, seconds, connections } = numbers({
  notes: 10_000,
  rate: 100,
  seconds: 5,
  connections: 20,
});
const folder = temporaryFolder();

console.log(`## Read\n\n${machine()}\n`);
console.log(
  `Each kind by itself in a graph of ${notes} notes, over HTTP: ${rate} a second (the whole graph ${GRAPHS_A_SECOND}) for ` +
    `${seconds} s after ${WARM_UP_S} s that do not count, on a fixed schedule over ${connections} kept connections from a ` +
    'process of its own; the time is from the moment a request was due until its answer was read. The floor is bare ' +
    '`node:http` with a constant answer.\n',
);

const { dataDir, vault } = await prepared(folder, notes);
const server = await startReadyBrain2(folder, dataDir);
const client = brainClient(httpTransport(server.url));
const ids: string[] = [];
for (let cursor: string | undefined; ids.length < Math.min(IDS, notes);) {
  const page = await client.nodes.list({ limit: PAGE, ...(cursor !== undefined && { cursor }) });
  ids.push(...page.items.map(({ id }) => id));
  if (page.page.next === null) break;
  cursor = page.page.next;
}
const random = seeded(6);
const any = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)]!;

const KINDS: readonly (readonly [string, number, () => string])[] = [
  ['one note', rate, () => `/api/v2/nodes/${any(ids)}`],
  ['a page of 50 notes', rate, () => '/api/v2/nodes?limit=50'],
  ['edges of a note', rate, () => `/api/v2/nodes/${any(ids)}/edges`],
  [
    'search, two words',
    rate,
    () => `/api/v2/search?q=${encodeURIComponent(query('two words', vault, random))}`,
  ],
  ['related notes', rate, () => `/api/v2/nodes/${any(ids)}/related`],
  ['neighbors, depth 2', rate, () => `/api/v2/nodes/${any(ids)}/neighbors?depth=2`],
  ['the whole graph', GRAPHS_A_SECOND, () => '/api/v2/graph'],
];
const rows: (string | number)[][] = [];
for (const [name, perSecond, path] of KINDS) rows.push(await measured(name, server, perSecond, path));
await server.stop();
const floor = await startServer(folder, FLOOR, [join(folder, 'floor.sqlite')]);
rows.push(await measured('floor', floor, rate, () => '/'));
await floor.stop();
console.log(table(['read', 'p50, ms', 'p99, ms', 'worst, ms', 'failed', 'CPU a request, ms'], rows));

async function measured(
  name: string,
  of: Server,
  perSecond: number,
  path: () => string,
): Promise<(string | number)[]> {
  const count = perSecond * (seconds + WARM_UP_S);
  const requests = Array.from({ length: count }, (): LoadRequest => ({ method: 'GET', path: path() }));
  const cpuBefore = cpuMsOf(of.pid);
  const load = { url: of.url, perSecond, connections, requests, warmUp: perSecond * WARM_UP_S };
  const { latenciesMs, failed } = await putLoad(folder, load);
  return [name, ...spread(latenciesMs), failed, ms((cpuMsOf(of.pid) - cpuBefore) / count)];
}
