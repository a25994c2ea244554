import { BestSlots } from './best-slots.ts';
import { IdfTable } from './idf-table.ts';
import type { Lexicon } from './lexicon.ts';
import { LoadedTerms } from './loaded-terms.ts';
import type { Mentions } from './mentions.ts';
import { COUNT_WEIGHT } from './postings.ts';
import type { Postings } from './postings.ts';
import { QueryFeatures } from './query-features.ts';
import type { StoredNote } from './stored-note.ts';
import type { TitleTrie } from './title-trie.ts';
import { SlotMarks } from './slot-marks.ts';
import { similaritySignal } from './weight.ts';
import type { PairSignals } from './weight.ts';

/** A note beside the one ranked, before it is weighed. */
export interface Pair {
  readonly note: StoredNote;
  readonly similarity: number;
  /** How strongly the ranked note names the other, and is named by it. */
  readonly names: number;
  readonly named: number;
  readonly covers: number;
  readonly covered: number;
  readonly phraseLength: number;
}

const QUERY_FEATURES = 64;
const POSTINGS_BUDGET = 4_000;
const SIMILAR_CANDIDATES = 30;
const NAMING_CANDIDATES = 40;
/** A title of more notes, or named in more, says too little to follow it to all of them. */
const MAX_OWNERS_FOLLOWED = 8;
const MAX_NAMERS_FOLLOWED = 256;
const NAMED_TITLES_DAMPING = 10;
const REPEATED_NAMING = 0.2;
const LEAST_COVERAGE = 0.5;
const MAX_PHRASE_LENGTH = 4;
/** 64 bytes of 32-bit words. */
const CACHE_LINE = 16;

/** The parts of an index that ranking reads. */
export interface RankedVault {
  readonly lexicon: Lexicon;
  readonly postings: Postings;
  readonly trie: TitleTrie;
  readonly mentions: Mentions;
  readonly notes: readonly (StoredNote | undefined)[];
  /** The notes' pivots by slot, side by side for the one loop that reads thousands of them. */
  readonly pivots: Float64Array;
  readonly size: number;
}

/** Finds a note's candidates at bounded cost and measures each pair in both directions. */
export class Ranker {
  readonly #vault: RankedVault;
  readonly #idf = new IdfTable();
  #sums = new Float64Array(0);
  #touched = new Uint32Array(0);
  readonly #measured = new SlotMarks();
  readonly #terms = new LoadedTerms();
  readonly #query: QueryFeatures;
  readonly #best: BestSlots;
  readonly #bestNamed: BestSlots;
  // Keeps looks ahead from being left out.
  readonly #looks = new Uint32Array(1);
  // The note whose terms lie in the tables above.
  #loaded: StoredNote | undefined;
  readonly #loadedNames = new Map<number, number>();
  /** Whether a note has to be looked into for naming: most candidates neither name nor are named. */
  readonly #maybeNamed = new SlotMarks();
  readonly #maybeNaming = new SlotMarks();

  constructor(vault: RankedVault) {
    this.#vault = vault;
    this.#query = new QueryFeatures(vault.lexicon, vault.postings);
    this.#best = new BestSlots(SIMILAR_CANDIDATES, vault.notes);
    this.#bestNamed = new BestSlots(NAMING_CANDIDATES, vault.notes);
  }

  idfTable(): Float64Array {
    return this.#idf.forSize(this.#vault.size);
  }

  /** Calls `use` with every question below answered for `note`, whose terms are laid out only once. */
  whileLoaded<T>(note: StoredNote, use: () => T): T {
    this.#load(note);
    try {
      return use();
    } finally {
      this.#loaded = undefined;
    }
  }

  /** Measures the loaded note beside each of its candidates. */
  candidates(): Pair[] {
    const note = this.#loaded!;
    this.#reserve();
    const pairs: Pair[] = [];
    this.#measured.clear(this.#vault.notes.length);
    this.#measured.add(note.slot);
    this.#findSimilar(note);
    this.#measureAll(note, this.#best, pairs);
    this.#findNamed();
    this.#measureAll(note, this.#bestNamed, pairs);
    this.#findNaming(note);
    this.#measureAll(note, this.#bestNamed, pairs);
    return pairs;
  }

  /** Measures the loaded note beside one other. */
  pair(other: StoredNote): Pair {
    return this.#measure(this.#loaded!, other);
  }

