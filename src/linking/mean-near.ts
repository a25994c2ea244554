import type { Ranker } from './ranker.ts';
import type { VaultStore } from './vault-store.ts';

/** The mean of 64 notes is off by about a tenth, and so would be the number of links; of 256 by half of that. */
const SAMPLE = 256;
/** What of the sample a load pays at once; the rest follows over the next calls. */
const SAMPLE_AT_LOAD = 64;
const NEAR = 10;
/** Up to this size every change counts at once; above, one in 16 notes has to change first. */
const EXACT_SIZE = 64;
const STALE_SHARE = 16;
/** So many changes at once are a load, after which the mean of before says little. */
const REPLACED_SHARE = 2;
const SAMPLES_AT_ONCE = 2;
const NEVER_TAKEN = 1e9;

/**
 * How similar a note of this vault is to its ten nearest, on average: what a similarity is measured
 * against. Estimated from the 256 notes of the lowest digests, so it hangs on what the notes say and neither
 * on their ids nor on the order in which they came, and taken again when enough of them changed.
 */
export class MeanNear {
  readonly #store: VaultStore;
  readonly #ranker: Ranker;
  #mean = 0;
  #changes = NEVER_TAKEN;
  #awaited: number[] = [];
  #sum = 0;
  #counted = 0;

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
    if (this.#changes > this.#changesOver(REPLACED_SHARE)) this.#takeAnew(SAMPLE_AT_LOAD);
    else if (this.isDue) this.#goOn();
    return this.#mean;
  }

  /** Whether it is to be taken again, or is being taken. */
  get isDue(): boolean {
    return this.#changes > this.#changesOver(STALE_SHARE) || this.#awaited.length > 0;
  }

  #changesOver(share: number): number {
    const { size } = this.#store;
    return size <= EXACT_SIZE ? 0 : size / share;
  }

  /** Goes on with taking the mean, and begins when it is not under way; gives whether it is taken. */
  refreshSome(samples: number): boolean {
    if (this.#awaited.length === 0) this.#begin();
    for (let taken = 0; taken < samples && this.#awaited.length > 0; taken++) this.#sampleNext();
    if (this.#awaited.length > 0) return false;
    this.#finish();
    return true;
  }

  #takeAnew(atOnce: number): void {
    this.#begin();
    for (let taken = 0; taken < atOnce && this.#awaited.length > 0; taken++) this.#sampleNext();
    this.#finish();
  }

  /** Takes the mean little by little: all at once would keep a request waiting. */
  #goOn(): void {
    if (this.#awaited.length === 0) this.#begin();
    for (let taken = 0; taken < SAMPLES_AT_ONCE && this.#awaited.length > 0; taken++) this.#sampleNext();
    if (this.#awaited.length === 0) this.#finish();
  }

  #begin(): void {
    this.#awaited = this.#store.lowestDigests(SAMPLE).reverse();
    this.#sum = 0;
    this.#counted = 0;
    this.#changes = 0;
  }

  #finish(): void {
    this.#mean = this.#counted === 0 ? 0 : this.#sum / this.#counted;
  }

  #sampleNext(): void {
    const note = this.#store.notes[this.#awaited.pop()!];
    if (note === undefined) return;
    const near = this.#ranker
      .whileLoaded(note, () => this.#ranker.candidates())
      .map(({ similarity }) => similarity)
      .filter((similarity) => similarity > 0)
      .sort((a, b) => b - a)
      .slice(0, NEAR);
    if (near.length === 0) return;
    this.#sum += near.reduce((total, similarity) => total + similarity, 0) / near.length;
    this.#counted++;
  }
}
