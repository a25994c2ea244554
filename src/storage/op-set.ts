import { keyOf, type Op } from './table.ts';

/** The operations of a transaction, one a key: the last that came, in the place of the first. */
export class OpSet {
  readonly #ops: Op[] = [];
  /** By partition and sort key, the place in `#ops`: two keys joined to one text would have to be hashed each time. */
  readonly #places = new Map<string, Map<string, number>>();

  constructor(ops: readonly Op[] = []) {
    for (const op of ops) this.set(op);
  }

  get size(): number {
    return this.#ops.length;
  }

  get list(): readonly Op[] {
    return this.#ops;
  }

  set(op: Op): void {
    const { pk, sk } = keyOf(op);
    let places = this.#places.get(pk);
    if (!places) this.#places.set(pk, (places = new Map()));
    const place = places.get(sk);
    if (place !== undefined) this.#ops[place] = op;
    else places.set(sk, this.#ops.push(op) - 1);
  }
}
