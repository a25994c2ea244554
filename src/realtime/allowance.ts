import type { Clock } from '../shared/clock.ts';

export interface Rate {
  readonly atOnce: number;
  readonly aSecond: number;
}

/** So many at once, and so many a second after that. */
export class Allowance {
  readonly #clock: Clock;
  readonly #rate: Rate;
  #left: number;
  #atMs: number;

  constructor(clock: Clock, rate: Rate) {
    this.#clock = clock;
    this.#rate = rate;
    this.#left = rate.atOnce;
    this.#atMs = clock.nowMs();
  }

  /** Whether one more is allowed now; it is counted then. */
  take(): boolean {
    const now = this.#clock.nowMs();
    const gained = (Math.max(0, now - this.#atMs) / 1_000) * this.#rate.aSecond;
    this.#left = Math.min(this.#rate.atOnce, this.#left + gained);
    this.#atMs = now;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}
