import { detached } from './characters.ts';

// One Map would pause for tens of milliseconds when it doubles past half a million entries.
const SHARDS = 64;
const INITIAL_CAPACITY = 1024;

function shardOf(key: string): number {
  const last = key.length - 1;
  return (
    (key.charCodeAt(0) * 31 + key.charCodeAt(last >> 1) * 7 + key.charCodeAt(last) + key.length) &
    (SHARDS - 1)
  );
}

function openingOf(text: string): number {
  return ((text.charCodeAt(0) << 16) | (text.length > 1 ? text.charCodeAt(1) : 0)) >>> 0;
}

/** FNV-1a with a final mix, over UTF-16 units: the same on every machine. */
export function stringHash(text: string, seed = 0): number {
  let hash = 0x811c9dc5 ^ seed;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** A copy of an array with more room, for arrays that double. */
export function grownUint32(array: Uint32Array, capacity: number): Uint32Array<ArrayBuffer> {
  const next = new Uint32Array(capacity);
  next.set(array);
  return next;
}

/** Which letters a word has, one of 32 bits for each: words of one edit differ in two bits at most. */
export function lettersOf(word: string): number {
  let letters = 0;
  for (let at = 0; at < word.length; at++) letters |= 1 << (word.charCodeAt(at) & 31);
  return letters >>> 0;
}

/**
 * Every term that a note of the index has: key to number and back. Number 0 is no term. Numbers of
 * released terms are given again, so nothing may keep one beyond the notes that have it.
 */
export class Lexicon {
  readonly #shards: Map<string, number>[] = Array.from({ length: SHARDS }, () => new Map<string, number>());
  /** By the first two units in one number the last term added, from which `#nexts` leads to the others. */
  readonly #byOpening = new Map<number, number>();
  #nexts = new Uint32Array(INITIAL_CAPACITY);
  #befores = new Uint32Array(INITIAL_CAPACITY);
  readonly #keys: string[] = [''];
  readonly #surfaces: string[] = [''];
  readonly #free: number[] = [];
  #releases = 0;
  #hashes = new Uint32Array(INITIAL_CAPACITY);
  #letters = new Uint32Array(INITIAL_CAPACITY);

  /** One more than the greatest term number. */
  get bound(): number {
    return this.#keys.length;
  }

  /** How many terms have been released so far: while it stays, every number keeps its meaning. */
  get releases(): number {
    return this.#releases;
  }

  find(key: string): number {
    return this.#shards[shardOf(key)]!.get(key) ?? 0;
  }

  /** The number of `key`, which is added when new with the form in which it was written. */
  intern(key: string, text: string, start: number, end: number): number {
    const shard = this.#shards[shardOf(key)]!;
    const known = shard.get(key);
    if (known !== undefined) return known;
    const surface = text.slice(start, end);
    return this.#add(shard, key, surface === key ? key : detached(surface.slice(0, 64)));
  }

  /** Adds a term read from a snapshot, whose strings are nobody's slices. */
  restore(key: string, surface: string): number {
    return this.#add(this.#shards[shardOf(key)]!, key, surface);
  }

  release(term: number): void {
    const key = this.#keys[term]!;
    this.#shards[shardOf(key)]!.delete(key);
    this.#leaveOpening(term, openingOf(key));
    this.#keys[term] = '';
    this.#surfaces[term] = '';
    this.#free.push(term);
    this.#releases++;
  }

  keyOf(term: number): string {
    return this.#keys[term]!;
  }

  /** How the term was first written, for people to read. */
  surfaceOf(term: number): string {
    return this.#surfaces[term]!;
  }

  hashOf(term: number): number {
    return this.#hashes[term]!;
  }

  /** `lettersOf` the term. */
  lettersOf(term: number): number {
    return this.#letters[term]!;
  }

  isTag(term: number): boolean {
    return this.#keys[term]!.charCodeAt(0) === 35;
  }

  /** Orders terms by their spelling alone, so that nothing hangs on when a term was first met. */
  compare(a: number, b: number): number {
    const byHash = this.#hashes[a]! - this.#hashes[b]!;
    if (byHash !== 0) return byHash;
    const [keyA, keyB] = [this.#keys[a]!, this.#keys[b]!];
    return keyA < keyB ? -1 : keyA > keyB ? 1 : 0;
  }

  /** Terms that share their first two characters with `text`. */
  withOpening(text: string): number[] {
    return this.#termsFrom(this.#byOpening.get(openingOf(text)) ?? 0);
  }

  /** Openings that begin with one character. */
  *openingsWith(first: string): Iterable<number[]> {
    for (const [opening, term] of this.#byOpening)
      if (opening >>> 16 === first.charCodeAt(0)) yield this.#termsFrom(term);
  }

  #termsFrom(first: number): number[] {
    const terms: number[] = [];
    for (let term = first; term !== 0; term = this.#nexts[term]!) terms.push(term);
    return terms;
  }

  #leaveOpening(term: number, opening: number): void {
    const next = this.#nexts[term]!;
    const before = this.#befores[term]!;
    this.#befores[next] = before;
    if (before !== 0) this.#nexts[before] = next;
    else if (next !== 0) this.#byOpening.set(opening, next);
    else this.#byOpening.delete(opening);
  }

  #add(shard: Map<string, number>, key: string, surface: string): number {
    const term = this.#free.pop() ?? this.#keys.length;
    this.#keys[term] = key;
    this.#surfaces[term] = surface;
    if (term >= this.#hashes.length) {
      this.#hashes = grownUint32(this.#hashes, term * 2);
      this.#letters = grownUint32(this.#letters, term * 2);
      this.#nexts = grownUint32(this.#nexts, term * 2);
      this.#befores = grownUint32(this.#befores, term * 2);
    }
    this.#letters[term] = lettersOf(key);
    this.#hashes[term] = stringHash(key);
    shard.set(key, term);
    const opening = openingOf(key);
    const next = this.#byOpening.get(opening) ?? 0;
    this.#nexts[term] = next;
    this.#befores[term] = 0;
    this.#befores[next] = term;
    this.#byOpening.set(opening, term);
    return term;
  }
}
