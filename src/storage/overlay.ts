import type { Item, Key } from './table.ts';

/** What a round changed in one partition: the item under each sort key, or null where it was deleted. */
class PartitionOverlay {
  readonly #bySortKey = new Map<string, Item | null>();
  /** Every sort key ever set here, in JavaScript's order: in it, too, keys of one prefix stand together. */
  readonly #sorted: string[] = [];

  get(sk: string): Item | null | undefined {
    return this.#bySortKey.get(sk);
  }

  set(sk: string, value: Item | null | undefined): Item | null | undefined {
    const before = this.#bySortKey.get(sk);
    if (value === undefined) {
      this.#bySortKey.delete(sk);
      return before;
    }
    if (before === undefined) {
      const at = this.#firstFrom(sk);
      if (this.#sorted[at] !== sk) this.#sorted.splice(at, 0, sk);
    }
    this.#bySortKey.set(sk, value);
    return before;
  }

  /** The changed sort keys that begin with `prefix`. */
  withPrefix(prefix: string): readonly string[] {
    const found: string[] = [];
    for (let at = this.#firstFrom(prefix); at < this.#sorted.length; at++) {
      const sk = this.#sorted[at] as string;
      if (!sk.startsWith(prefix)) break;
      if (this.#bySortKey.has(sk)) found.push(sk);
    }
    return found;
  }

  #firstFrom(sk: string): number {
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#sorted[middle] as string) < sk) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** What a round of writes changed and has not committed yet. */
export class Overlay {
  readonly #partitions = new Map<string, PartitionOverlay>();

  /** The changed item, null where it was deleted, undefined where nothing changed. */
  get({ pk, sk }: Key): Item | null | undefined {
    return this.#partitions.get(pk)?.get(sk);
  }

  /** Gives what `get` gave before. */
  set({ pk, sk }: Key, value: Item | null | undefined): Item | null | undefined {
    let partition = this.#partitions.get(pk);
    if (!partition) this.#partitions.set(pk, (partition = new PartitionOverlay()));
    return partition.set(sk, value);
  }

  withPrefix(pk: string, prefix: string): readonly string[] {
    return this.#partitions.get(pk)?.withPrefix(prefix) ?? [];
  }
}
