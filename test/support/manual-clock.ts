import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../../src/shared/clock.ts';

/** Turns of the event loop after which whatever a step set off is done: no chain of a step is longer. */
const TURNS = 12;

/** Everything that is under way, timers aside, comes to its end. */
export async function settle(turns = TURNS): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await nextTurn();
}

/** Time that goes when it is told to. */
export class ManualClock implements Clock {
  readonly #timers = new Set<{ readonly atMs: number; readonly work: () => void }>();
  readonly #random: () => number;
  #nowMs: number;

  constructor(startMs = Date.parse('2026-01-02T03:04:05Z'), random: () => number = () => 0.5) {
    this.#nowMs = startMs;
    this.#random = random;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  random(): number {
    return this.#random();
  }

  after(delayMs: number, work: () => void): () => void {
    const timer = { atMs: this.#nowMs + Math.max(0, delayMs), work };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  get waiting(): number {
    return this.#timers.size;
  }

  /** Lets this much time go by; what a timer sets off is done before the next one runs. */
  async advance(ms: number): Promise<void> {
    await settle(); // what was begun may set timers
    const endMs = this.#nowMs + ms;
    for (;;) {
      const [next] = [...this.#timers].filter((timer) => timer.atMs <= endMs).sort((a, b) => a.atMs - b.atMs);
      if (!next) break;
      this.#timers.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.work();
      await settle(3);
    }
    this.#nowMs = endMs;
    await settle();
  }
}
