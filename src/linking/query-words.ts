import { editDistanceWithin } from './edit-distance.ts';
import { lettersOf } from './lexicon.ts';
import type { Lexicon } from './lexicon.ts';
import type { Postings } from './postings.ts';
import type { WordCutter } from './words.ts';

/** A term that a word of a query may stand for. */
export interface Variant {
  readonly term: number;
  /** 1 for the word itself, less for what it may have been meant for. */
  readonly closeness: number;
}

interface Vocabulary {
  readonly cutter: WordCutter;
  readonly lexicon: Lexicon;
  readonly postings: Postings;
}

const MAX_QUERY_WORDS = 16;
const MAX_VARIANTS = 24;
const MAX_TYPO_WORDS = 4;
const PREFIX_CLOSENESS = 0.6;
const TYPO_CLOSENESS = 0.4;
const SHORTEST_TYPO = 4;
const TWO_TYPOS_FROM = 8;

/** For each word of a query the terms that it may stand for; words that stand for none are left out. */
export function variantsOfQuery(
  query: string,
  { prefix, typo }: { readonly prefix: boolean; readonly typo: boolean },
  vocabulary: Vocabulary,
): Variant[][] {
  const stream = vocabulary.cutter.cutPlain(query);
  const count = Math.min(MAX_QUERY_WORDS, stream.keys.length);
  const keys = [...new Set(stream.keys.slice(0, count))];
  const tail = prefix ? unfinishedWord(query) : '';
  const lastIsTail = stream.ends[stream.ends.length - 1] === query.length;
  const last = lastIsTail ? stream.keys.at(-1) : undefined; // a word said before, perhaps, or one too many
  const found = keys.map((key) => {
    const opening = key === last ? tail : '';
    return variantsOfWord(key, opening, typo && keys.length <= MAX_TYPO_WORDS, vocabulary);
  });
  // A word that would be too common to count may be the beginning of one that does: "the" of "theory".
  if (!lastIsTail && tail !== '') found.push(withPrefix(tail, vocabulary));
  return found.filter((variants) => variants.length > 0);
}

function unfinishedWord(query: string): string {
  const last = /[\p{L}\p{N}\p{M}]{1,48}$/u.exec(query.slice(-48));
  return last === null ? '' : last[0].normalize('NFKC').toLowerCase();
}

function variantsOfWord(key: string, opening: string, typo: boolean, vocabulary: Vocabulary): Variant[] {
  const term = vocabulary.lexicon.find(key);
  const variants: Variant[] = term === 0 ? [] : [{ term, closeness: 1 }];
  if (opening !== '')
    variants.push(...withPrefix(opening, vocabulary).filter((variant) => variant.term !== term));
  if (variants.length === 0 && typo) variants.push(...withTypo(key, vocabulary));
  return variants;
}

function withPrefix(opening: string, { lexicon, postings }: Vocabulary): Variant[] {
  const lists = opening.length >= 2 ? [lexicon.withOpening(opening)] : lexicon.openingsWith(opening);
  const terms: number[] = [];
  for (const list of lists)
    for (const term of list) if (lexicon.keyOf(term).startsWith(opening)) terms.push(term);
  return mostFrequent(terms, lexicon, postings).map((term) => ({
    term,
    closeness: PREFIX_CLOSENESS * (0.5 + (0.5 * opening.length) / lexicon.keyOf(term).length),
  }));
}

function withTypo(key: string, { lexicon, postings }: Vocabulary): Variant[] {
  if (key.length < SHORTEST_TYPO) return [];
  const most = key.length >= TWO_TYPOS_FROM ? 2 : 1;
  const letters = lettersOf(key);
  const swappedOpening = key.charAt(1) + key.charAt(0);
  const lists = [...lexicon.openingsWith(key.charAt(0)), lexicon.withOpening(swappedOpening)];
  const terms: number[] = [];
  for (const list of lists) {
    for (const term of list) {
      if (bitsOf(letters ^ lexicon.lettersOf(term)) > 2 * most) continue;
      if (editDistanceWithin(key, lexicon.keyOf(term), most)) terms.push(term);
    }
  }
  return mostFrequent(terms, lexicon, postings).map((term) => ({ term, closeness: TYPO_CLOSENESS }));
}

function mostFrequent(terms: readonly number[], lexicon: Lexicon, postings: Postings): number[] {
  return [...new Set(terms)]
    .sort((a, b) => postings.frequency(b) - postings.frequency(a) || lexicon.compare(a, b))
    .slice(0, MAX_VARIANTS);
}

function bitsOf(bits: number): number {
  let rest = bits;
  let count = 0;
  for (; rest !== 0; rest &= rest - 1) count++;
  return count;
}
