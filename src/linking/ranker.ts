import { BestSlots } from './best-slots.ts';
import { IdfTable } from './idf-table.ts';
import type { Lexicon } from './lexicon.ts';
import type { Mentions } from './mentions.ts';
import { COUNT_WEIGHT } from './postings.ts';
import type { Postings } from './postings.ts';
import type { StoredNote } from './stored-note.ts';
import type { TitleTrie } from './title-trie.ts';
import { TermWeights } from './term-weights.ts';
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
const POSTINGS_BUDGET = 8_000;
const SIMILAR_CANDIDATES = 40;
const NAMING_CANDIDATES = 40;
/** A title of more notes, or named in more, says too little to follow it to all of them. */
const MAX_OWNERS_FOLLOWED = 8;
const MAX_NAMERS_FOLLOWED = 256;
const NAMED_TITLES_DAMPING = 10;
const REPEATED_NAMING = 0.2;
const LEAST_COVERAGE = 0.5;
const MAX_PHRASE_LENGTH = 4;

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
  readonly #queryWeights = new TermWeights();
  readonly #titleMass = new TermWeights();
  // The note whose weights lie in the two tables above.
  #loaded: StoredNote | undefined;
  #loadedTitleMass = 0;
  readonly #loadedNames = new Map<number, number>();

  constructor(vault: RankedVault) {
    this.#vault = vault;
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
    const slots = new Set(this.#similarSlots(note));
    for (const slot of this.#namedSlots()) slots.add(slot);
    for (const slot of this.#namingSlots(note)) slots.add(slot);
    slots.delete(note.slot);
    const pairs: Pair[] = [];
    for (const slot of slots) pairs.push(this.#measure(note, this.#vault.notes[slot]!));
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
    for (const feature of other.features) {
      const term = feature >>> 8;
      const share = this.#queryWeights.get(term) * COUNT_WEIGHT[feature & 255]!;
      if (share === 0) continue;
      total += share;
      if (best.length === limit && share < best[limit - 1]!.share) continue;
      best.push({ term, share });
      best.sort((x, y) => y.share - x.share || lexicon.compare(x.term, y.term));
      if (best.length > limit) best.pop();
    }
    return best.map(({ term, share }) => ({ term, share: share / total }));
  }

  #load(note: StoredNote): void {
    const { postings, mentions } = this.#vault;
    mentions.settle();
    this.#queryWeights.reset(note.features.length);
    this.#titleMass.reset(note.titleTerms.length);
    const idf = this.idfTable();
    for (const feature of note.features) {
      const term = feature >>> 8;
      const rarity = idf[postings.frequency(term)]!;
      this.#queryWeights.add(term, COUNT_WEIGHT[feature & 255]! * rarity * rarity);
    }
    this.#loadedTitleMass = 0;
    for (const term of note.titleTerms) {
      const mass = idf[postings.frequency(term)]!;
      this.#titleMass.add(term, mass);
      this.#loadedTitleMass += mass;
    }
    this.#loadedNames.clear();
    const named = mentions.namedIn(note.slot);
    for (let at = 0; at < named.length; at += 2) {
      this.#loadedNames.set(named[at]!, this.#naming(named[at]!, named[at + 1]!, named.length / 2));
    }
    this.#loaded = note;
  }

  #naming(phrase: number, times: number, titlesNamed: number): number {
    const { mentions, trie } = this.#vault;
    const size = this.#vault.size;
    const rarity = Math.log(1 + size / mentions.namersOf(phrase).length) / Math.log(1 + size);
    const owners = trie.ownersOf(phrase).length;
    return (
      ((rarity / Math.sqrt(owners)) * (1 + REPEATED_NAMING * Math.log(times))) /
      Math.sqrt(1 + titlesNamed / NAMED_TITLES_DAMPING)
    );
  }

  #similarSlots(note: StoredNote): readonly number[] {
    const { notes } = this.#vault;
    if (this.#sums.length < notes.length) {
      this.#sums = new Float64Array(notes.length * 2);
      this.#touched = new Uint32Array(notes.length * 2);
    }
    const touchedCount = this.#accumulate(note);
    const sums = this.#sums;
    const touched = this.#touched;
    const { pivots } = this.#vault;
    const best = new BestSlots(SIMILAR_CANDIDATES, notes);
    sums[note.slot] = 0;
    for (let at = 0; at < touchedCount; at++) {
      const slot = touched[at]!;
      const score = sums[slot]! / pivots[slot]!;
      sums[slot] = 0;
      if (score >= best.least) best.offer(slot, score);
    }
    return best.slots();
  }

  #accumulate(note: StoredNote): number {
    const { lexicon, postings } = this.#vault;
    const idf = this.idfTable();
    const shared: number[] = [];
    for (const feature of note.features) {
      // In this note alone: it leads nowhere.
      if (postings.frequency(feature >>> 8) > 1) shared.push(feature);
    }
    const weights = Float64Array.from(shared, (feature) => {
      return COUNT_WEIGHT[feature & 255]! * idf[postings.frequency(feature >>> 8)]!;
    });
    const least = weights.length > QUERY_FEATURES ? weights.toSorted()[weights.length - QUERY_FEATURES]! : 0;
    const heavy = shared.filter((_, at) => weights[at]! > least).map((feature) => feature >>> 8);
    const equal = shared.filter((_, at) => weights[at] === least).map((feature) => feature >>> 8);
    heavy.push(...equal.sort((a, b) => lexicon.compare(a, b)).slice(0, QUERY_FEATURES - heavy.length));
    heavy.sort((a, b) => postings.frequency(a) - postings.frequency(b) || lexicon.compare(a, b));
    let used = 0;
    let touchedCount = 0;
    for (const term of heavy) {
      const frequency = postings.frequency(term);
      // The rarest is followed however common it is: a note of common words is still near something.
      if (used > 0 && used + frequency > POSTINGS_BUDGET) break;
      used += frequency;
      touchedCount = postings.accumulate(
        term,
        this.#queryWeights.get(term),
        this.#sums,
        this.#touched,
        touchedCount,
      );
    }
    return touchedCount;
  }

  /** Notes whose titles the loaded note names, the strongest. */
  #namedSlots(): readonly number[] {
    const { notes, trie } = this.#vault;
    const best = new BestSlots(NAMING_CANDIDATES, notes);
    for (const [phrase, strength] of this.#loadedNames) {
      const owners = trie.ownersOf(phrase);
      if (owners.length <= MAX_OWNERS_FOLLOWED) for (const slot of owners) best.offer(slot, strength);
    }
    return best.slots();
  }

  /** Notes that name this one, the strongest. */
  #namingSlots(note: StoredNote): readonly number[] {
    const { notes, mentions } = this.#vault;
    const best = new BestSlots(NAMING_CANDIDATES, notes);
    for (const phrase of note.phrases) {
      const namers = mentions.namersOf(phrase);
      if (namers.length > MAX_NAMERS_FOLLOWED) continue;
      for (const slot of namers) {
        const named = mentions.namedIn(slot);
        best.offer(slot, this.#naming(phrase, timesNamed(named, phrase), named.length / 2));
      }
    }
    return best.slots();
  }

  #measure(a: StoredNote, b: StoredNote): Pair {
    const queryWeights = this.#queryWeights;
    const titleMass = this.#titleMass;
    let sum = 0;
    let coveredMass = 0;
    const { features } = b;
    for (let at = 0; at < features.length; at++) {
      const feature = features[at]!;
      const term = feature >>> 8;
      const weight = queryWeights.get(term);
      if (weight === 0) continue;
      sum += weight * COUNT_WEIGHT[feature & 255]!;
      coveredMass += titleMass.get(term);
    }
    const { mentions, trie } = this.#vault;
    let names = 0;
    let named = 0;
    let phraseLength = 0;
    for (const phrase of b.phrases) {
      const strength = this.#loadedNames.get(phrase) ?? 0;
      names = Math.max(names, strength);
      if (strength > 0) phraseLength = Math.max(phraseLength, trie.wordsOf(phrase));
    }
    const namedInB = mentions.namedIn(b.slot);
    for (let at = 0; at < namedInB.length; at += 2) {
      const phrase = namedInB[at]!;
      if (!a.phrases.includes(phrase)) continue;
      named = Math.max(named, this.#naming(phrase, namedInB[at + 1]!, namedInB.length / 2));
      phraseLength = Math.max(phraseLength, trie.wordsOf(phrase));
    }
    return {
      note: b,
      similarity: sum / (a.pivot * b.pivot),
      names,
      named,
      covers: dampedCoverage(this.#massCoveredByLoaded(b), this.#loadedNames.size),
      covered: dampedCoverage(
        this.#loadedTitleMass > 0 ? coveredMass / this.#loadedTitleMass : 0,
        namedInB.length / 2,
      ),
      phraseLength: Math.min(MAX_PHRASE_LENGTH, phraseLength),
    };
  }

  #massCoveredByLoaded(b: StoredNote): number {
    const { postings } = this.#vault;
    const idf = this.idfTable();
    let mass = 0;
    let covered = 0;
    for (const term of b.titleTerms) {
      const rarity = idf[postings.frequency(term)]!;
      mass += rarity;
      if (this.#queryWeights.get(term) > 0) covered += rarity;
    }
    return mass > 0 ? covered / mass : 0;
  }
}

function dampedCoverage(share: number, titlesNamed: number): number {
  return share < LEAST_COVERAGE ? 0 : share / Math.sqrt(1 + titlesNamed / NAMED_TITLES_DAMPING);
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
