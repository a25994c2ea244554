#!/usr/bin/env node
// node bench/others.bench.ts [--stored N] [--notes N] [--rate N] [--connections N]
import { join } from 'node:path';
import { brainClient } from '../src/client/http-client.ts';
import { httpTransport } from '../src/client/http-transport.ts';
import { goal, ms, numbers, percentile, spread, table } from './figures.ts';
import { putLoad, type LoadRequest, type LoadResult } from './load.ts';
import { longestDelayMs } from './loop-delay.ts';
import { machine } from './machine.ts';
import { query, seeded, syntheticVault, writeVault } from './make-vault.ts';
import { prepared } from './prepared.ts';
import { MAIN, run, startReadyBrain2, temporaryFolder } from './processes.ts';

const GOAL_P99_MS = 50;
const GOAL_DELAY_MS = 20;
/** The load outlasts the import on a slow machine; what comes after it is not counted. */
const LOAD_S = 60;

const { stored, notes, rate, connections } = numbers({
  stored: 1_000,
  notes: 10_000,
  rate: 100,
  connections: 20,
});
const folder = temporaryFolder();

console.log('## Others, while somebody imports\n');
console.log(`${machine()}\n`);
console.log(
  `A server with ${stored} notes; \`brain2 import\` sends it ${notes} more, while ${rate} requests a second come over ` +
    `${connections} connections on a fixed schedule: one create, five reads and four searches in ten. Only what was due ` +
    'while the import ran is counted, from the moment it was due. All of it runs on one machine, the import with its ' +
    "parsing and the sender of the load as well. The delay of the event loop is the server's own (`/metrics`).\n",
);

const { dataDir, vault } = await prepared(folder, stored);
const path = join(folder, 'more');
writeVault(path, syntheticVault(notes, 7));
const fresh = syntheticVault(rate * LOAD_S, 8).notes.values();
const server = await startReadyBrain2(folder, dataDir);
const client = brainClient(httpTransport(server.url));
const { items } = await client.nodes.list({ limit: 200 });
const random = seeded(9);

const KINDS = ['create', 'read', 'search'] as const;
const MIX = [
  'read',
  'search',
  'read',
  'search',
  'create',
  'read',
  'search',
  'read',
  'search',
  'read',
] as const;
const order = Array.from({ length: rate * LOAD_S }, (_, at) => MIX[at % MIX.length]!);
function requestOf(kind: (typeof KINDS)[number]): LoadRequest {
  switch (kind) {
    case 'create': {
      const { title, text, tags } = fresh.next().value!;
      return { method: 'POST', path: '/api/v2/nodes', body: JSON.stringify({ title, content: text, tags }) };
    }
    case 'read':
      return { method: 'GET', path: `/api/v2/nodes/${items[Math.floor(random() * items.length)]!.id}` };
    case 'search': {
      const q = encodeURIComponent(query('two words', vault, random));
      return { method: 'GET', path: `/api/v2/search?q=${q}` };
    }
  }
}

interface Seen {
  readonly name: string;
  readonly latenciesMs: readonly number[];
  readonly failed: number;
  readonly delayMs: number;
}

const ALONE_S = 5;
const alone = await watched('nobody imports', (put) => put(AbortSignal.timeout(ALONE_S * 1_000)));
let importMs = 0;
const beside = await watched(`${notes} notes are imported`, async (put) => {
  const imported = new AbortController();
  const load = put(imported.signal);
  const started = performance.now();
  await run(folder, MAIN, ['import', path, '--data', dataDir]);
  importMs = performance.now() - started;
  imported.abort();
  return load;
});
await server.stop();

console.log(
  table(
    [
      'while',
      'requests',
      'p50, ms',
      'p99, ms',
      'worst, ms',
      'failed',
      'longest delay of the loop, ms',
      'goals',
    ],
    [alone, beside].flatMap(({ name, latenciesMs, failed, delayMs }) => {
      const p99 = percentile(latenciesMs, 0.99);
      const goals = `${goal(p99, GOAL_P99_MS, 'ms')}; delay ${goal(delayMs, GOAL_DELAY_MS, 'ms')}`;
      const kinds = KINDS.map((kind) => {
        const of = latenciesMs.filter((_, at) => order[at] === kind);
        return [`… ${kind}`, of.length, ...spread(of), '', '', ''];
      });
      return [[name, latenciesMs.length, ...spread(latenciesMs), failed, ms(delayMs), goals], ...kinds];
    }),
  ),
);
console.log(`\nThe import took ${(importMs / 1_000).toFixed(1)} s beside them.`);

/** Puts the load on the server until it is enough, and reads how long the loop was held up meanwhile. */
async function watched(
  name: string,
  work: (put: (enough: AbortSignal) => Promise<LoadResult>) => Promise<LoadResult>,
): Promise<Seen> {
  await longestDelayMs(server.url); // of the time before
  const requests = order.map(requestOf);
  const load = { url: server.url, perSecond: rate, connections, requests, warmUp: 0 };
  const { latenciesMs, failed } = await work((enough) => putLoad(folder, load, enough));
  return { name, latenciesMs, failed, delayMs: await longestDelayMs(server.url) };
}
