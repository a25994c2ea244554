import { stringHash } from './lexicon.ts';
import type { Ranker } from './ranker.ts';
import type { VaultStore } from './vault-store.ts';

const SAMPLE = 64;
const NEAR = 10;
/** Up to this size every change counts at once; above, one in 16 notes has to change first. */
const EXACT_SIZE = 64;
const STALE_SHARE = 16;
const NEVER_TAKEN = 1e9;

/**
 * How similar a note of this vault is to its ten nearest, on average: what a similarity is measured
 * against. Estimated from the 64 notes whose ids hash lowest, so it hangs on the notes and not on the order
 * in which they came, and taken again when enough of them changed.
 */
export class MeanNear {
  readonly #store: VaultStore;
  readonly #ranker: Ranker;
  #mean = 0;
  #changes = NEVER_TAKEN;

  constructor(store: VaultStore, ranker: Ranker) {
    this.#store = store;
    this.#ranker = ranker;
  }

  /** The mean as a snapshot holds it, with the number of changes since it was taken. */
  state(): { readonly meanNear: number; readonly changesSince: number } {
    return { meanNear: this.#mean, changesSince: Math.min(this.#changes, NEVER_TAKEN) };
  }

  restore(meanNear: number, changesSince: number): void {
    this.#mean = meanNear;
    this.#changes = changesSince;
  }

  noteChange(): void {
    this.#changes++;
  }

  current(): number {
    const { size } = this.#store;
    if (this.#changes > (size <= EXACT_SIZE ? 0 : size / STALE_SHARE)) this.refresh();
    return this.#mean;
  }

  refresh(): void {
    const sample = [...this.#store.all()]
      .map((note) => ({ note, hash: stringHash(note.id) }))
      .sort((a, b) => a.hash - b.hash || (a.note.id < b.note.id ? -1 : 1))
      .slice(0, SAMPLE);
    let sum = 0;
    let counted = 0;
    for (const { note } of sample) {
      const near = this.#ranker
        .candidates(note)
        .map(({ similarity }) => similarity)
        .filter((similarity) => similarity > 0)
        .sort((a, b) => b - a)
        .slice(0, NEAR);
      if (near.length === 0) continue;
      sum += near.reduce((total, similarity) => total + similarity, 0) / near.length;
      counted++;
    }
    this.#mean = counted === 0 ? 0 : sum / counted;
    this.#changes = 0;
  }
}
