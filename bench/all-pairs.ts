import { WorkerPool } from '../src/shared/worker-pool.ts';

/** The way of the first Brain2: a note is linked to each other note that shares enough of its keywords. */
const THRESHOLD = 0.3;
export const WORKERS = 5;
const LEAST_LETTERS = 4;
const KEYWORDS = 100;

/** The keywords of many notes, one after the other, each note's in rising order; in memory that threads share. */
interface Keywords {
  readonly words: Uint32Array;
  /** Where each note's begin; one more than there are notes. */
  readonly starts: Uint32Array;
}

/** Notes to be compared with all that come before them. */
export interface PairsJob extends Keywords {
  readonly from: number;
  readonly to: number;
}

interface Text {
  readonly title: string;
  readonly text: string;
}

/** Its best form: words are numbers, so that two notes are compared in one walk over two sorted lists. */
function keywordsOf(notes: readonly Text[]): Keywords {
  const numbers = new Map<string, number>();
  const lists = notes.map(({ title, text }) => {
    const counts = new Map<string, number>();
    for (const word of `${title} ${text}`.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []) {
      if (word.length >= LEAST_LETTERS) counts.set(word, (counts.get(word) ?? 0) + 1);
    }
    const best = [...counts].toSorted(([, a], [, b]) => b - a).slice(0, KEYWORDS);
    return best
      .map(([word]) => {
        const number = numbers.get(word) ?? numbers.size;
        numbers.set(word, number);
        return number;
      })
      .toSorted((a, b) => a - b);
  });
  const count = lists.reduce((sum, { length }) => sum + length, 0);
  const words = new Uint32Array(new SharedArrayBuffer(count * 4));
  const starts = new Uint32Array(new SharedArrayBuffer((lists.length + 1) * 4));
  let at = 0;
  lists.forEach((list, note) => {
    words.set(list, at);
    at += list.length;
    starts[note + 1] = at;
  });
  return { words, starts };
}

/** How many pairs are similar enough to be linked. */
export function linkedPairs({ words, starts, from, to }: PairsJob): number {
  let linked = 0;
  for (let note = from; note < to; note++) {
    const [start, end] = [starts[note]!, starts[note + 1]!];
    for (let other = 0; other < note; other++) {
      const otherEnd = starts[other + 1]!;
      let shared = 0;
      for (let a = start, b = starts[other]!; a < end && b < otherEnd;) {
        const difference = words[a]! - words[b]!;
        if (difference === 0) shared += 1;
        if (difference <= 0) a += 1;
        if (difference >= 0) b += 1;
      }
      const all = end - start + otherEnd - starts[other]! - shared;
      if (shared >= all * THRESHOLD) linked += 1;
    }
  }
  return linked;
}

interface AllPairs {
  readonly oneByOneMs: number;
  readonly spreadMs: number;
  /** Of how many pairs the times were taken; of all that there are they are scaled. */
  readonly measuredPairs: number;
  readonly pairs: number;
}

/** Pairs that are compared in earnest: some seconds. */
const MOST_PAIRS = 4_000_000;

/**
 * Compares the last `added` of the notes with all before them: on this thread, then spread over five workers. Nothing
 * is stored. The keywords of the notes before are known, so that finding those counts for the added alone.
 */
export async function allPairs(notes: readonly Text[], added: number): Promise<AllPairs> {
  const first = notes.length - added;
  const pairs = pairsUpTo(notes.length) - pairsUpTo(first);
  let from = first;
  while (pairsUpTo(notes.length) - pairsUpTo(from) > MOST_PAIRS) from += 1;
  const measuredPairs = pairsUpTo(notes.length) - pairsUpTo(from);

  const keywords = keywordsOf(notes);
  const analysing = performance.now();
  keywordsOf(notes.slice(first));
  const analysedMs = performance.now() - analysing;
  const started = performance.now();
  const links = linkedPairs({ ...keywords, from, to: notes.length });
  const comparedMs = performance.now() - started;

  const pool = new WorkerPool<PairsJob, number>(new URL('./all-pairs-entry.ts', import.meta.url), {
    threads: WORKERS,
  });
  const run = (share: { readonly from: number; readonly to: number }) => pool.run({ ...keywords, ...share });
  await Promise.all(Array.from({ length: WORKERS }, () => run({ from: 0, to: 0 }))); // they are up
  const spreading = performance.now();
  const found = await Promise.all(sharesOf(from, notes.length).map(run));
  const spreadMs = performance.now() - spreading;
  await pool.close();
  const sum = found.reduce((all, each) => all + each, 0);
  if (sum !== links) throw new Error(`the workers found ${sum} links, one thread ${links}`);
  const scaled = (ms: number): number => analysedMs + (ms * pairs) / measuredPairs;
  return { oneByOneMs: scaled(comparedMs), spreadMs: scaled(spreadMs), measuredPairs, pairs };
}

/** Pairs among the first so many notes. */
const pairsUpTo = (notes: number): number => (notes * (notes - 1)) / 2;

/** Shares of about equal work: a later note has more notes before it. */
function sharesOf(first: number, total: number): { readonly from: number; readonly to: number }[] {
  const bounds = Array.from({ length: WORKERS + 1 }, (_, at) => {
    const wanted = ((pairsUpTo(total) - pairsUpTo(first)) * at) / WORKERS;
    let note = first;
    while (pairsUpTo(note) - pairsUpTo(first) < wanted) note += 1;
    return note;
  });
  return bounds.slice(1).map((to, at) => ({ from: bounds[at]!, to }));
}
