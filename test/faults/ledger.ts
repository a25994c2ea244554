import type { Expectation, Facts } from './oracle.ts';

type Kind = Expectation['kind'];

/** What clients were told so far, and what they asked for and did not hear of. */
export class Ledger {
  readonly #entries = new Map<string, Expectation>();

  get expectations(): Iterable<Expectation> {
    return this.#entries.values();
  }

  get size(): number {
    return this.#entries.size;
  }

  /** A change was asked for: from now on the thing may be as it was told, or as it is asked to be. */
  ask(kind: Kind, id: string, facts: Facts | 'gone'): void {
    const told = this.#entries.get(id)?.anyOf ?? [];
    this.#entries.set(id, { kind, id, anyOf: [...told, facts] });
  }

  /** The change was acknowledged: nothing else may be there. */
  acknowledge(kind: Kind, id: string, facts: Facts | 'gone'): void {
    this.#entries.set(id, { kind, id, anyOf: [facts] });
  }
}
