#!/usr/bin/env node
// node bench/http.bench.ts [--notes N] [--rounds N] [--seconds N] [--connections N] [--writers N]
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { median, ms, numbers, percentile, spread, table } from './figures.ts';
import { writeNotes } from './floor-notes.ts';
import { putBurst, type Burst, type LoadRequest } from './load.ts';
import { machine } from './machine.ts';
import { syntheticVault } from './make-vault.ts';
import { prepared } from './prepared.ts';
import { cpuMsOf, startReadyBrain2, startServer, temporaryFolder, type Server } from './processes.ts';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
/** Of what bare Fastify gives. */
const GOAL_SHARE = 0.6;
const READ_NOTES = 1_000;
const WARM_UP_S = 1;
/** Bodies for this many creates a second; after them the first come again. */
const CREATES_A_SECOND = 1_000;

const { notes, rounds, seconds, connections, writers } = numbers({
  notes: 10_000,
  rounds: 5,
  seconds: 2,
  connections: 50,
  writers: 100,
});
const folder = temporaryFolder();

console.log(`## Beside bare Fastify\n\n${machine()}\n`);
console.log(
  `As many requests as each server answers over ${connections} kept connections, ${writers} where it writes, in turns: ` +
    `${rounds} rounds of ${seconds} s after ${WARM_UP_S} s that do not count. The load is of a process of its own that ` +
    'sends bytes made before; where only reads are compared it has a core for itself. The median of the rounds and its ' +
    'range; the processor time is of the whole process of the server.\n',
);

const { dataDir } = await prepared(folder, notes);
const brain = await startReadyBrain2(folder, dataDir);
const answers = await read(brain, READ_NOTES);
const file = join(folder, 'notes.json');
writeNotes(file, answers);
const servers = [
  { name: 'Brain2', server: brain },
  { name: 'bare Fastify', server: await startServer(folder, at('./fastify-server.ts'), floor('fastify')) },
  { name: 'node:http', server: await startServer(folder, at('./floor-server.ts'), floor('http')) },
];

function floor(name: string): readonly string[] {
  return [join(folder, `${name}.sqlite`), file];
}

/** The first of the stored notes, as they are answered. */
async function read({ url }: Server, count: number): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (let next: string | null = ''; next !== null && found.size < count;) {
    const page = await fetch(new URL(`/api/v2/nodes?limit=200&${next && `cursor=${next}`}`, url));
    const {
      items,
      page: { next: cursor },
    } = (await page.json()) as {
      readonly items: readonly { readonly id: string }[];
      readonly page: { readonly next: string | null };
    };
    for (const { id } of items) {
      const answer = await fetch(new URL(`/api/v2/nodes/${id}`, url));
      found.set(id, await answer.text());
    }
    next = cursor;
  }
  return found;
}

interface Round {
  readonly perSecond: number;
  readonly latenciesMs: readonly number[];
  readonly cpuUs: number;
  readonly failed: number;
}

async function round(
  server: Server,
  load: Pick<Burst, 'requests' | 'connections' | 'isAwake'>,
): Promise<Round> {
  const before = cpuMsOf(server.pid);
  const { latenciesMs, failed } = await putBurst(folder, {
    url: server.url,
    seconds,
    warmUpS: WARM_UP_S,
    ...load,
  });
  const cpuMs = cpuMsOf(server.pid) - before;
  const perSecond = latenciesMs.length / seconds;
  const answered = perSecond * (seconds + WARM_UP_S);
  return { perSecond, latenciesMs, cpuUs: (cpuMs * 1000) / answered, failed };
}

/** All servers in turns, so that what the machine does besides is shared by them. */
async function compare({
  what,
  requestsOf,
  leastShare,
  ...manner
}: Pick<Burst, 'connections' | 'isAwake'> & {
  readonly what: string;
  readonly requestsOf: (turn: number) => readonly LoadRequest[];
  readonly leastShare?: number;
}): Promise<void> {
  const taken = new Map<string, Round[]>(servers.map(({ name }) => [name, []]));
  for (let turn = 0; turn < rounds; turn++)
    for (const { name, server } of servers)
      taken.get(name)?.push(await round(server, { requests: requestsOf(turn), ...manner }));
  const rates = (name: string) => taken.get(name)?.map(({ perSecond }) => perSecond) ?? [];
  const fastify = percentile(rates('bare Fastify'), 0.5);
  console.log(
    table(
      [what, 'a second', 'of Fastify', 'p50, ms', 'p99, ms', 'worst, ms', 'failed', 'CPU a request, µs'],
      [...taken].map(([name, of]) => [
        name,
        median(rates(name)),
        `${ms(percentile(rates(name), 0.5) / fastify)} ×`,
        ...spread(of.flatMap(({ latenciesMs }) => latenciesMs)),
        of.reduce((sum, { failed }) => sum + failed, 0),
        median(
          of.map(({ cpuUs }) => cpuUs),
          0,
        ),
      ]),
    ),
  );
  const share = percentile(rates('Brain2'), 0.5) / fastify;
  const met =
    leastShare === undefined ? '' : `; goal ≥ ${leastShare} ×: ${share >= leastShare ? 'met' : 'MISSED'}`;
  console.log(`\n${share.toFixed(2)} × bare Fastify${met}\n`);
}

const gets = [...answers.keys()].map((id): LoadRequest => ({ method: 'GET', path: `/api/v2/nodes/${id}` }));
await compare({
  what: 'GET of a note',
  requestsOf: () => gets,
  leastShare: GOAL_SHARE,
  connections,
  isAwake: true,
});
const most = CREATES_A_SECOND * (seconds + WARM_UP_S);
await compare({
  what: 'POST of a note, durable; at Brain2 checked and linked',
  // Others in each round: a note that is there already would be linked to itself.
  requestsOf: (turn) =>
    syntheticVault(most, turn + 2).notes.map(({ title, text, tags }): LoadRequest => ({
      method: 'POST',
      path: '/api/v2/nodes',
      body: JSON.stringify({ title, content: text, tags }),
    })),
  connections: writers,
  isAwake: false,
});
for (const { server } of servers) await server.stop();
