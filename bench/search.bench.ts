#!/usr/bin/env node
// node bench/search.bench.ts [--notes N] [--rate N] [--seconds N] [--connections N]
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import MiniSearch from 'minisearch';
import { LinkIndex } from '../src/linking/link-index.ts';
import { goal, ms, numbers, percentile, spread, table } from './figures.ts';
import { putLoad, type LoadRequest } from './load.ts';
import { machine } from './machine.ts';
import { query, QUERY_KINDS, seeded } from './make-vault.ts';
import { prepared } from './prepared.ts';
import { cpuMsOf, startReadyBrain2, startServer, temporaryFolder, type Server } from './processes.ts';

const FLOOR = fileURLToPath(new URL('./floor-server.ts', import.meta.url));
const GOAL_P99_MS = 10;
const WARM_UP_S = 1;
const HITS = 20;

const { notes, rate, seconds, connections } = numbers({
  notes: 10_000,
  rate: 100,
  seconds: 10,
  connections: 20,
});
const folder = temporaryFolder();

console.log(`## Search\n\n${machine()}\n`);
console.log(
  `GET /api/v2/search in ${notes} notes, the ${HITS} best with snippets: ${rate} a second for ${seconds} s after ` +
    `${WARM_UP_S} s that do not count, on a fixed schedule, over ${connections} kept connections from a process of its ` +
    `own; the time is from the moment the request was due. The kinds take turns: ${QUERY_KINDS.join(', ')}. The floor is ` +
    'bare `node:http` with a constant answer.\n',
);

const { dataDir, vault } = await prepared(folder, notes);
const random = seeded(3);
const queries = Array.from({ length: rate * (seconds + WARM_UP_S) }, (_, at) => {
  const kind = QUERY_KINDS[at % QUERY_KINDS.length]!;
  return { kind, q: query(kind, vault, random) };
});
const counted = queries.slice(rate * WARM_UP_S);
const requests = queries.map(({ q }): LoadRequest => ({
  method: 'GET',
  path: `/api/v2/search?limit=${HITS}&q=${encodeURIComponent(q)}`,
}));
const rows = [
  ...(await overHttp('Brain2', await startReadyBrain2(folder, dataDir), true)),
  ...(await overHttp('floor', await startServer(folder, FLOOR, [join(folder, 'floor.sqlite')]), false)),
];
console.log(
  table(['over HTTP', 'p50, ms', 'p99, ms', 'worst, ms', 'failed', 'CPU a request, ms', 'goal p99'], rows),
);

console.log(
  '\nThe same queries in this process, without HTTP, store or snippets: the index of Brain2, and MiniSearch with the ' +
    'last word as a prefix.\n',
);
console.log(table(['in process', 'filled in, ms', 'p50, ms', 'p99, ms', 'worst, ms'], [...inProcess()]));

async function overHttp(name: string, server: Server, isWhole: boolean): Promise<(string | number)[][]> {
  const cpuBefore = cpuMsOf(server.pid);
  const load = { url: server.url, perSecond: rate, connections, requests, warmUp: rate * WARM_UP_S };
  const { latenciesMs, failed } = await putLoad(folder, load);
  const cpuMs = (cpuMsOf(server.pid) - cpuBefore) / requests.length;
  await server.stop();
  const met = isWhole ? goal(percentile(latenciesMs, 0.99), GOAL_P99_MS, 'ms') : '';
  const all = [name, ...spread(latenciesMs), failed, ms(cpuMs), met];
  if (!isWhole) return [all];
  const ofKind = QUERY_KINDS.map((kind) => {
    const times = latenciesMs.filter((_, at) => counted[at]?.kind === kind);
    return [`… ${kind}`, ...spread(times), '', '', ''];
  });
  return [all, ...ofKind];
}

function* inProcess(): Generator<(string | number)[]> {
  const index = new LinkIndex();
  const filledMs = timed(() =>
    vault.notes.forEach(({ title, text, tags }, at) =>
      index.put({ id: `n${at}`, title, aliases: [], tags, text, version: 1 }),
    ),
  );
  yield [
    'Brain2',
    ms(filledMs),
    ...spread(counted.map(({ q }) => timed(() => index.search(q, { limit: HITS })))),
  ];

  const miniSearch = new MiniSearch<{ id: number }>({ fields: ['title', 'text', 'tags'] });
  const addedMs = timed(() => miniSearch.addAll(vault.notes.map((note, id) => ({ id, ...note }))));
  const search = (q: string) => {
    const last = q.split(' ').at(-1);
    miniSearch.search(q, { prefix: (word) => word === last }).slice(0, HITS);
  };
  yield ['MiniSearch', ms(addedMs), ...spread(counted.map(({ q }) => timed(() => search(q))))];
}

function timed(work: () => unknown): number {
  const started = performance.now();
  work();
  return performance.now() - started;
}
