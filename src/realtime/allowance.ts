import type { Clock } from '../shared/clock.ts';

/** So many at once, and so many a second after that. */
export class Allowance {
  readonly #clock: Clock;
  readonly #atOnce: number;
  readonly #aSecond: number;
  #left: number;
  #atMs: number;

  constructor(clock: Clock, rate: { readonly atOnce: number; readonly aSecond: number }) {
    this.#clock = clock;
    this.#atOnce = rate.atOnce;
    this.#aSecond = rate.aSecond;
    this.#left = rate.atOnce;
    this.#atMs = clock.nowMs();
  }

  /** Whether one more is allowed now; it is counted then. */
  take(): boolean {
    const now = this.#clock.nowMs();
    const gained = (Math.max(0, now - this.#atMs) / 1_000) * this.#aSecond;
    this.#left = Math.min(this.#atOnce, this.#left + gained);
    this.#atMs = now;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}
