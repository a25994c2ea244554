/** A set of slots that is emptied at no cost. */
export class SlotMarks {
  #stamps = new Uint32Array(0);
  #stamp = 0;
  #all = false;

  /** Forgets all marks; slots below `bound` may be marked. */
  clear(bound: number): void {
    this.#all = false;
    this.#stamp++;
    if (this.#stamps.length >= bound && this.#stamp < 2 ** 32) return;
    this.#stamps = new Uint32Array(bound * 2);
    this.#stamp = 1;
  }

  add(slot: number): void {
    this.#stamps[slot] = this.#stamp;
  }

  /** Adds slots, or every slot there is when they are more than `most`. */
  mark(slots: readonly number[], most: number): void {
    if (slots.length > most) this.#all = true;
    else for (const slot of slots) this.#stamps[slot] = this.#stamp;
  }

  has(slot: number): boolean {
    return this.#all || this.#stamps[slot] === this.#stamp;
  }
}
