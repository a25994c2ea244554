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
  /** The distinct terms of the title. */
  readonly titleTerms: readonly number[];
  /** What names this note: its title and aliases, as phrases of the trie. */
  readonly phrases: readonly number[];
  /** The sum of its counts, by which search judges how long it is. */
  readonly length: number;
  /** By what similarities of this note are divided. */
  readonly pivot: number;
}
