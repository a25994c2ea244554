import type { Lexicon } from './lexicon.ts';
import type { StoredNote } from './stored-note.ts';
import type { TitleTrie } from './title-trie.ts';

/**
 * Orders notes by their words alone: title and text, then what names them, then what else counts. 0 is of two that the
 * engine cannot tell from each other.
 */
export function compareWords(
  a: StoredNote,
  b: StoredNote,
  { lexicon, trie }: { readonly lexicon: Lexicon; readonly trie: TitleTrie },
): number {
  const bySpelling = (x: number, y: number): number => lexicon.compare(x, y);
  const namesOf = ({ phrases }: StoredNote): number[] =>
    phrases.flatMap((phrase) => [...trie.termsOf(phrase), 0]);
  return (
    compareLists(a.sequence, b.sequence, bySpelling) ||
    compareLists(namesOf(a), namesOf(b), bySpelling) ||
    compareFeatures(a.features, b.features, bySpelling)
  );
}

type Compare = (x: number, y: number) => number;

function compareLists(a: ArrayLike<number>, b: ArrayLike<number>, compare: Compare): number {
  for (let at = 0; at < a.length && at < b.length; at++) {
    if (a[at] !== b[at]) return compare(a[at]!, b[at]!);
  }
  return a.length - b.length;
}

/** The terms of a note have no order that lasts, but those of copies are most often in the same. */
function compareFeatures(a: Uint32Array, b: Uint32Array, compare: Compare): number {
  const byTerm: Compare = (x, y) => compare(x >>> 8, y >>> 8) || x - y;
  if (compareLists(a, b, byTerm) === 0) return 0;
  return compareLists(a.toSorted(byTerm), b.toSorted(byTerm), byTerm);
}
