#!/usr/bin/env node
// What linking costs, on synthetic vaults whose words are as unevenly common as in natural text.
// node --expose-gc bench/linking.bench.ts [NOTES...]   1000 and 10000 unless told; 100000 takes minutes
import { cpus, loadavg, totalmem } from 'node:os';
import MiniSearch from 'minisearch';
import { LinkIndex } from '../src/linking/link-index.ts';
import type { LinkableNote } from '../src/linking/link-index.ts';

const ADDED = 1_000;
const SEARCHES = 1_000;
const VOCABULARY = 200_000;
/** Zipf-Mandelbrot: the commonest words, which a stop list takes out, are fewer than pure Zipf has. */
const SHIFT = 50;
const TOPIC_NOTES = 20;
const TOPIC_WORDS = 40;
const MINISEARCH_MOST_NOTES = 20_000;
const MINISEARCH_SAMPLE = 500;
const MINISEARCH_TERMS = 25;

function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function wordOf(rank: number): string {
  let word = '';
  for (let rest = rank + 70; rest > 0; rest = Math.floor(rest / 70)) {
    word += 'bcdfghklmnprtv'.charAt(rest % 14) + 'aeiou'.charAt(Math.floor(rest / 14) % 5);
  }
  return word;
}

interface Vault {
  readonly notes: readonly LinkableNote[];
  readonly word: () => string;
}

function vaultOf(count: number): Vault {
  const random = seeded(count);
  const rank = (): number => Math.floor(SHIFT * (Math.exp(random() * Math.log(1 + VOCABULARY / SHIFT)) - 1));
  const word = (): string => wordOf(rank());
  const titles: string[] = [];
  const notes = Array.from({ length: count }, (_, at): LinkableNote => {
    const topic = Math.floor((random() * count) / TOPIC_NOTES);
    const length = 40 + Math.floor(random() * random() * 900);
    const words = Array.from({ length }, () => {
      const kind = random();
      if (kind < 0.15) return wordOf(((topic * 37 + Math.floor(random() * TOPIC_WORDS)) * 13) % VOCABULARY);
      return kind < 0.155 && titles.length > 0 ? titles[Math.floor(random() * titles.length)]! : word();
    });
    const title = `${wordOf((rank() * 3) % VOCABULARY)} ${word()}${random() < 0.5 ? ` ${word()}` : ''}`;
    titles.push(title);
    return { id: `n${at}`, title, aliases: [], tags: [`topic/${topic}`], text: words.join(' '), version: 1 };
  });
  return { notes, word };
}

/** Wall time, and the processor's own, which says what the work costs on a machine that others use too. */
function timed<T>(work: () => T): { readonly ms: number; readonly cpuMs: number; readonly result: T } {
  const started = performance.now();
  const cpuStarted = process.cpuUsage();
  const result = work();
  const { user, system } = process.cpuUsage(cpuStarted);
  return { ms: performance.now() - started, cpuMs: (user + system) / 1_000, result };
}

function spread(times: readonly number[]): string {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!.toFixed(2);
  return `p50 ${at(0.5)}, p99 ${at(0.99)}, max ${at(1)} ms`;
}

function memoryMb(): number {
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return (heapUsed + arrayBuffers) / 1e6;
}

function searchTimes(index: LinkIndex, word: () => string): number[] {
  return Array.from({ length: SEARCHES }, (_, at) => {
    const mistyped = word().replace(/.$/, 'x');
    const query = [`${word()} ${word()}`, word().slice(0, 3), `${word()} ${mistyped}`][at % 3]!;
    return timed(() => index.search(query)).ms;
  });
}

function miniSearchTime(notes: readonly LinkableNote[]): string {
  if (notes.length > MINISEARCH_MOST_NOTES) return 'not measured';
  const search = new MiniSearch<LinkableNote>({ fields: ['title', 'text'] });
  const adding = timed(() => search.addAll(notes));
  const sample = notes.slice(0, MINISEARCH_SAMPLE);
  const asking = timed(() => {
    for (const { text } of sample)
      search.search([...new Set(text.split(' '))].slice(0, MINISEARCH_TERMS).join(' '));
  });
  const all = (asking.ms / sample.length) * notes.length;
  return `add all ${adding.ms.toFixed(0)} ms, all links ${all.toFixed(0)} ms (from ${sample.length} notes)`;
}

function measure(count: number): { readonly count: number; readonly put: number; readonly link: number } {
  const { notes, word } = vaultOf(count + ADDED);
  const stored = notes.slice(0, count);
  const before = memoryMb();
  const index = new LinkIndex();
  const put = timed(() => stored.forEach((note) => index.put(note)));
  let kept = 0;
  const link = timed(() => {
    index.settle();
    stored.forEach(({ id }) => (kept += index.links(id).length));
  });
  const memory = memoryMb() - before;
  const adds = notes.slice(count).map((note) => timed(() => (index.put(note), index.links(note.id))).ms);
  const written = timed(() => index.serialize());
  const reading = timed(() => LinkIndex.deserialize(written.result));
  const characters = stored.reduce((sum, { text }) => sum + text.length, 0);
  console.log(`\n${count} notes of ${Math.round(characters / count)} characters`);
  console.log(`  put all          ${put.ms.toFixed(0)} ms (cpu ${put.cpuMs.toFixed(0)})`);
  console.log(
    `  all links        ${link.ms.toFixed(0)} ms (cpu ${link.cpuMs.toFixed(0)}), ${(kept / count).toFixed(1)} kept from a note's own side`,
  );
  console.log(`  add and link one ${spread(adds)}`);
  console.log(`  search           ${spread(searchTimes(index, word))}`);
  console.log(
    `  memory           ${memory.toFixed(0)} MB${globalThis.gc === undefined ? ' (with garbage: --expose-gc)' : ''}`,
  );
  console.log(
    `  snapshot         ${(written.result.length / 1e6).toFixed(1)} MB, written in ${written.ms.toFixed(0)} ms, read in ${reading.ms.toFixed(0)} ms (cpu ${reading.cpuMs.toFixed(0)})`,
  );
  console.log(`  MiniSearch       ${miniSearchTime(stored)}`);
  return { count, put: put.cpuMs, link: link.cpuMs };
}

const sizes = process.argv
  .slice(2)
  .map(Number)
  .filter((size) => size > 0);
const [cpu] = cpus();
console.log(
  `Node ${process.version}, ${cpus().length} x ${cpu?.model}, ${(totalmem() / 2 ** 30).toFixed(0)} GB, load ${loadavg()[0]!.toFixed(1)}`,
);
const results = (sizes.length > 0 ? sizes : [1_000, 10_000]).map(measure);
for (let at = 1; at < results.length; at++) {
  const [smaller, larger] = [results[at - 1]!, results[at]!];
  const exponent = (a: number, b: number) =>
    (Math.log(b / a) / Math.log(larger.count / smaller.count)).toFixed(2);
  const both = exponent(smaller.put + smaller.link, larger.put + larger.link);
  console.log(
    `\nfrom ${smaller.count} to ${larger.count} notes: put n^${exponent(smaller.put, larger.put)}, links n^${exponent(smaller.link, larger.link)}, both n^${both}`,
  );
}
