import { BestSlots } from './best-slots.ts';
import { variantsOfQuery } from './query-words.ts';
import type { Variant } from './query-words.ts';
import type { VaultStore } from './vault-store.ts';

/** How to search. */
export interface SearchOptions {
  /** At most so many hits; 20 unless told. */
  readonly limit?: number;
  /** Whether the last word may be the beginning of one; true unless told. */
  readonly prefix?: boolean;
  /** Whether a word that no note has may be a mistyped one; true unless told. */
  readonly typo?: boolean;
}

/** A note that a query finds. */
export interface SearchHit {
  readonly id: string;
  /** Above 0; compares only with the other hits of its query. */
  readonly score: number;
  /** The terms of the note that were found, as keys: `WordCutter` gives the words of them in its text. */
  readonly keys: readonly string[];
}

const DEFAULT_LIMIT = 20;
const MAX_QUERY_LENGTH = 1_000;
// BM25's two usual constants.
const SATURATION = 1.2;
const LENGTH_SHARE = 0.75;

/** Searches by BM25 over the counts of the index, in which title, aliases and tags count several times. */
export class Searcher {
  readonly #store: VaultStore;
  #scores = new Float64Array(0);
  #wordScores = new Float64Array(0);
  #matched = new Uint8Array(0);
  #found = new Uint32Array(0);
  #foundByWord = new Uint32Array(0);

  constructor(store: VaultStore) {
    this.#store = store;
  }

  search(query: string, options: SearchOptions = {}): SearchHit[] {
    const { limit = DEFAULT_LIMIT, prefix = true, typo = true } = options;
    const store = this.#store;
    const words = variantsOfQuery(query.slice(0, MAX_QUERY_LENGTH), { prefix, typo }, store);
    this.#reserve(store.notes.length);
    let found = 0;
    for (const variants of words) found = this.#addWord(variants, found);
    const best = new BestSlots(limit, store.notes);
    for (let at = 0; at < found; at++) {
      const slot = this.#found[at]!;
      // A note with every word of the query goes before one that repeats a single word.
      best.offer(slot, (this.#scores[slot]! * this.#matched[slot]!) / words.length);
      this.#scores[slot] = 0;
      this.#matched[slot] = 0;
    }
    const wanted = new Set(words.flatMap((variants) => variants.map(({ term }) => term)));
    const scores = best.scores();
    return Array.from(best.slots(), (slot, rank) => ({
      id: store.notes[slot]!.id,
      score: scores[rank]!,
      keys: this.#keysOf(slot, wanted),
    }));
  }

  #reserve(slots: number): void {
    if (this.#scores.length >= slots) return;
    this.#scores = new Float64Array(slots * 2);
    this.#wordScores = new Float64Array(slots * 2);
    this.#matched = new Uint8Array(slots * 2);
    this.#found = new Uint32Array(slots * 2);
    this.#foundByWord = new Uint32Array(slots * 2);
  }

  /** Adds to each note's score the best that any variant of one word gives it. */
  #addWord(variants: readonly Variant[], foundBefore: number): number {
    const { notes, postings, size, totalCount } = this.#store;
    const wordScores = this.#wordScores;
    const lengthFactor = (SATURATION * LENGTH_SHARE * size) / Math.max(1, totalCount);
    let foundByWord = 0;
    for (const { term, closeness } of variants) {
      const list = postings.list(term);
      const rarity =
        Math.log(1 + (size - list.length + 0.5) / (list.length + 0.5)) * closeness * (SATURATION + 1);
      for (const posting of list) {
        const slot = posting >>> 8;
        const count = posting & 255;
        const score =
          (rarity * count) / (count + SATURATION * (1 - LENGTH_SHARE) + lengthFactor * notes[slot]!.length);
        if (wordScores[slot] === 0) this.#foundByWord[foundByWord++] = slot;
        if (score > wordScores[slot]!) wordScores[slot] = score;
      }
    }
    let found = foundBefore;
    for (let at = 0; at < foundByWord; at++) {
      const slot = this.#foundByWord[at]!;
      if (this.#matched[slot] === 0) this.#found[found++] = slot;
      this.#matched[slot]!++;
      this.#scores[slot]! += wordScores[slot]!;
      wordScores[slot] = 0;
    }
    return found;
  }

  #keysOf(slot: number, wanted: ReadonlySet<number>): string[] {
    const keys: string[] = [];
    for (const feature of this.#store.notes[slot]!.features) {
      if (wanted.has(feature >>> 8)) keys.push(this.#store.lexicon.keyOf(feature >>> 8));
    }
    return keys;
  }
}
