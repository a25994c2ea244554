/** Work that waits: what somebody waits for by itself, and bulk work, which is taken up when there is none of that. */
export class WriteQueue<W extends { readonly bulk: boolean }> {
  readonly #awaited = new Lane<W>();
  readonly #bulk = new Lane<W>();

  get size(): number {
    return this.#awaited.size + this.#bulk.size;
  }

  push(work: W): void {
    (work.bulk ? this.#bulk : this.#awaited).push(work);
  }

  /** The next piece of work; none of bulk when `awaitedOnly`, so that a round in which somebody waits is short. */
  take(awaitedOnly: boolean): W | undefined {
    return this.#awaited.take() ?? (awaitedOnly ? undefined : this.#bulk.take());
  }

  /** To the front, in this order. */
  putBack(works: readonly W[]): void {
    this.#awaited.putBack(works.filter((work) => !work.bulk));
    this.#bulk.putBack(works.filter((work) => work.bulk));
  }
}

/** First in, first out; `Array.shift` would move all that follow at each step. */
class Lane<W> {
  #works: W[] = [];
  #next = 0;

  get size(): number {
    return this.#works.length - this.#next;
  }

  push(work: W): void {
    this.#works.push(work);
  }

  take(): W | undefined {
    if (this.#next === this.#works.length) return undefined;
    const work = this.#works[this.#next++];
    if (this.#next === this.#works.length) {
      this.#works = [];
      this.#next = 0;
    }
    return work;
  }

  putBack(works: readonly W[]): void {
    if (works.length === 0) return;
    this.#works = [...works, ...this.#works.slice(this.#next)];
    this.#next = 0;
  }
}
