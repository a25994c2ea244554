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

  get hasBulk(): boolean {
    return this.#bulk.size > 0;
  }

  /** The next piece of work; none of bulk when `awaitedOnly`. */
  take(awaitedOnly: boolean): W | undefined {
    return this.#awaited.take() ?? (awaitedOnly ? undefined : this.#bulk.take());
  }

  takeBulk(): W | undefined {
    return this.#bulk.take();
  }

  /** To the front, in this order. */
  putBack(works: readonly W[]): void {
    this.#awaited.putBack(works.filter((work) => !work.bulk));
    this.#bulk.putBack(works.filter((work) => work.bulk));
  }
}

/** Works taken that stay in the list, at most: it is cut when they are as many as those that wait. */
const TAKEN_KEPT = 256;

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
    if (this.#next >= TAKEN_KEPT && this.#next >= this.size) this.#cut();
    return work;
  }

  putBack(works: readonly W[]): void {
    if (works.length === 0) return;
    this.#cut();
    this.#works = [...works, ...this.#works];
  }

  /** Lets go of what was taken: a lane may never be empty while a long bulk runs. */
  #cut(): void {
    this.#works = this.#works.slice(this.#next);
    this.#next = 0;
  }
}
