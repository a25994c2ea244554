#!/usr/bin/env node
// node --expose-gc bench/linking.bench.ts [--notes N]   1,000 and 10,000 unless told; with BRAIN2_BENCH_LONG 100,000 too
import MiniSearch from 'minisearch';
import { LinkIndex, type LinkableNote } from '../src/linking/link-index.ts';
import { allPairs, WORKERS } from './all-pairs.ts';
import { goal, ms, numbers, percentile, spread, table } from './figures.ts';
import { machine } from './machine.ts';
import { query, seeded, syntheticVault } from './make-vault.ts';

const ADDED = 1_000;
const SEARCHES = 1_000;
const HITS = 20;
const MINISEARCH_MOST_NOTES = 20_000;
const MINISEARCH_SAMPLE = 200;
const MINISEARCH_TERMS = 25;
/** Of all links, of one added note (p99) and of memory, by the number of notes. */
const GOALS: Readonly<
  Record<number, { readonly allMs?: number; readonly addMs: number; readonly memoryMb: number }>
> = {
  10_000: { allMs: 2_500, addMs: 3, memoryMb: 150 },
  100_000: { addMs: 8, memoryMb: 1_000 },
};

const { notes } = numbers({ notes: 0 });
const standard = process.env['BRAIN2_BENCH_LONG'] === undefined ? [1_000, 10_000] : [1_000, 10_000, 100_000];

console.log(`## Linking\n\n${machine()}\n`);
console.log(
  'The index by itself, on one thread, without store or HTTP. All links: every note is put in, and then asked for its ' +
    `links. One added: ${ADDED} notes more, each put in and asked at once. MiniSearch is asked with the ${MINISEARCH_TERMS} ` +
    `rarest words of a note that others have too, of ${MINISEARCH_SAMPLE} notes, and scaled (~); it has no links, only hits. All pairs is the Jaccard of ` +
    'keywords in its best form; where there are more than 4 million pairs it is scaled too.\n',
);

/** Wall time, and the processor's own, which says what the work costs on a machine that others use too. */
function timed<T>(work: () => T): { readonly ms: number; readonly cpuMs: number; readonly result: T } {
  const started = performance.now();
  const cpuStarted = process.cpuUsage();
  const result = work();
  const { user, system } = process.cpuUsage(cpuStarted);
  return { ms: performance.now() - started, cpuMs: (user + system) / 1_000, result };
}

function memoryMb(): number {
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return (heapUsed + arrayBuffers) / 2 ** 20;
}

interface Measured {
  readonly count: number;
  readonly cpuMs: number;
}

