import type { Lexicon } from './lexicon.ts';
import type { Postings } from './postings.ts';

const INITIAL_CAPACITY = 256;

/**
 * The terms by which a note's candidates are looked for: those that weigh most, rarest first. Which of equal
 * ones are taken hangs on their spelling alone.
 */
export class QueryFeatures {
  readonly #lexicon: Lexicon;
  readonly #postings: Postings;
  #terms = new Uint32Array(INITIAL_CAPACITY);
  #frequencies = new Uint32Array(INITIAL_CAPACITY);
  #lifts = new Float64Array(INITIAL_CAPACITY);
  #scratch = new Float64Array(INITIAL_CAPACITY);
  #count = 0;

  constructor(lexicon: Lexicon, postings: Postings) {
    this.#lexicon = lexicon;
    this.#postings = postings;
  }

  get count(): number {
    return this.#count;
  }

  reset(capacity: number): void {
    this.#count = 0;
    if (capacity <= this.#terms.length) return;
    this.#terms = new Uint32Array(capacity * 2);
    this.#frequencies = new Uint32Array(capacity * 2);
    this.#lifts = new Float64Array(capacity * 2);
    this.#scratch = new Float64Array(capacity * 2);
  }

  add(term: number, frequency: number, lift: number): void {
    const at = this.#count++;
    this.#terms[at] = term;
    this.#frequencies[at] = frequency;
    this.#lifts[at] = lift;
  }

  termAt(at: number): number {
    return this.#terms[at]!;
  }

  frequencyAt(at: number): number {
    return this.#frequencies[at]!;
  }

  /** Keeps the `most` heaviest, and puts them in order. */
  select(most: number): void {
    if (this.#count > most) this.#dropLight(most);
    this.#sortRarestFirst();
  }

  #dropLight(most: number): void {
    const lifts = this.#lifts;
    this.#scratch.set(lifts.subarray(0, this.#count));
    const least = kthGreatest(this.#scratch, this.#count, most);
    const equal: number[] = [];
    let kept = 0;
    for (let at = 0; at < this.#count; at++) {
      if (lifts[at]! > least) this.#moveTo(kept++, this.#terms[at]!, this.#frequencies[at]!);
      else if (lifts[at] === least) equal.push(this.#terms[at]!);
    }
    if (equal.length > most - kept) equal.sort((a, b) => this.#lexicon.compare(a, b)).splice(most - kept);
    for (const term of equal) this.#moveTo(kept++, term, this.#postings.frequency(term));
    this.#count = kept;
  }

  #sortRarestFirst(): void {
    for (let at = 1; at < this.#count; at++) {
      const term = this.#terms[at]!;
      const frequency = this.#frequencies[at]!;
      let to = at;
      while (to > 0 && this.#isBefore(term, frequency, to - 1)) {
        this.#moveTo(to, this.#terms[to - 1]!, this.#frequencies[to - 1]!);
        to--;
      }
      this.#moveTo(to, term, frequency);
    }
  }

  #isBefore(term: number, frequency: number, other: number): boolean {
    const difference = frequency - this.#frequencies[other]!;
    return difference < 0 || (difference === 0 && this.#lexicon.compare(term, this.#terms[other]!) < 0);
  }

  #moveTo(at: number, term: number, frequency: number): void {
    this.#terms[at] = term;
    this.#frequencies[at] = frequency;
  }
}

/** The `k`th greatest of the first `count` values, whose order is lost: Hoare's quickselect. */
function kthGreatest(values: Float64Array, count: number, k: number): number {
  let low = 0;
  let high = count - 1;
  while (low < high) {
    const pivot = values[(low + high) >>> 1]!;
    let left = low;
    let right = high;
    while (left <= right) {
      while (values[left]! > pivot) left++;
      while (values[right]! < pivot) right--;
      if (left > right) break;
      const value = values[left]!;
      values[left++] = values[right]!;
      values[right--] = value;
    }
    if (k - 1 <= right) high = right;
    else if (k - 1 >= left) low = left;
    else break;
  }
  return values[k - 1]!;
}
