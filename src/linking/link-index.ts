import { explanationOf } from './explanation.ts';
import type { Explanation } from './explanation.ts';
import { fingerprintOf } from './fingerprint.ts';
import { MeanNear } from './mean-near.ts';
import { readNote } from './note-words.ts';
import type { LinkableNote } from './note-words.ts';
import { Ranker } from './ranker.ts';
import { keptOf, rankedPairs, reasonsOf } from './related.ts';
import type { Related } from './related.ts';
import { Searcher } from './search.ts';
import type { SearchHit, SearchOptions } from './search.ts';
import { readSnapshot, writeSnapshot } from './snapshot.ts';
import type { StoredNote } from './stored-note.ts';
import { VaultStore } from './vault-store.ts';

// The contract of this folder in one place: callers import from here alone.
export { materiallyChanged } from './fingerprint.ts';
export type { Explanation } from './explanation.ts';
export type { LinkableNote } from './note-words.ts';
export type { Related } from './related.ts';
export type { SearchHit, SearchOptions } from './search.ts';

/** Names the method and its coefficients: weights of different versions do not compare. */
export const ENGINE_VERSION = 'lexical-1';

const DEFAULT_RELATED = 20;
/** About 5 ms each. */
const NOTES_A_SETTLE = 128;
const SAMPLES_A_SETTLE = 16;

/**
 * The links of one owner's notes, in memory. Every answer is a function of the notes that it holds, however
 * they came and went; the one estimate among its statistics is said in `MeanNear`.
 */
export class LinkIndex {
  readonly #store: VaultStore;
  readonly #ranker: Ranker;
  readonly #meanNear: MeanNear;

  readonly #searcher: Searcher;

  constructor(store = new VaultStore()) {
    this.#store = store;
    this.#ranker = new Ranker(store);
    this.#searcher = new Searcher(store);
    this.#meanNear = new MeanNear(store, this.#ranker);
  }

  get size(): number {
    return this.#store.size;
  }

  has(id: string): boolean {
    return this.#store.find(id) !== undefined;
  }

  versionOf(id: string): number | undefined {
    return this.#store.find(id)?.version;
  }

  ids(): Iterable<string> {
    return this.#store.ids();
  }

  /** Adds a note, or replaces the one of its id. */
  put(note: LinkableNote): void {
    this.#store.put(note);
    this.#meanNear.noteChange();
  }

  /** Takes a note out; says whether it was there. */
  remove(id: string): boolean {
    const removed = this.#store.remove(id);
    if (removed) this.#meanNear.noteChange();
    return removed;
  }

  /**
   * Brings up to date what is otherwise brought up to date over the next calls: the mean similarity of near
   * notes, and who names a title that very many notes name. After it, two indexes of the same notes give the
   * same answers.
   */
  settle(): void {
    while (!this.settleSome({ exact: true }));
  }

  /**
   * A part of that, of some milliseconds; gives whether all is done. Unless it is to be `exact`, the mean similarity is
   * taken again only where the next calls would: one in 16 notes has changed since. Taking it is a third of what linking
   * 100 notes among 10,000 costs.
   */
  settleSome({ exact }: { readonly exact: boolean }): boolean {
    if (!this.#store.mentions.settleSome(NOTES_A_SETTLE)) return false;
    return !(exact || this.#meanNear.isDue) || this.#meanNear.refreshSome(SAMPLES_A_SETTLE);
  }

  /** The notes nearest to a stored note, by weight and then id; none when it is not stored. */
  related(id: string, limit = DEFAULT_RELATED): Related[] {
    const note = this.#store.find(id);
    return note === undefined ? [] : this.#relatedTo(note, limit);
  }

  /** What `kept(related(id))` gives, in less time: reasons are sought for the kept links alone. */
  links(id: string): Related[] {
    const note = this.#store.find(id);
    return note === undefined ? [] : this.#relatedTo(note, DEFAULT_RELATED, { keptOnly: true });
  }

  /** The same for a note that is not stored, or not as it is now; the index is as before. */
  preview(note: LinkableNote, limit = DEFAULT_RELATED): Related[] {
    const meanNear = this.#meanNear.current();
    return this.#store.whileReplaced(note, (stored) => this.#relatedTo(stored, limit, { meanNear }));
  }

  /** The links that a note keeps of its related ones: the strong, or the best few that are not too weak. */
  kept(related: readonly Related[]): Related[] {
    return keptOf(related);
  }

  /** A fingerprint of what the note is linked by, for `materiallyChanged`. */
  fingerprint(note: LinkableNote): string {
    return fingerprintOf(readNote(note, this.#store.cutter));
  }

  /** Why two notes are as near as they are. Either may be stored, or not, or not as it is now. */
  explain(a: LinkableNote, b: LinkableNote): Explanation {
    const meanNear = this.#meanNear.current();
    const { cutter, lexicon, trie } = this.#store;
    const parts = { engine: ENGINE_VERSION, meanNear, ranker: this.#ranker, lexicon, trie };
    return this.#whileStored(a, (storedA) =>
      this.#whileStored(b, (storedB) =>
        this.#ranker.whileLoaded(storedA, () =>
          explanationOf(
            { stored: storedA, words: readNote(a, cutter) },
            { stored: storedB, words: readNote(b, cutter) },
            parts,
          ),
        ),
      ),
    );
  }

  /** Finds notes by words: every note with one of them, those with more of them and rarer ones first. */
  search(query: string, options?: SearchOptions): SearchHit[] {
    return this.#searcher.search(query, options);
  }

  /** The whole index as bytes, for `deserialize` of the same engine version. */
  serialize(): Uint8Array {
    return writeSnapshot(this.#store, { engine: ENGINE_VERSION, ...this.#meanNear.state() });
  }

  /** The index that `serialize` wrote. Throws a plain `Error` on bytes that are foreign or damaged. */
  static deserialize(bytes: Uint8Array): LinkIndex {
    const { store, statistics } = readSnapshot(bytes, ENGINE_VERSION);
    const index = new LinkIndex(store);
    index.#meanNear.restore(statistics.meanNear, statistics.changesSince);
    return index;
  }

  /** A stored note counts as it is stored; another stands in for it, or is added, for the moment. */
  #whileStored<T>(note: LinkableNote, use: (stored: StoredNote) => T): T {
    const stored = this.#store.find(note.id);
    return stored?.version === note.version ? use(stored) : this.#store.whileReplaced(note, use);
  }

  #relatedTo(
    note: StoredNote,
    limit: number,
    { meanNear = this.#meanNear.current(), keptOnly = false }: RankingOptions = {},
  ): Related[] {
    const parts = { ranker: this.#ranker, lexicon: this.#store.lexicon };
    return this.#ranker.whileLoaded(note, () => {
      const ranked = rankedPairs(this.#ranker.candidates(), meanNear).slice(0, limit);
      return (keptOnly ? keptOf(ranked) : ranked).map(({ pair, weight }) => ({
        id: pair.note.id,
        weight,
        reasons: reasonsOf(note, pair, meanNear, parts),
      }));
    });
  }
}

interface RankingOptions {
  readonly meanNear?: number;
  readonly keptOnly?: boolean;
}
