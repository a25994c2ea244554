import { detached } from './characters.ts';

const CAPACITY = 1 << 19;
const MOST_WORDS = 200_000;

/**
 * Written words and what is known of each, found by the place where one stands in a text: no string is made
 * for a word met before, which is nearly every word. When it is full it starts again.
 */
export class WordTable {
  // Grown with the vocabulary: most owners have few words.
  #slots = new Int32Array(1 << 10);
  #written: string[] = [];
  #keys: string[] = [];
  #hashes: number[] = [];

  /** The number of the word from `start` to `end`, keyed by `keyOf` when it is new. */
  numberOf(text: string, start: number, end: number, keyOf: (written: string) => string): number {
    let hash = end - start;
    for (let at = start; at < end; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
    hash ^= hash >>> 15;
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    for (; ; slot = (slot + 1) & mask) {
      const number = this.#slots[slot]! - 1;
      if (number < 0) break;
      if (this.#hashes[number] === hash && isAt(this.#written[number]!, text, start, end)) return number;
    }
    const written = detached(text.slice(start, end));
    return this.#add(written, keyOf(written), hash);
  }

  keyOf(number: number): string {
    return this.#keys[number]!;
  }

  #add(written: string, key: string, hash: number): number {
    if (this.#written.length >= MOST_WORDS) {
      this.#slots.fill(0);
      this.#written = [];
      this.#keys = [];
      this.#hashes = [];
    }
    const number = this.#written.push(written) - 1;
    this.#keys.push(key);
    this.#hashes.push(hash);
    if (number * 2 >= this.#slots.length && this.#slots.length < CAPACITY) this.#enlarge();
    else this.#place(hash, number);
    return number;
  }

  #place(hash: number, number: number): void {
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = number + 1;
  }

  #enlarge(): void {
    this.#slots = new Int32Array(this.#slots.length * 2);
    this.#hashes.forEach((hash, number) => this.#place(hash, number));
  }
}

function isAt(word: string, text: string, start: number, end: number): boolean {
  if (word.length !== end - start) return false;
  for (let at = 0; at < word.length; at++)
    if (word.charCodeAt(at) !== text.charCodeAt(start + at)) return false;
  return true;
}
