/** Items for one consumer who takes them one by one, until the source ends or fails. */
export class ItemQueue<T> implements AsyncIterableIterator<T, undefined> {
  readonly #items: T[] = [];
  readonly #onTaken: () => void;
  readonly #onLeft: () => void;
  #waiting: PromiseWithResolvers<IteratorResult<T, undefined>>[] = [];
  #end: { readonly error?: Error | undefined } | undefined;

  constructor(hooks: { readonly onTaken: () => void; readonly onLeft: () => void }) {
    this.#onTaken = hooks.onTaken;
    this.#onLeft = hooks.onLeft;
  }

  get size(): number {
    return this.#items.length;
  }

  push(item: T): void {
    const waiting = this.#waiting.shift();
    if (waiting) waiting.resolve({ value: item, done: false });
    else this.#items.push(item);
  }

  /** What is there is still given out; then comes the end, or the error. */
  end(error?: Error): void {
    this.#end ??= { error };
    for (const waiting of this.#waiting) {
      if (error) waiting.reject(error);
      else waiting.resolve({ value: undefined, done: true });
    }
    this.#waiting = [];
  }

  async next(): Promise<IteratorResult<T, undefined>> {
    if (this.#items.length > 0) {
      const value = this.#items.shift() as T;
      this.#onTaken();
      return { value, done: false };
    }
    if (this.#end?.error) throw this.#end.error;
    if (this.#end) return { value: undefined, done: true };
    const waiting = Promise.withResolvers<IteratorResult<T, undefined>>();
    this.#waiting.push(waiting);
    return waiting.promise;
  }

  async return(): Promise<IteratorResult<T, undefined>> {
    this.#items.length = 0;
    this.end();
    this.#onLeft();
    return { value: undefined, done: true };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }
}
