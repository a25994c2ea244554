#!/usr/bin/env node
// Hides the links that authors made by hand and shows which of them the index finds again.
// node bench/eval-links.ts [DIRECTORY...]   each with notes.jsonl, notes-hard.jsonl and truth.jsonl
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import MiniSearch from 'minisearch';
import { LinkIndex } from '../src/linking/link-index.ts';
import type { LinkableNote } from '../src/linking/link-index.ts';
import { STOP_WORDS } from '../src/linking/stop-words.ts';

interface Edge {
  readonly source: string;
  readonly target: string;
  readonly weight: number;
}

interface Scores {
  readonly 'recall@10': number;
  readonly 'precision@5': number;
  readonly mrr: number;
  readonly edges: number;
  readonly edgesPerNote: number;
  readonly notesWithEdge: number;
  readonly edgePrecision: number;
  readonly edgeRecall: number;
  readonly ece: number;
  readonly reliability: readonly (readonly [number, number, number])[];
}

interface Judge {
  scoreEdges(truth: readonly unknown[], edges: readonly Edge[], options: { readonly nNotes: number }): Scores;
}

const LINK_EVAL = resolve(import.meta.dirname, '../../shared/linkeval');
const RANKED = 20;
const QUERY_TERMS = 25;
const JACCARD_LEAST = 0.3;
const JACCARD_KEYWORDS = 20;
/** Comparing every pair takes minutes beyond this many notes. */
const JACCARD_MOST_NOTES = 5_000;

function linesOf(file: string): readonly Record<string, unknown>[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

function notesOf(file: string): LinkableNote[] {
  return linesOf(file).map(({ id, title, text, tags, aliases }) => ({
    id: id as string,
    title: title as string,
    text: text as string,
    tags: (tags as string[] | undefined) ?? [],
    aliases: (aliases as string[] | undefined) ?? [],
    version: 1,
  }));
}

function wordsOf(text: string): string[] {
  return (
    text
      .normalize('NFKC')
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu) ?? []
  ).filter((word) => !STOP_WORDS.has(word));
}

function byIndex(notes: readonly LinkableNote[]) {
  const index = new LinkIndex();
  const started = performance.now();
  for (const note of notes) index.put(note);
  const put = performance.now();
  index.settle();
  const ranked = notes.map(({ id }) => ({ id, related: index.related(id, RANKED) }));
  const linked = performance.now();
  const edgesOf = (id: string, list: readonly { id: string; weight: number }[]): Edge[] =>
    list.map(({ id: target, weight }) => ({ source: id, target, weight }));
  return {
    edges: ranked.flatMap(({ id, related }) => edgesOf(id, related)),
    kept: ranked.flatMap(({ id, related }) => edgesOf(id, index.kept(related))),
    putMs: put - started,
    linkMs: linked - put,
  };
}

/** How the first version linked: keywords of every pair, compared. */
function byJaccard(notes: readonly LinkableNote[]): Edge[] {
  if (notes.length > JACCARD_MOST_NOTES) return [];
  const keywords = notes.map(({ title, text }) => {
    const counts = new Map<string, number>();
    for (const word of wordsOf(`${title} ${text}`))
      if (word.length > 2) counts.set(word, (counts.get(word) ?? 0) + 1);
    const best = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, JACCARD_KEYWORDS);
    return new Set(best.map(([word]) => word));
  });
  const edges: Edge[] = [];
  keywords.forEach((a, at) => {
    for (let other = at + 1; other < notes.length; other++) {
      const b = keywords[other]!;
      let shared = 0;
      for (const word of a) if (b.has(word)) shared++;
      const weight = shared / Math.max(1, a.size + b.size - shared);
      if (weight >= JACCARD_LEAST) edges.push({ source: notes[at]!.id, target: notes[other]!.id, weight });
    }
  });
  return edges;
}

/** A search engine asked for each note with the note's 25 best terms, any of which may match. */
function byMiniSearch(notes: readonly LinkableNote[]): Edge[] {
  const search = new MiniSearch<LinkableNote>({
    fields: ['title', 'text'],
    tokenize: wordsOf,
    searchOptions: { boost: { title: 4 }, combineWith: 'OR', tokenize: (text) => text.split(' ') },
  });
  search.addAll(notes);
  const frequency = new Map<string, number>();
  const words = notes.map(({ title, text }) => wordsOf(`${title} ${title} ${title} ${title} ${text}`));
  for (const list of words)
    for (const word of new Set(list)) frequency.set(word, (frequency.get(word) ?? 0) + 1);
  return notes.flatMap(({ id }, at) => {
    const counts = new Map<string, number>();
    for (const word of words[at]!) counts.set(word, (counts.get(word) ?? 0) + 1);
    const best = [...counts]
      .map(([word, count]) => ({
        word,
        weight: Math.log2(1 + count) * Math.log(notes.length / frequency.get(word)!),
      }))
      .sort((a, b) => b.weight - a.weight)
      .slice(0, QUERY_TERMS);
    return search
      .search(best.map(({ word }) => word).join(' '))
      .filter((hit) => hit.id !== id)
      .slice(0, RANKED)
      .map((hit) => ({ source: id, target: hit.id as string, weight: hit.score }));
  });
}

