import { detached } from './characters.ts';

const PLAIN_LENGTH = 12;
/** Three words of four characters each, and the number: a quarter of a cache line. */
const ENTRY_WORDS = 4;
const FIRST_CAPACITY = 1 << 10;
const MOST_WORDS = 240_000;

/** What each ASCII unit is in a word: its small letter or digit, or 0 where words part. */
const FOLDED = new Uint8Array(128);
for (const letter of 'abcdefghijklmnopqrstuvwxyz') {
  FOLDED[letter.charCodeAt(0)] = letter.charCodeAt(0);
  FOLDED[letter.toUpperCase().charCodeAt(0)] = letter.charCodeAt(0);
}
for (const digit of '0123456789') FOLDED[digit.charCodeAt(0)] = digit.charCodeAt(0);

/** Whether an ASCII unit belongs to a word. */
export function isPlain(unit: number): boolean {
  return FOLDED[unit] !== 0;
}

/** Stands for a word that does not count. */
export const NO_WORD = 0;

/**
 * Written words and the number of each, found by the place where one stands in a text: no string is made
 * for a word met before, which is nearly every word. A short ASCII word is found by its letters, packed,
 * with one look at memory. When the table is full it starts again at the next text.
 */
export class WordTable {
  readonly #keyOf: (written: string) => string;
  readonly #mostWords: number;
  /** By number; 0 is no word. */
  #keys: string[] = [''];
  // Grown with the vocabulary: most owners have few words.
  #plain = new Int32Array(FIRST_CAPACITY * ENTRY_WORDS);
  #plainCount = 0;
  #other = new OtherWords();
  #wholeKeys = new Map<string, number>();
  #generation = 0;

  /** `keyOf` gives what equal words have equal, empty when the word does not count. */
  constructor(keyOf: (written: string) => string, mostWords = MOST_WORDS) {
    this.#keyOf = keyOf;
    this.#mostWords = mostWords;
  }

  /** Changes when numbers are given anew. */
  get generation(): number {
    return this.#generation;
  }

  keyOf(number: number): string {
    return this.#keys[number]!;
  }

  /** Makes room when it is full: numbers given before mean nothing after. */
  makeRoom(): void {
    if (this.#plainCount + this.#other.count + this.#wholeKeys.size < this.#mostWords) return;
    this.#keys = [''];
    this.#plain.fill(0);
    this.#plainCount = 0;
    this.#other = new OtherWords();
    this.#wholeKeys = new Map();
    this.#generation++;
  }

  /** The number of the ASCII word from `start` to `end`. */
  plainNumber(text: string, start: number, end: number): number {
    const length = end - start;
    if (length > PLAIN_LENGTH) return this.otherNumber(text, start, end);
    // Of single letters the capital ones are names.
    if (length === 1) return this.#packed(text.charCodeAt(start), 0, 0, text, start, end);
    return this.#packed(
      packedLetters(text, start, Math.min(end, start + 4)),
      packedLetters(text, start + 4, Math.min(end, start + 8)),
      packedLetters(text, start + 8, end),
      text,
      start,
      end,
    );
  }

  /** The number of any word from `start` to `end`. */
  otherNumber(text: string, start: number, end: number): number {
    const known = this.#other.numberOf(text, start, end);
    if (known >= 0) return known;
    const written = detached(text.slice(start, end));
    const number = this.#numberOfNew(this.#keyOf(written));
    this.#other.add(written, number);
    return number;
  }

  /** The number of a key that is none of a written word. */
  keyNumber(key: string): number {
    const known = this.#wholeKeys.get(key);
    if (known !== undefined) return known;
    const copy = detached(key);
    const number = this.#keys.push(copy) - 1;
    this.#wholeKeys.set(copy, number);
    return number;
  }

  #packed(first: number, second: number, third: number, text: string, start: number, end: number): number {
    const plain = this.#plain;
    const mask = plain.length / ENTRY_WORDS - 1;
    let place = placeOf(first, second, third) & mask;
    for (; ; place = (place + 1) & mask) {
      const at = place * ENTRY_WORDS;
      if (plain[at] === first && plain[at + 1] === second && plain[at + 2] === third) return plain[at + 3]!;
      if (plain[at] === 0) break;
    }
    const number = this.#numberOfNew(this.#keyOf(detached(text.slice(start, end))));
    plain.set([first, second, third, number], place * ENTRY_WORDS);
    if (++this.#plainCount * 2 >= mask) this.#enlarge();
    return number;
  }

  #numberOfNew(key: string): number {
    return key === '' ? NO_WORD : this.#keys.push(key) - 1;
  }

  #enlarge(): void {
    const before = this.#plain;
    const plain = (this.#plain = new Int32Array(before.length * 2));
    const mask = plain.length / ENTRY_WORDS - 1;
    for (let from = 0; from < before.length; from += ENTRY_WORDS) {
      if (before[from] === 0) continue;
      let place = placeOf(before[from]!, before[from + 1]!, before[from + 2]!) & mask;
      while (plain[place * ENTRY_WORDS] !== 0) place = (place + 1) & mask;
      // Word by word: a view of each entry takes five times as long.
      for (let word = 0; word < ENTRY_WORDS; word++) plain[place * ENTRY_WORDS + word] = before[from + word]!;
    }
  }
}

function packedLetters(text: string, start: number, end: number): number {
  let packed = 0;
  for (let at = start; at < end; at++) packed = (packed << 8) | FOLDED[text.charCodeAt(at)]!;
  return packed;
}

function placeOf(first: number, second: number, third: number): number {
  const mixed = Math.imul(first, 0x9e3779b1) ^ Math.imul(second, 0x85ebca6b) ^ Math.imul(third, 0xc2b2ae35);
  const again = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d);
  return again ^ (again >>> 13);
}

/** Long words and those of other letters than ASCII's. */
class OtherWords {
  #places = new Int32Array(FIRST_CAPACITY);
  readonly #written: string[] = [];
  readonly #numbers: number[] = [];
  readonly #hashes: number[] = [];

  get count(): number {
    return this.#written.length;
  }

  /** The number of the word, or -1. */
  numberOf(text: string, start: number, end: number): number {
    const hash = hashOf(text, start, end);
    const mask = this.#places.length - 1;
    for (let place = hash & mask; ; place = (place + 1) & mask) {
      const word = this.#places[place]! - 1;
      if (word < 0) return -1;
      if (this.#hashes[word] === hash && isAt(this.#written[word]!, text, start, end))
        return this.#numbers[word]!;
    }
  }

  /** Adds a word that is not there. */
  add(written: string, number: number): void {
    const hash = hashOf(written, 0, written.length);
    const word = this.#written.push(written) - 1;
    this.#numbers.push(number);
    this.#hashes.push(hash);
    if (word * 2 < this.#places.length) this.#place(hash, word);
    else {
      this.#places = new Int32Array(this.#places.length * 2);
      this.#hashes.forEach((each, at) => this.#place(each, at));
    }
  }

  #place(hash: number, word: number): void {
    const mask = this.#places.length - 1;
    let place = hash & mask;
    while (this.#places[place] !== 0) place = (place + 1) & mask;
    this.#places[place] = word + 1;
  }
}

function hashOf(text: string, start: number, end: number): number {
  let hash = end - start;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash ^ (hash >>> 15);
}

function isAt(word: string, text: string, start: number, end: number): boolean {
  if (word.length !== end - start) return false;
  for (let at = 0; at < word.length; at++)
    if (word.charCodeAt(at) !== text.charCodeAt(start + at)) return false;
  return true;
}
