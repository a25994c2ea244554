import type { Explanation, LinkableNote, Related, SearchHit, SearchOptions } from '../linking/link-index.ts';
import type { PackedLinks } from './wanted.ts';

/** What is asked of an index in its thread. Each is carried out before the next of the same index begins. */
export interface IndexCalls {
  put(note: LinkableNote): void;
  remove(id: string): void;
  /** Brings up to date a part of what a load left behind; gives whether all is. */
  settle(how: { readonly exact: boolean }): boolean;
  /** The links that each note keeps, as edges store them. */
  links(ids: readonly string[]): PackedLinks;
  related(id: string, limit: number): readonly Related[];
  preview(note: LinkableNote, limit: number): readonly Related[];
  /** What the note would keep as links. */
  previewLinks(note: LinkableNote, limit: number): readonly Related[];
  fingerprint(note: LinkableNote): string;
  explain(a: LinkableNote, b: LinkableNote): Explanation;
  search(query: string, options: SearchOptions): readonly SearchHit[];
  serialize(): Uint8Array;
  /** An index that begins with these bytes, or empty; gives the notes that it holds. Throws on damaged ones. */
  open(bytes: Uint8Array | undefined): readonly (readonly [id: string, version: number])[];
  close(): void;
}

export type IndexMethod = keyof IndexCalls;

/** A call of one index, on its way to the thread. */
export interface IndexCall<M extends IndexMethod = IndexMethod> {
  readonly index: number;
  readonly method: M;
  readonly args: Parameters<IndexCalls[M]>;
}
