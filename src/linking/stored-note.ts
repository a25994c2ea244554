/** A note as the index keeps it: numbers, and the two strings by which people know it. */
export interface StoredNote {
  readonly slot: number;
  readonly id: string;
  readonly title: string;
  readonly version: number;
  /** Each term of the note once, as `term * 256 + count`, in the order of first use. */
  readonly features: Uint32Array;
  /** The terms of the title, a 0, and the terms of the text in their order. */
  readonly sequence: Uint32Array;
  /** How many of the features are terms of the title: those come first. */
  readonly titleTerms: number;
  /** What names this note: its title and aliases, as phrases of the trie. */
  readonly phrases: readonly number[];
  /** The sum of its counts, by which search judges how long it is. */
  readonly length: number;
  /** By what similarities of this note are divided. */
  readonly pivot: number;
  /** A hash of what the note says: what chance would decide is decided by it, as ids differ at every import. */
  readonly digest: number;
}

/** Orders notes by what they say, and by their ids when they say the same. */
export function compareNotes(a: StoredNote, b: StoredNote): number {
  return a.digest - b.digest || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}
