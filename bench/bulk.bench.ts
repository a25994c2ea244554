#!/usr/bin/env node
// node bench/bulk.bench.ts [--notes N]   the largest of the sizes
import { brainClient, type BrainClient } from '../src/client/http-client.ts';
import { httpTransport } from '../src/client/http-transport.ts';
import { mapConcurrent } from '../src/shared/map-concurrent.ts';
import { join } from 'node:path';
import { allPairs, WORKERS } from './all-pairs.ts';
import { ms, numbers, table } from './figures.ts';
import { machine } from './machine.ts';
import { syntheticVault, type VaultNote } from './make-vault.ts';
import { cpuMsOf, startReadyBrain2, temporaryFolder } from './processes.ts';

const SIZES = [100, 1_000, 10_000];
/** Of a bulk. */
const MOST_ITEMS = 1_000;
const AT_ONCE = 16;
/** Single creates that are sent in earnest; for more notes their time is scaled. */
const MOST_SINGLE = 1_000;

const { notes: largest } = numbers({ notes: 10_000 });
const folder = temporaryFolder();

console.log(`## Create many notes\n\n${machine()}\n`);
console.log(
  'So many notes into an empty graph, over HTTP, from sending the first request until the last answer was read: by then ' +
    'every note is durable and linked. Each way begins with a server and a folder of its own. All pairs is how the first ' +
    'Brain2 linked, keywords compared by Jaccard with those of each other note, in its best form (numbers in shared ' +
    `memory) and storing nothing. Times marked ~ were taken of a part and scaled: single creates of ${MOST_SINGLE} notes, ` +
    'which is kind to them, pairs of 4 million.\n',
);

type Notes = readonly VaultNote[];
type Way = (client: BrainClient, notes: Notes) => Promise<void>;

const input = ({ title, text, tags }: VaultNote) => ({ title, content: text, tags: [...tags] });

const sequential: Way = async (client, notes) => {
  for (const note of notes) await client.nodes.create(input(note));
};

const bounded: Way = async (client, notes) => {
  const made = await mapConcurrent(notes, { limit: AT_ONCE }, (note) => client.nodes.create(input(note)));
  const failed = made.filter(({ status }) => status === 'rejected').length;
  if (failed > 0) throw new Error(`${failed} notes were not stored`);
};

const inBulk: Way = async (client, notes) => {
  for (let at = 0; at < notes.length; at += MOST_ITEMS) {
    const items = notes.slice(at, at + MOST_ITEMS).map(input);
    const { summary } = await client.nodes.bulk.create({ mode: 'partial', items });
    if (summary.failed > 0) throw new Error(`${summary.failed} notes were not stored`);
  }
};

let folders = 0;
async function timed(way: Way, notes: Notes): Promise<{ readonly ms: number; readonly cpuMs: number }> {
  const server = await startReadyBrain2(folder, join(folder, `data-${folders++}`));
  const client = brainClient(httpTransport(server.url));
  const cpuBefore = cpuMsOf(server.pid);
  const started = performance.now();
  await way(client, notes);
  const taken = { ms: performance.now() - started, cpuMs: cpuMsOf(server.pid) - cpuBefore };
  await server.stop();
  return taken;
}

const rows: (string | number)[][] = [];
for (const size of SIZES.filter((each) => each <= largest)) {
  const { notes } = syntheticVault(size);
  const bulk = await timed(inBulk, notes);
  const add = (
    name: string,
    of: { readonly ms: number; readonly cpuMs?: number },
    isScaled = false,
  ): void => {
    const perSecond = ((size * 1_000) / of.ms).toFixed(0);
    const cpu = of.cpuMs === undefined ? '' : ms(of.cpuMs / size);
    const times = of === bulk ? '' : `${(of.ms / bulk.ms).toFixed(1)} ×`;
    rows.push([size, name, `${isScaled ? '~' : ''}${of.ms.toFixed(0)}`, perSecond, cpu, times]);
  };
  const some = notes.slice(0, MOST_SINGLE);
  const factor = notes.length / some.length;
  const scaled = (of: Awaited<ReturnType<typeof timed>>) => ({
    ms: of.ms * factor,
    cpuMs: of.cpuMs * factor,
  });
  add(`bulks of up to ${MOST_ITEMS}`, bulk);
  add('single creates, one by one', scaled(await timed(sequential, some)), factor > 1);
  add(`single creates, ${AT_ONCE} at once`, scaled(await timed(bounded, some)), factor > 1);
  const pairs = await allPairs(notes, notes.length);
  const isScaled = pairs.measuredPairs < pairs.pairs;
  add('all pairs, one by one, nothing stored', { ms: pairs.oneByOneMs }, isScaled);
  add(`all pairs, over ${WORKERS} workers, nothing stored`, { ms: pairs.spreadMs }, isScaled);
}
console.log(
  table(['notes', 'way', 'ms', 'notes a second', 'CPU of the server a note, ms', 'to the bulk'], rows),
);
