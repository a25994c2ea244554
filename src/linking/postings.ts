import { grownUint32 } from './lexicon.ts';

const CHUNK_BITS = 20;
const FIRST_CHUNK_SIZE = 4096;
const CHUNK_SIZE = 1 << CHUNK_BITS;
const CHUNK_MASK = CHUNK_SIZE - 1;
const INITIAL_TERMS = 1024;

/** log2(1 + count): what a term counted so often weighs in a note. Counts stop at 255. */
export const COUNT_WEIGHT = Float64Array.from({ length: 256 }, (_, count) => Math.log2(1 + count));

/**
 * For each term the notes that have it and how often, as `slot * 256 + count` in one word. Lists live in
 * blocks of powers of two inside chunks of 4 MB: a list that grows moves alone, and memory never has to be
 * copied whole, so no addition waits long.
 */
export class Postings {
  readonly #chunks: Uint32Array[] = [new Uint32Array(FIRST_CHUNK_SIZE)];
  readonly #freeBlocks: number[][] = [];
  #tail = 0;
  #starts = new Uint32Array(INITIAL_TERMS);
  #lengths = new Uint32Array(INITIAL_TERMS);
  /** One more than the power of two of each list's room; 0 for none. */
  #rooms = new Uint8Array(INITIAL_TERMS);

  /** In how many notes the term is. */
  frequency(term: number): number {
    return term < this.#lengths.length ? this.#lengths[term]! : 0;
  }

  /** Takes over the whole list of a term that has none, as `list` gave it. */
  restore(term: number, list: Uint32Array): void {
    this.#reach(term);
    if (list.length === 0) return;
    this.#move(term, 33 - Math.clz32(list.length - 1));
    const start = this.#starts[term]!;
    this.#chunks[start >>> CHUNK_BITS]!.set(list, start & CHUNK_MASK);
    this.#lengths[term] = list.length;
  }

  /** Adds a note to a term's list; the caller knows that it is not in it. */
  add(term: number, slot: number, count: number): void {
    this.#reach(term);
    const length = this.#lengths[term]!;
    const room = this.#rooms[term]!;
    if (room === 0 || length === 1 << (room - 1)) this.#move(term, room + 1);
    const start = this.#starts[term]!;
    this.#chunks[start >>> CHUNK_BITS]![(start & CHUNK_MASK) + length] = (slot << 8) | count;
    this.#lengths[term] = length + 1;
  }

  /** Takes a note out of a term's list and says how many remain. */
  remove(term: number, slot: number): number {
    const list = this.list(term);
    // From the end: what was added last is replaced or undone most.
    let at = list.length - 1;
    while (at >= 0 && list[at]! >>> 8 !== slot) at--;
    if (at < 0) return list.length;
    const remaining = list.length - 1;
    list[at] = list[remaining]!;
    this.#lengths[term] = remaining;
    const room = this.#rooms[term]!;
    // Well below half, so that a list does not move to and fro.
    if (remaining === 0) this.#leave(term);
    else if (remaining * 4 <= 1 << (room - 1)) this.#move(term, room - 1);
    return remaining;
  }

  /** The postings of a term, in no particular order: a view that the next change makes stale. */
  list(term: number): Uint32Array {
    const start = this.#starts[term]!;
    const from = start & CHUNK_MASK;
    return this.#chunks[start >>> CHUNK_BITS]!.subarray(from, from + this.#lengths[term]!);
  }

  /**
   * Looks at where the list of a term begins. Lists lie all over memory, which answers many looks side by
   * side when nothing waits for one of them: look at all lists first and use them then. What it gives means
   * nothing, but has to be kept somewhere, or a compiler would leave out the look.
   */
  touch(term: number): number {
    const start = this.#starts[term]!;
    return this.#chunks[start >>> CHUNK_BITS]![start & CHUNK_MASK]!;
  }

  /** Adds `weight` times each note's term weight to `sums`, listing notes met for the first time. */
  accumulate(
    term: number,
    weight: number,
    sums: Float64Array,
    touched: Uint32Array,
    touchedCount: number,
  ): number {
    const start = this.#starts[term]!;
    const chunk = this.#chunks[start >>> CHUNK_BITS]!;
    const from = start & CHUNK_MASK;
    const end = from + this.#lengths[term]!;
    let count = touchedCount;
    for (let at = from; at < end; at++) {
      const posting = chunk[at]!;
      const slot = posting >>> 8;
      const sum = sums[slot]!;
      if (sum === 0) touched[count++] = slot;
      sums[slot] = sum + weight * COUNT_WEIGHT[posting & 255]!;
    }
    return count;
  }

  #reach(term: number): void {
    if (term < this.#lengths.length) return;
    this.#starts = grownUint32(this.#starts, term * 2);
    this.#lengths = grownUint32(this.#lengths, term * 2);
    const rooms = new Uint8Array(term * 2);
    rooms.set(this.#rooms);
    this.#rooms = rooms;
  }

  /** Moves a list to a block of another room. */
  #move(term: number, room: number): void {
    const to = this.#allocate(room - 1);
    const length = this.#lengths[term]!;
    if (length > 0) {
      const from = this.#starts[term]!;
      const source = this.#chunks[from >>> CHUNK_BITS]!;
      const target = this.#chunks[to >>> CHUNK_BITS]!;
      for (let at = 0; at < length; at++) target[(to & CHUNK_MASK) + at] = source[(from & CHUNK_MASK) + at]!;
    }
    if (this.#rooms[term] !== 0) this.#leave(term);
    this.#starts[term] = to;
    this.#rooms[term] = room;
  }

  #leave(term: number): void {
    (this.#freeBlocks[this.#rooms[term]! - 1] ??= []).push(this.#starts[term]!);
    this.#rooms[term] = 0;
  }

  #allocate(sizeClass: number): number {
    const reused = this.#freeBlocks[sizeClass]?.pop();
    if (reused !== undefined) return reused;
    const size = 2 ** sizeClass;
    if (size > CHUNK_SIZE) throw new Error(`a term in more than ${CHUNK_SIZE} notes is beyond this index`);
    // A chunk's last room may be too small and is then left over.
    if ((this.#tail & CHUNK_MASK) + size > CHUNK_SIZE || this.#tail >>> CHUNK_BITS >= this.#chunks.length) {
      this.#tail = this.#chunks.length << CHUNK_BITS;
      this.#chunks.push(new Uint32Array(CHUNK_SIZE));
    }
    const at = this.#tail;
    this.#tail += size;
    const last = this.#chunks.length - 1;
    const used = (at & CHUNK_MASK) + size;
    const chunk = this.#chunks[last]!;
    // Only the first chunk starts small: most owners have few notes.
    if (used > chunk.length) {
      this.#chunks[last] = grownUint32(chunk, Math.min(CHUNK_SIZE, Math.max(used, chunk.length * 2)));
    }
    return at;
  }
}
