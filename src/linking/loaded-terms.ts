import { COUNT_WEIGHT } from './postings.ts';

const LEAST_CAPACITY = 64;
/** A quarter of the processor's first cache. */
const FILTER_SIZE = 1 << 13;
const FILTER_MASK = FILTER_SIZE - 1;

/**
 * The terms of the note that is ranked, each with what it weighs in a similarity and in the note's title.
 * Ranking looks at every term of every candidate, most of which the ranked note does not have: a byte tells
 * so, from a table that stays in the processor's first cache, where one over all terms of a vault would not.
 */
export class LoadedTerms {
  readonly #filter = new Uint8Array(FILTER_SIZE);
  #terms = new Uint32Array(LEAST_CAPACITY);
  #weights = new Float64Array(LEAST_CAPACITY);
  #titleMasses = new Float64Array(LEAST_CAPACITY);
  #hits = new Uint32Array(LEAST_CAPACITY);
  #mask = LEAST_CAPACITY - 1;
  #titleMass = 0;
  #sum = 0;
  #coveredTitle = 0;

  /** Forgets all terms and makes room for `count` new ones. */
  reset(count: number): void {
    this.#filter.fill(0);
    const capacity = Math.max(LEAST_CAPACITY, 2 ** Math.ceil(Math.log2(count * 2 + 1)));
    if (capacity > this.#terms.length) {
      this.#terms = new Uint32Array(capacity);
      this.#weights = new Float64Array(capacity);
      this.#titleMasses = new Float64Array(capacity);
    } else {
      this.#terms.fill(0, 0, capacity);
    }
    this.#mask = capacity - 1;
    this.#titleMass = 0;
  }

  /** Adds a term that has not been added since the reset. */
  add(term: number, weight: number): void {
    let at = placeOf(term) & this.#mask;
    while (this.#terms[at] !== 0) at = (at + 1) & this.#mask;
    this.#terms[at] = term;
    this.#weights[at] = weight;
    this.#titleMasses[at] = 0;
    this.#filter[term & FILTER_MASK] = 1;
  }

  /** Tells that an added term is one of the title. */
  addTitle(term: number, mass: number): void {
    this.#titleMass += mass;
    const at = this.#find(term);
    if (at >= 0) this.#titleMasses[at] = mass;
  }

  /** The weight of a term; 0 when it has none. */
  weightOf(term: number): number {
    const at = this.#find(term);
    return at < 0 ? 0 : this.#weights[at]!;
  }

  /** Measures the terms of another note: `sum` and `coveredTitle` hold what they come to. */
  measure(features: Uint32Array): void {
    const hitCount = this.#filtered(features);
    const hits = this.#hits;
    const terms = this.#terms;
    const weights = this.#weights;
    const titleMasses = this.#titleMasses;
    const mask = this.#mask;
    let sum = 0;
    let covered = 0;
    for (let hit = 0; hit < hitCount; hit++) {
      const feature = hits[hit]!;
      const term = feature >>> 8;
      let at = placeOf(term) & mask;
      while (terms[at] !== term && terms[at] !== 0) at = (at + 1) & mask;
      if (terms[at] === 0) continue;
      sum += weights[at]! * COUNT_WEIGHT[feature & 255]!;
      covered += titleMasses[at]!;
    }
    this.#sum = sum;
    this.#coveredTitle = this.#titleMass > 0 ? covered / this.#titleMass : 0;
  }

  /** The similarity of the last note measured, before it is divided by both pivots. */
  get sum(): number {
    return this.#sum;
  }

  /** The share of the loaded note's title that the last note measured covers. */
  get coveredTitle(): number {
    return this.#coveredTitle;
  }

  /** Gathers the features that may be shared: without a branch, which would be guessed wrong too often. */
  #filtered(features: Uint32Array): number {
    if (features.length >= this.#hits.length) this.#hits = new Uint32Array(features.length * 2);
    const hits = this.#hits;
    const filter = this.#filter;
    let count = 0;
    for (let at = 0; at < features.length; at++) {
      const feature = features[at]!;
      hits[count] = feature;
      count += filter[(feature >>> 8) & FILTER_MASK]!;
    }
    return count;
  }

  #find(term: number): number {
    if (this.#filter[term & FILTER_MASK] === 0) return -1;
    const terms = this.#terms;
    let at = placeOf(term) & this.#mask;
    while (terms[at] !== term) {
      if (terms[at] === 0) return -1;
      at = (at + 1) & this.#mask;
    }
    return at;
  }
}

function placeOf(term: number): number {
  const mixed = Math.imul(term, 0x9e3779b1);
  return mixed ^ (mixed >>> 16);
}
