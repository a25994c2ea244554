const LEAST_CAPACITY = 64;

/**
 * The weights of the terms of one note, in a table as small as the note: the same looked up in an array over
 * all terms of a vault would miss the processor's caches at nearly every look, which was most of the time
 * that ranking took.
 */
export class TermWeights {
  #terms = new Uint32Array(LEAST_CAPACITY);
  #weights = new Float64Array(LEAST_CAPACITY);
  #mask = LEAST_CAPACITY - 1;

  /** Forgets all terms and makes room for `count` new ones. */
  reset(count: number): void {
    // A quarter full at most: nearly every look ends at the first place.
    const capacity = Math.max(LEAST_CAPACITY, 2 ** Math.ceil(Math.log2(count * 4 + 1)));
    if (capacity > this.#terms.length) {
      this.#terms = new Uint32Array(capacity);
      this.#weights = new Float64Array(capacity);
    } else {
      this.#terms.fill(0, 0, capacity);
    }
    this.#mask = capacity - 1;
  }

  /** Adds a term that has not been added since the reset. */
  add(term: number, weight: number): void {
    let at = placeOf(term) & this.#mask;
    while (this.#terms[at] !== 0) at = (at + 1) & this.#mask;
    this.#terms[at] = term;
    this.#weights[at] = weight;
  }

  /** The weight of a term; 0 when it has none. */
  get(term: number): number {
    const terms = this.#terms;
    const mask = this.#mask;
    let at = placeOf(term) & mask;
    while (terms[at] !== term) {
      if (terms[at] === 0) return 0;
      at = (at + 1) & mask;
    }
    return this.#weights[at]!;
  }
}

function placeOf(term: number): number {
  const mixed = Math.imul(term, 0x9e3779b1);
  return mixed ^ (mixed >>> 16);
}