async function measure(count: number): Promise<Measured> {
  const vault = syntheticVault(count + ADDED);
  const all = vault.notes.map(({ title, text, tags }, at): LinkableNote => ({
    id: `n${at}`,
    title,
    aliases: [],
    tags,
    text,
    version: 1,
  }));
  const stored = all.slice(0, count);
  const before = memoryMb();
  const index = new LinkIndex();
  const put = timed(() => stored.forEach((note) => index.put(note)));
  let kept = 0;
  const link = timed(() => {
    index.settle();
    stored.forEach(({ id }) => (kept += index.links(id).length));
  });
  const memory = memoryMb() - before;
  const adds = all.slice(count).map((note) => timed(() => (index.put(note), index.links(note.id))).ms);
  const written = timed(() => index.serialize());
  const reading = timed(() => LinkIndex.deserialize(written.result));
  const random = seeded(count);
  const searches = Array.from({ length: SEARCHES }, () => {
    const q = query('two words', vault, random);
    return timed(() => index.search(q, { limit: HITS })).ms;
  });
  const goals = GOALS[count];
  const allMs = put.ms + link.ms;
  rows.push(
    [
      count,
      'all links',
      ms(allMs),
      '',
      ms(put.cpuMs + link.cpuMs),
      goals?.allMs ? goal(allMs, goals.allMs, 'ms') : '',
    ],
    [count, '… put in', ms(put.ms), '', ms(put.cpuMs), ''],
    [count, `… asked, ${(kept / count).toFixed(1)} links a note`, ms(link.ms), '', ms(link.cpuMs), ''],
    [count, 'one added', ...pair(adds), '', goals ? goal(percentile(adds, 0.99), goals.addMs, 'ms') : ''],
    [count, 'one search', ...pair(searches), '', ''],
    [
      count,
      'stored',
      ms(written.ms),
      '',
      ms(written.cpuMs),
      `${(written.result.length / 2 ** 20).toFixed(1)} MB`,
    ],
    [count, 'read again', ms(reading.ms), '', ms(reading.cpuMs), ''],
    [
      count,
      `memory: ${memory.toFixed(0)} MB, ${((memory * 1_024) / count).toFixed(1)} KB a note`,
      '',
      '',
      '',
      goals ? goal(memory, goals.memoryMb, 'MB') : '',
    ],
  );
  miniSearch(count, stored);
  const pairs = await allPairs(vault.notes.slice(0, count), count);
  const mark = pairs.measuredPairs < pairs.pairs ? '~' : '';
  rows.push(
    [count, 'all pairs, one by one', `${mark}${ms(pairs.oneByOneMs)}`, '', '', ''],
    [count, `all pairs, over ${WORKERS} workers`, `${mark}${ms(pairs.spreadMs)}`, '', '', ''],
  );
  return { count, cpuMs: put.cpuMs + link.cpuMs };
}

/** The median and the 99th percentile. */
const pair = (times: readonly number[]): readonly string[] => spread(times).slice(0, 2);

function miniSearch(count: number, stored: readonly LinkableNote[]): void {
  if (count > MINISEARCH_MOST_NOTES) return;
  const search = new MiniSearch<LinkableNote>({ fields: ['title', 'text'] });
  const adding = timed(() => search.addAll(stored));
  const sample = stored.slice(0, MINISEARCH_SAMPLE);
  const queries = rarestWords(stored, sample);
  const asking = timed(() => {
    for (const query of queries) search.search(query);
  });
  const factor = count / sample.length;
  rows.push([
    count,
    'MiniSearch, all put in and asked',
    `~${ms(adding.ms + asking.ms * factor)}`,
    '',
    ms(adding.cpuMs + asking.cpuMs * factor),
    '',
  ]);
}

/** The words of each note of a sample that the fewest notes have: what finds the most like it, and is quickest. */
function rarestWords(all: readonly LinkableNote[], sample: readonly LinkableNote[]): string[] {
  const wordsOf = (text: string): string[] => [...new Set(text.toLowerCase().match(/[a-z]+/g))];
  const having = new Map<string, number>();
  for (const { text } of all) for (const word of wordsOf(text)) having.set(word, (having.get(word) ?? 0) + 1);
  const shared = (word: string): boolean => (having.get(word) ?? 0) > 1;
  return sample.map(({ text }) =>
    wordsOf(text)
      .filter(shared)
      .toSorted((a, b) => (having.get(a) ?? 0) - (having.get(b) ?? 0))
      .slice(0, MINISEARCH_TERMS)
      .join(' '),
  );
}

const rows: (string | number)[][] = [];
const results: Measured[] = [];
for (const count of notes > 0 ? [notes] : standard) results.push(await measure(count));
console.log(table(['notes', '', 'ms, or p50', 'p99, ms', 'CPU, ms', 'goal'], rows));
for (const [at, larger] of results.entries()) {
  const smaller = results[at - 1];
  if (!smaller) continue;
  const exponent = Math.log(larger.cpuMs / smaller.cpuMs) / Math.log(larger.count / smaller.count);
  console.log(
    `\nAll links from ${smaller.count} to ${larger.count} notes: n^${exponent.toFixed(2)}, by CPU.`,
  );
}
