#!/usr/bin/env node
// node bench/works.bench.ts [--notes N] [--rate N] [--connections N]
import { brainClient } from '../src/client/http-client.ts';
import { httpTransport } from '../src/client/http-transport.ts';
import { zipOf } from '../src/vault/write-zip.ts';
import { goal, numbers, percentile, spread, table } from './figures.ts';
import { putLoad, type LoadRequest } from './load.ts';
import { longestDelayMs } from './loop-delay.ts';
import { machine } from './machine.ts';
import { seeded, syntheticVault, type VaultNote } from './make-vault.ts';
import { prepared } from './prepared.ts';
import { MAIN, run, startReadyBrain2, temporaryFolder } from './processes.ts';

const GOAL_P99_MS = 50;
const GOAL_DELAY_MS = 20;
/** The load outlasts every work on a slow machine; what comes after it is not counted. */
const LOAD_S = 120;
/** Of a bulk. */
const MOST_ITEMS = 1_000;
/** Also of a work that is over sooner. */
const LEAST_MS = 1_000;

const { notes, rate, connections } = numbers({ notes: 10_000, rate: 100, connections: 20 });
const folder = temporaryFolder();

console.log('## Others, beside each heavy work\n');
console.log(`${machine()}\n`);
console.log(
  `A server with ${notes} notes does one thing after the other, and meanwhile ${rate} GETs a second of single notes come ` +
    `over ${connections} connections on a fixed schedule. Latencies run from the moment a GET was due until its answer was ` +
    "read. The delay of the event loop is the server's own (`/metrics`). Works, load and server run on one machine.\n",
);

const { dataDir } = await prepared(folder, notes);
const server = await startReadyBrain2(folder, dataDir);
const client = brainClient(httpTransport(server.url));
const { items } = await client.nodes.list({ limit: 200 });
const random = seeded(9);
const more = syntheticVault(2 * notes + 2 * MOST_ITEMS, 7).notes.values();
const fresh = (count: number): readonly VaultNote[] => more.take(count).toArray();

const input = ({ title, text, tags }: VaultNote) => ({ title, content: text, tags: [...tags] });
const lines = fresh(notes)
  .map((note, at) => `${JSON.stringify({ key: `more/${at}`, ...input(note) })}\n`)
  .join('');
const files = fresh(notes).map(({ text }, at) => ({ path: `note ${at}.md`, text }));
const zip = Buffer.concat(await Array.fromAsync(zipOf(files)));

interface Asked {
  readonly method?: 'GET' | 'POST';
  readonly type?: string;
  readonly body?: string | Uint8Array<ArrayBuffer>;
}

/** The body of the answer, read whole. */
async function ask(path: string, { method = 'GET', type, body }: Asked = {}): Promise<string> {
  const headers = { prefer: 'respond-async', ...(type !== undefined && { 'content-type': type }) };
  const answer = await fetch(new URL(path, server.url), { method, headers, ...(body && { body }) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return text;
}

/** Asks for a job and waits for its end. */
async function job(path: string, asked: Omit<Asked, 'method'>): Promise<string> {
  const { id } = JSON.parse(await ask(path, { method: 'POST', ...asked })) as { readonly id: string };
  const { status } = await client.jobs.wait(id);
  if (status !== 'done') throw new Error(`${path} is ${status}`);
  return id;
}

const jobOf = (path: string, body: object) =>
  job(path, { type: 'application/json', body: JSON.stringify(body) });

const bulk = fresh(MOST_ITEMS).map(input);
let bulkIds: readonly string[] = [];
const works: Readonly<Record<string, () => Promise<unknown>>> = {
  nothing: async () => {},
  'the whole graph, read': () => ask('/api/v2/graph'),
  'the graph, counted': () => ask('/api/v2/graph/stats'),
  [`${MOST_ITEMS} notes in a bulk`]: async () => {
    const made = await client.nodes.bulk.create({ mode: 'partial', items: bulk });
    bulkIds = made.items.flatMap(({ id }) => id ?? []);
  },
  'the same, deleted': () =>
    client.nodes.bulk.delete({ mode: 'partial', items: bulkIds.map((id) => ({ id })) }),
  'an export of NDJSON': () => jobOf('/api/v2/exports', { format: 'ndjson' }),
  'an export of Markdown': async () => {
    const id = await jobOf('/api/v2/exports', { format: 'markdown' });
    await ask(`/api/v2/exports/${id}/content`);
  },
  'a relink, dry': () => jobOf('/api/v2/linker/runs', { dryRun: true }),
  'a relink': () => jobOf('/api/v2/linker/runs', { dryRun: false }),
  'a backup': () => run(folder, MAIN, ['backup', `${folder}/backup.db`, '--data', dataDir]),
  [`an import of NDJSON, ${notes} notes`]: () =>
    job('/api/v2/imports?collection=more', { type: 'application/x-ndjson', body: lines }),
  [`an import of a zip, ${notes} notes`]: () =>
    job('/api/v2/imports?collection=zip', { type: 'application/zip', body: zip }),
  'the categories, made anew': () => ask('/api/v1/categories/rebuild', { method: 'POST' }),
};

const rows: (string | number)[][] = [];
for (const [name, work] of Object.entries(works)) {
  const requests = Array.from({ length: rate * LOAD_S }, (): LoadRequest => {
    const { id } = items[Math.floor(random() * items.length)]!;
    return { method: 'GET', path: `/api/v2/nodes/${id}` };
  });
  await longestDelayMs(server.url); // of the time before
  const enough = new AbortController();
  const load = putLoad(
    folder,
    { url: server.url, perSecond: rate, connections, requests, warmUp: 0 },
    enough.signal,
  );
  const started = performance.now();
  await work();
  const tookMs = performance.now() - started;
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, LEAST_MS - tookMs)));
  const delayMs = await longestDelayMs(server.url);
  enough.abort();
  const { latenciesMs, failed } = await load;
  const p99 = percentile(latenciesMs, 0.99);
  const goals = [goal(p99, GOAL_P99_MS, 'ms'), `delay ${goal(delayMs, GOAL_DELAY_MS, 'ms')}`].join('; ');
  rows.push([name, (tookMs / 1_000).toFixed(1), latenciesMs.length, ...spread(latenciesMs), failed, goals]);
}
await server.stop();

console.log(table(['beside', 's', 'GETs', 'p50, ms', 'p99, ms', 'worst, ms', 'failed', 'goals'], rows));
