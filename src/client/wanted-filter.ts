import type { Filter } from '../api/realtime.ts';

/**
 * What a client wants to hear, and what of that its server knows. One change at a time is on its way: a gateway hands
 * each frame to whoever is free, so of two the first may come last.
 */
export class WantedFilter {
  readonly #ask: (filter: Filter) => void;
  #wanted: Filter | undefined;
  /** The last one that the server was sent on this connection. */
  #sent: Filter | undefined;
  #isAsked = false;

  constructor(first: Filter | undefined, ask: (filter: Filter) => void) {
    this.#wanted = first;
    this.#ask = ask;
  }

  set(filter: Filter): void {
    this.#wanted = filter;
  }

  /** For the hello of a new connection. */
  greet(): Filter | undefined {
    this.#isAsked = false;
    return (this.#sent = this.#wanted);
  }

  /** Asks for what is wanted, if it is something else than what was asked for last and that was answered. */
  ask(): void {
    if (!this.#wanted || this.#wanted === this.#sent || this.#isAsked) return;
    this.#isAsked = true;
    this.#sent = this.#wanted;
    this.#ask(this.#wanted);
  }

  answered(): void {
    this.#isAsked = false;
    this.ask();
  }
}