  /** The terms that weigh most in the similarity to the loaded note, each with its share of the whole. */
  sharedTerms(other: StoredNote, limit: number): { readonly term: number; readonly share: number }[] {
    const { lexicon } = this.#vault;
    const best: { readonly term: number; readonly share: number }[] = [];
    let total = 0;
    const { features } = other;
    for (let at = 0; at < features.length; at++) {
      const term = features[at]! >>> 8;
      const share = this.#terms.weightOf(term) * COUNT_WEIGHT[features[at]! & 255]!;
      if (share === 0) continue;
      total += share;
      if (best.length === limit && share < best[limit - 1]!.share) continue;
      let place = best.length;
      while (place > 0 && isHeavier(term, share, best[place - 1]!, lexicon)) place--;
      best.splice(place, 0, { term, share });
      if (best.length > limit) best.pop();
    }
    return best.map(({ term, share }) => ({ term, share: share / total }));
  }

  #load(note: StoredNote): void {
    const { postings, mentions } = this.#vault;
    mentions.settle();
    const { features, titleTerms } = note;
    this.#terms.reset(features.length);
    this.#query.reset(features.length);
    const idf = this.idfTable();
    for (let at = 0; at < features.length; at++) {
      const term = features[at]! >>> 8;
      const frequency = postings.frequency(term);
      const rarity = idf[frequency]!;
      const lift = COUNT_WEIGHT[features[at]! & 255]! * rarity;
      this.#terms.add(term, lift * rarity);
      // In this note alone: it leads nowhere.
      if (frequency > 1) this.#query.add(term, frequency, lift);
    }
    for (let at = 0; at < titleTerms; at++) {
      const term = features[at]! >>> 8;
      this.#terms.addTitle(term, idf[postings.frequency(term)]!);
    }
    this.#loadedNames.clear();
    const named = mentions.namedIn(note.slot);
    for (let at = 0; at < named.length; at += 2) {
      this.#loadedNames.set(named[at]!, this.#naming(named[at]!, named[at + 1]!, named.length / 2));
    }
    this.#markNaming(note);
    this.#loaded = note;
  }

  #markNaming(note: StoredNote): void {
    const { mentions, notes, trie } = this.#vault;
    this.#maybeNamed.clear(notes.length);
    this.#maybeNaming.clear(notes.length);
    for (const phrase of this.#loadedNames.keys())
      this.#maybeNamed.mark(trie.ownersOf(phrase), MAX_OWNERS_FOLLOWED);
    for (const phrase of note.phrases) this.#maybeNaming.mark(mentions.namersOf(phrase), MAX_NAMERS_FOLLOWED);
  }

  #naming(phrase: number, times: number, titlesNamed: number): number {
    const { mentions, trie } = this.#vault;
    const size = this.#vault.size;
    const rarity = Math.log(1 + size / mentions.namersOf(phrase).length) / Math.log(1 + size);
    const owners = trie.ownersOf(phrase).length;
    return damped((rarity / Math.sqrt(owners)) * (1 + REPEATED_NAMING * Math.log(times)), titlesNamed);
  }

  #reserve(): void {
    const slots = this.#vault.notes.length;
    if (this.#sums.length >= slots) return;
    this.#sums = new Float64Array(slots * 2);
    this.#touched = new Uint32Array(slots * 2);
  }

  #findSimilar(note: StoredNote): void {
    const touchedCount = this.#accumulate();
    const sums = this.#sums;
    const touched = this.#touched;
    const { pivots } = this.#vault;
    const best = this.#best;
    best.clear();
    let { least } = best;
    sums[note.slot] = 0;
    for (let at = 0; at < touchedCount; at++) {
      const slot = touched[at]!;
      const score = sums[slot]! / pivots[slot]!;
      sums[slot] = 0;
      if (score < least || slot === note.slot) continue;
      best.offer(slot, score);
      ({ least } = best);
    }
  }

  #accumulate(): number {
    const { postings } = this.#vault;
    const query = this.#query;
    query.select(QUERY_FEATURES);
    let used = 0;
    let touchedCount = 0;
    let looks = 0;
    for (let at = 0; at < query.count; at++) looks ^= postings.touch(query.termAt(at));
    this.#looks[0] = looks;
    for (let at = 0; at < query.count; at++) {
      const frequency = query.frequencyAt(at);
      // The rarest is followed however common it is: a note of common words is still near something.
      if (used > 0 && used + frequency > POSTINGS_BUDGET) break;
      used += frequency;
      const term = query.termAt(at);
      touchedCount = postings.accumulate(
        term,
        this.#terms.weightOf(term),
        this.#sums,
        this.#touched,
        touchedCount,
      );
    }
    return touchedCount;
  }

  /** Notes whose titles the loaded note names, the strongest. */
  #findNamed(): void {
    const { trie } = this.#vault;
    this.#bestNamed.clear();
    for (const [phrase, strength] of this.#loadedNames) {
      const owners = trie.ownersOf(phrase);
      if (owners.length > MAX_OWNERS_FOLLOWED) continue;
      for (const slot of owners) this.#bestNamed.offer(slot, strength);
    }
  }

  /** Notes that name this one, the strongest. */
  #findNaming(note: StoredNote): void {
    const { mentions } = this.#vault;
    this.#bestNamed.clear();
    for (const phrase of note.phrases) {
      const namers = mentions.namersOf(phrase);
      if (namers.length > MAX_NAMERS_FOLLOWED) continue;
      for (const slot of namers) {
        const named = mentions.namedIn(slot);
        this.#bestNamed.offer(slot, this.#naming(phrase, timesNamed(named, phrase), named.length / 2));
      }
    }
  }

  #measureAll(note: StoredNote, best: BestSlots, pairs: Pair[]): void {
    const { notes } = this.#vault;
    const slots = best.slots();
    // As with `Postings.touch`: measuring one after the other would wait for each.
    let looks = 0;
    for (let at = 0; at < slots.length; at++) {
      const { features } = notes[slots[at]!]!;
      for (let part = 0; part < features.length; part += CACHE_LINE) looks ^= features[part]!;
    }
    this.#looks[0] = looks;
    for (const slot of slots) {
      if (this.#measured.has(slot)) continue;
      this.#measured.add(slot);
      pairs.push(this.#measure(note, notes[slot]!));
    }
  }

  #measure(a: StoredNote, b: StoredNote): Pair {
    this.#terms.measure(b.features);
    const { mentions, pivots, trie } = this.#vault;
    let names = 0;
    let named = 0;
    let phraseLength = 0;
    for (const phrase of this.#maybeNamed.has(b.slot) ? b.phrases : []) {
      const strength = this.#loadedNames.get(phrase) ?? 0;
      names = Math.max(names, strength);
      if (strength > 0) phraseLength = Math.max(phraseLength, trie.wordsOf(phrase));
    }
    if (this.#maybeNaming.has(b.slot)) {
      const namedInB = mentions.namedIn(b.slot);
      for (let at = 0; at < namedInB.length; at += 2) {
        const phrase = namedInB[at]!;
        if (!a.phrases.includes(phrase)) continue;
        named = Math.max(named, this.#naming(phrase, namedInB[at + 1]!, namedInB.length / 2));
        phraseLength = Math.max(phraseLength, trie.wordsOf(phrase));
      }
    }
    const { coveredTitle, sum } = this.#terms;
    const covers = this.#massCoveredByLoaded(b);
    return {
      note: b,
      similarity: sum / (pivots[a.slot]! * pivots[b.slot]!),
      names,
      named,
      covers: covers < LEAST_COVERAGE ? 0 : damped(covers, this.#loadedNames.size),
      covered: coveredTitle < LEAST_COVERAGE ? 0 : damped(coveredTitle, mentions.namedIn(b.slot).length / 2),
      phraseLength: Math.min(MAX_PHRASE_LENGTH, phraseLength),
    };
  }

  #massCoveredByLoaded(b: StoredNote): number {
    const { features, titleTerms } = b;
    let shared = 0;
    while (shared < titleTerms && this.#terms.weightOf(features[shared]! >>> 8) === 0) shared++;
    if (shared === titleTerms) return 0;
    const { postings } = this.#vault;
    const idf = this.idfTable();
    let mass = 0;
    let covered = 0;
    for (let at = 0; at < titleTerms; at++) {
      const term = features[at]! >>> 8;
      const rarity = idf[postings.frequency(term)]!;
      mass += rarity;
      if (this.#terms.weightOf(term) > 0) covered += rarity;
    }
    return covered / mass;
  }
}

function isHeavier(
  term: number,
  share: number,
  other: { readonly term: number; readonly share: number },
  lexicon: Lexicon,
): boolean {
  return share > other.share || (share === other.share && lexicon.compare(term, other.term) < 0);
}

/** A strength, less the more titles a note names. */
function damped(strength: number, titlesNamed: number): number {
  return strength / Math.sqrt(1 + titlesNamed / NAMED_TITLES_DAMPING);
}

function timesNamed(named: Uint32Array, phrase: number): number {
  for (let at = 0; at < named.length; at += 2) if (named[at] === phrase) return named[at + 1]!;
  return 1;
}

/** The signals of a pair, in which neither note comes first. */
export function signalsOf(pair: Pair, meanNear: number): PairSignals {
  return {
    similarity: similaritySignal(pair.similarity, meanNear),
    namingMax: Math.max(pair.names, pair.named),
    namingMin: Math.min(pair.names, pair.named),
    coverage: Math.max(pair.covers, pair.covered),
    phraseLength: pair.phraseLength,
  };
}