function precisionFrom(reliability: Scores['reliability'], bin: number): number {
  let count = 0;
  let right = 0;
  for (const [edges, , share] of reliability.slice(bin)) {
    count += edges;
    right += edges * share;
  }
  return count === 0 ? 0 : right / count;
}

function row(cells: readonly (string | number)[]): string {
  return cells
    .map((cell) => (typeof cell === 'number' ? cell.toFixed(cell < 20 ? 3 : 0) : cell))
    .map((cell, at) => (at === 0 ? cell.padEnd(16) : cell.padStart(11)))
    .join('');
}

function evaluate(
  directory: string,
  kind: 'soft' | 'hard',
  judge: Judge,
): { ranking: string; kept: string; bins: string } {
  const notes = notesOf(join(directory, kind === 'soft' ? 'notes.jsonl' : 'notes-hard.jsonl'));
  const truth = linesOf(join(directory, 'truth.jsonl'));
  const score = (edges: readonly Edge[]) => judge.scoreEdges(truth, edges, { nNotes: notes.length });
  const { edges, kept, putMs, linkMs } = byIndex(notes);
  const ours = score(edges);
  const keptScores = score(kept);
  const jaccard = notes.length > JACCARD_MOST_NOTES ? undefined : score(byJaccard(notes));
  const mini = score(byMiniSearch(notes));
  const name = `${directory.split('/').at(-1)} ${kind}`;
  return {
    ranking: row([
      name,
      ours['recall@10'],
      ours['precision@5'],
      ours.mrr,
      ours.ece,
      jaccard?.['recall@10'] ?? '-',
      jaccard?.mrr ?? '-',
      mini['recall@10'],
      mini.mrr,
    ]),
    kept: row([
      name,
      String(keptScores.edges),
      keptScores.edgesPerNote,
      keptScores.edgePrecision,
      keptScores.edgeRecall,
      precisionFrom(keptScores.reliability, 2),
      precisionFrom(keptScores.reliability, 5),
      keptScores.ece,
      keptScores.notesWithEdge,
      `${putMs.toFixed(0)}+${linkMs.toFixed(0)}`,
    ]),
    bins: row([name, ...ours.reliability.map(([count, , share]) => `${share.toFixed(2)}/${count}`)]),
  };
}

async function main(): Promise<void> {
  const judgeFile = join(LINK_EVAL, 'evaluate.mjs');
  const named = process.argv.slice(2).map((directory) => resolve(directory));
  if (!existsSync(judgeFile)) {
    console.log(`No judge at ${judgeFile}: nothing to evaluate.`);
    return;
  }
  const sets = readdirSync(join(LINK_EVAL, 'dev'), { withFileTypes: true }).filter((entry) =>
    entry.isDirectory(),
  );
  const directories = named.length > 0 ? named : sets.map(({ name }) => join(LINK_EVAL, 'dev', name));
  const judge = (await import(pathToFileURL(judgeFile).href)) as Judge;
  const rows = directories.flatMap((directory) => [
    evaluate(directory, 'soft', judge),
    evaluate(directory, 'hard', judge),
  ]);
  console.log(`\nRanking: each note's best ${RANKED}, beside Jaccard of keywords and MiniSearch`);
  console.log(row(['', 'recall@10', 'prec@5', 'MRR', 'ECE', 'J recall', 'J MRR', 'Mini recall', 'Mini MRR']));
  for (const { ranking } of rows) console.log(ranking);
  console.log('\nKept edges, against the same truth');
  console.log(
    row([
      '',
      'edges',
      'per note',
      'precision',
      'recall',
      'prec >=.2',
      'prec >=.5',
      'ECE',
      'connected',
      'put+link ms',
    ]),
  );
  for (const { kept } of rows) console.log(kept);
  console.log('\nShare of true links / number of pairs ranked, by weight');
  console.log(row(['', ...Array.from({ length: 10 }, (_, bin) => `.${bin} to .${bin + 1}`)]));
  for (const { bins } of rows) console.log(bins);
}

await main();
