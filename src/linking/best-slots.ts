import type { StoredNote } from './stored-note.ts';

/** The best few of many slots, ties broken by the note's id; offered twice, a slot keeps its best. */
export class BestSlots {
  readonly #limit: number;
  readonly #notes: readonly (StoredNote | undefined)[];
  readonly #slots: number[] = [];
  readonly #scores: number[] = [];

  constructor(limit: number, notes: readonly (StoredNote | undefined)[]) {
    this.#limit = limit;
    this.#notes = notes;
  }

  /** Below this no score is taken. */
  get least(): number {
    return this.#slots.length < this.#limit ? -Infinity : (this.#scores[this.#limit - 1] ?? Infinity);
  }

  offer(slot: number, score: number): void {
    const slots = this.#slots;
    const scores = this.#scores;
    const last = slots.length - 1;
    const full = slots.length >= this.#limit;
    if (full && (last < 0 || !this.#before(slot, score, slots[last]!, scores[last]!))) return;
    const known = slots.indexOf(slot);
    if (known >= 0) {
      if (scores[known]! >= score) return;
      slots.splice(known, 1);
      scores.splice(known, 1);
    } else if (full) {
      slots.pop();
      scores.pop();
    }
    let at = slots.length;
    while (at > 0 && this.#before(slot, score, slots[at - 1]!, scores[at - 1]!)) at--;
    slots.splice(at, 0, slot);
    scores.splice(at, 0, score);
  }

  /** Best first. */
  slots(): readonly number[] {
    return this.#slots;
  }

  /** The scores of `slots`, in their order. */
  scores(): readonly number[] {
    return this.#scores;
  }

  #before(slot: number, score: number, other: number, otherScore: number): boolean {
    return score > otherScore || (score === otherScore && this.#notes[slot]!.id < this.#notes[other]!.id);
  }
}
