/** What waits, highest priority first, and first come among equals. */
export class PriorityQueue<W extends { readonly priority: number }> {
  readonly #waiting: W[] = [];

  get size(): number {
    return this.#waiting.length;
  }

  push(work: W): void {
    let at = this.#waiting.length;
    while (at > 0 && (this.#waiting[at - 1]?.priority ?? 0) < work.priority) at -= 1;
    this.#waiting.splice(at, 0, work);
  }

  take(): W | undefined {
    return this.#waiting.shift();
  }

  /** Whether it was waiting. */
  remove(work: W): boolean {
    const at = this.#waiting.indexOf(work);
    if (at >= 0) this.#waiting.splice(at, 1);
    return at >= 0;
  }
}
