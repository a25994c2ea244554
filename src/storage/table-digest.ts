import { createHash } from 'node:crypto';
import type { Item } from './table.ts';

/** What a store holds, in figures that two engines share: equal if and only if they hold the same. */
export interface Digest {
  readonly items: number;
  /** By the type of the entity: `node`, `edge`, `category`, `log`, `ref`, … */
  readonly counts: Readonly<Record<string, number>>;
  /** Of all items with keys, types, versions and times to live, whatever their order: 32 hexadecimal digits. */
  readonly hash: string;
}

/**
 * The sum of the items' hashes modulo 2^128, as two sums modulo 2^64: no order is needed, which two engines do not share
 * (M. Bellare, D. Micciancio: A new paradigm for collision-free hashing, 1997).
 */
export class DigestOf {
  readonly #counts = new Map<string, number>();
  #items = 0;
  #high = 0n;
  #low = 0n;

  add({ pk, sk, et, ver, ttl, j }: Item): void {
    const hash = createHash('sha256');
    hash.update(JSON.stringify([pk, sk, et, ver ?? null, ttl ?? null, j]));
    const bytes = hash.digest();
    this.#high = BigInt.asUintN(64, this.#high + bytes.readBigUInt64BE(0));
    this.#low = BigInt.asUintN(64, this.#low + bytes.readBigUInt64BE(8));
    const kind = et.slice(0, et.indexOf('.'));
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1);
    this.#items += 1;
  }

  get digest(): Digest {
    const text = (half: bigint): string => half.toString(16).padStart(16, '0');
    const counts = Object.fromEntries([...this.#counts].toSorted(([a], [b]) => (a < b ? -1 : 1)));
    return { items: this.#items, counts, hash: text(this.#high) + text(this.#low) };
  }
}
