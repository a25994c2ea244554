#!/usr/bin/env node
// node bench/bulk.bench.ts [--notes N] [--bulk N] [--repeats N]
import { brainClient, type BrainClient } from '../src/client/http-client.ts';
import { httpTransport } from '../src/client/http-transport.ts';
import { goal, numbers, percentile, spread, table } from './figures.ts';
import { machine } from './machine.ts';
import { syntheticVault } from './make-vault.ts';
import { prepared } from './prepared.ts';
import { startReadyBrain2, temporaryFolder } from './processes.ts';

const GOAL_MS = 2_000;
const WARM_UP = 2;
/** As a browser or a script would send them side by side. */
const AT_ONCE = 6;

const { notes, bulk, repeats } = numbers({ notes: 10_000, bulk: 100, repeats: 20 });
const folder = temporaryFolder();

console.log(`## Create ${bulk} notes at once\n\n${machine()}\n`);
console.log(
  `${bulk} notes, new each time, into a graph of ${notes}, over HTTP, ${repeats} times after ${WARM_UP} that do not count, ` +
    'the ways taken in turn. The time is from sending the first request until the last answer was read: by then every ' +
    'note is durable and linked, and the answers hold the edges.\n',
);

type Notes = readonly { readonly title: string; readonly content: string; readonly tags: string[] }[];
type Way = (client: BrainClient, of: Notes) => Promise<number>;

const oneByOne: Way = async (client, of) => {
  let edges = 0;
  for (const note of of) edges += (await client.nodes.create(note)).edges.length;
  return edges;
};
const sideBySide: Way = async (client, of) => {
  const rest = of.values();
  const lane = async (): Promise<number> => {
    let edges = 0;
    for (const note of rest) edges += (await client.nodes.create(note)).edges.length;
    return edges;
  };
  const all = await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return all.reduce((sum, edges) => sum + edges, 0);
};
const inBulk: Way = async (client, of) => {
  const { summary, edges } = await client.nodes.bulk.create({ mode: 'partial', items: [...of] });
  if (summary.failed > 0) throw new Error(`${summary.failed} notes were not stored`);
  return edges.length;
};
const WAYS: readonly (readonly [string, Way])[] = [
  ['one bulk', inBulk],
  ['single creates, one by one', oneByOne],
  [`single creates, ${AT_ONCE} at once`, sideBySide],
];

const { dataDir } = await prepared(folder, notes);
const server = await startReadyBrain2(folder, dataDir);
const client = brainClient(httpTransport(server.url));
// Notes of the same topics and words as the stored ones, and none of them stored yet.
const fresh: Notes = syntheticVault(bulk * WAYS.length * (repeats + WARM_UP), 2).notes.map(
  ({ title, text, tags }) => ({ title, content: text, tags: [...tags] }),
);
const times = WAYS.map((): number[] => []);
const edges = WAYS.map(() => 0);
let next = 0;
for (let round = -WARM_UP; round < repeats; round++) {
  for (const [at, [, way]] of WAYS.entries()) {
    const some = fresh.slice(next, (next += bulk));
    const started = performance.now();
    const made = await way(client, some);
    if (round < 0) continue;
    times[at]?.push(performance.now() - started);
    edges[at] = (edges[at] ?? 0) + made;
  }
}
await server.stop();

const rows = WAYS.map(([name], at) => {
  const taken = times[at] ?? [];
  const met = at === 0 ? goal(percentile(taken, 0.99), GOAL_MS, 'ms') : '';
  return [name, ...spread(taken), ((edges[at] ?? 0) / repeats).toFixed(0), met];
});
console.log(table(['way', 'p50, ms', 'p99, ms', 'worst, ms', 'edges told', 'goal p99'], rows));
