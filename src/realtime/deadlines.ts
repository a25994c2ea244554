import type { Clock } from '../shared/clock.ts';

/** Deadlines within this time share a timer, and are met at its end. */
const GRAIN_MS = 100;

interface Bucket<T> {
  readonly items: Set<T>;
  readonly callOff: () => void;
}

/** When to look at whom, for many at once: a timer of its own would be a tenth of what an idle connection costs. */
export class Deadlines<T> {
  readonly #clock: Clock;
  readonly #onDue: (item: T) => void;
  readonly #buckets = new Map<number, Bucket<T>>();

  constructor(clock: Clock, onDue: (item: T) => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  /** `onDue` is called once, at most `GRAIN_MS` late; early for what is further away than a timer reaches. */
  add(atMs: number, item: T): void {
    const key = keyOf(atMs);
    const bucket = this.#buckets.get(key) ?? this.#open(key);
    bucket.items.add(item);
  }

  remove(atMs: number, item: T): void {
    const key = keyOf(atMs);
    const bucket = this.#buckets.get(key);
    if (!bucket?.items.delete(item) || bucket.items.size > 0) return;
    bucket.callOff();
    this.#buckets.delete(key);
  }

  #open(key: number): Bucket<T> {
    const callOff = this.#clock.after(key - this.#clock.nowMs(), () => {
      const due = this.#buckets.get(key)?.items ?? [];
      this.#buckets.delete(key);
      for (const item of due) this.#onDue(item);
    });
    const bucket = { items: new Set<T>(), callOff };
    this.#buckets.set(key, bucket);
    return bucket;
  }
}

function keyOf(atMs: number): number {
  return Math.ceil(atMs / GRAIN_MS) * GRAIN_MS;
}
