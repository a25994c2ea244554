const SHORTEST_MS = 500;
const LONGEST_MS = 30_000;

/**
 * How long to wait before trying again: anything up to half a second, and with each failure up to twice as long, up
 * to half a minute. Full jitter, https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter
 */
export class Backoff {
  readonly #random: () => number;
  #failures = 0;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** At least `leastMs`, which the server may have asked for. */
  nextMs(leastMs = 0): number {
    const ceiling = Math.min(LONGEST_MS, SHORTEST_MS * 2 ** this.#failures);
    this.#failures = Math.min(this.#failures + 1, 16);
    return leastMs + this.#random() * ceiling;
  }

  reset(): void {
    this.#failures = 0;
  }
}
