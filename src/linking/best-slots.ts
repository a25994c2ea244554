import { compareNotes } from './stored-note.ts';
import type { StoredNote } from './stored-note.ts';

/** The best few of many slots, ties broken by the notes; offered twice, a slot keeps its best. */
export class BestSlots {
  readonly #limit: number;
  readonly #notes: readonly (StoredNote | undefined)[];
  readonly #slots: Uint32Array;
  readonly #scores: Float64Array;
  #count = 0;

  constructor(limit: number, notes: readonly (StoredNote | undefined)[]) {
    this.#limit = limit;
    this.#notes = notes;
    this.#slots = new Uint32Array(limit);
    this.#scores = new Float64Array(limit);
  }

  /** Forgets all that was offered. */
  clear(): void {
    this.#count = 0;
  }

  /** Below this no score is taken. */
  get least(): number {
    return this.#count < this.#limit ? -Infinity : (this.#scores[this.#limit - 1] ?? Infinity);
  }

  offer(slot: number, score: number): void {
    const slots = this.#slots;
    const scores = this.#scores;
    const full = this.#count === this.#limit;
    if (full && !this.#isBefore(slot, score, this.#count - 1)) return;
    // The gap that the others move into: the slot's own place, else a new one, else that of the worst.
    let gap = 0;
    while (gap < this.#count && slots[gap] !== slot) gap++;
    if (gap < this.#count) {
      if (scores[gap]! >= score) return;
    } else if (full) gap--;
    else this.#count++;
    for (; gap > 0 && this.#isBefore(slot, score, gap - 1); gap--) {
      slots[gap] = slots[gap - 1]!;
      scores[gap] = scores[gap - 1]!;
    }
    slots[gap] = slot;
    scores[gap] = score;
  }

  /** Best first: a view until the next offer. */
  slots(): Uint32Array {
    return this.#slots.subarray(0, this.#count);
  }

  /** The scores of `slots`, in their order. */
  scores(): Float64Array {
    return this.#scores.subarray(0, this.#count);
  }

  #isBefore(slot: number, score: number, place: number): boolean {
    if (place < 0) return false;
    const other = this.#scores[place]!;
    if (score !== other) return score > other;
    return compareNotes(this.#notes[slot]!, this.#notes[this.#slots[place]!]!) < 0;
  }
}
