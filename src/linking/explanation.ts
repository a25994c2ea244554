import type { Lexicon } from './lexicon.ts';
import type { NoteWords } from './note-words.ts';
import { signalsOf } from './ranker.ts';
import type { Pair, Ranker } from './ranker.ts';
import type { StoredNote } from './stored-note.ts';
import type { TitleTrie } from './title-trie.ts';
import { componentsOf, coverageLift, logitOf, namingLift, similarityLift, weightOf } from './weight.ts';
import type { Component } from './weight.ts';

/** Offsets into the text of a note as it was given, the end exclusive. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A term or title that speaks for a link, and where it stands in both texts. */
export interface Match {
  readonly term: string;
  /** Its share, in [0,1], of all that speaks for the link. */
  readonly contribution: number;
  readonly a: readonly Span[];
  readonly b: readonly Span[];
}

/** The whole sum behind a weight. */
export interface Explanation {
  readonly engine: string;
  readonly weight: number;
  readonly logit: number;
  readonly components: readonly Component[];
  readonly matches: readonly Match[];
}

/** A note as stored and as written. */
export interface ExplainedNote {
  readonly stored: StoredNote;
  readonly words: NoteWords;
}

interface Parts {
  readonly engine: string;
  readonly meanNear: number;
  readonly ranker: Ranker;
  readonly lexicon: Lexicon;
  readonly trie: TitleTrie;
}

const MAX_TERMS = 24;
const MAX_SPANS = 50;

/** Explains the weight of two notes that are both in the index, `a` being loaded in the ranker. */
export function explanationOf(a: ExplainedNote, b: ExplainedNote, parts: Parts): Explanation {
  const pair = parts.ranker.pair(b.stored);
  const signals = signalsOf(pair, parts.meanNear);
  const logit = logitOf(signals);
  const components = componentsOf(signals);
  const total = similarityLift(signals) + namingLift(signals) + coverageLift(signals);
  const matches = [...titleMatches(a, b, pair, { naming: namingLift(signals) / (total || 1), ...parts })];
  for (const { term, share } of parts.ranker.sharedTerms(b.stored, MAX_TERMS)) {
    const key = parts.lexicon.keyOf(term);
    matches.push({
      term: parts.lexicon.surfaceOf(term),
      contribution: (share * similarityLift(signals)) / (total || 1),
      a: spansOf([key], a.words),
      b: spansOf([key], b.words),
    });
  }
  matches.sort((x, y) => y.contribution - x.contribution);
  return { engine: parts.engine, weight: weightOf(logit), logit, components, matches };
}

function* titleMatches(
  a: ExplainedNote,
  b: ExplainedNote,
  pair: Pair,
  { naming, lexicon, trie }: Parts & { readonly naming: number },
): Iterable<Match> {
  const both = pair.names + pair.named;
  const keysOf = (phrase: number) => trie.termsOf(phrase).map((term) => lexicon.keyOf(term));
  if (pair.names > 0) {
    const spans = b.stored.phrases.flatMap((phrase) => spansOf(keysOf(phrase), a.words));
    yield {
      term: b.stored.title,
      contribution: (naming * pair.names) / both,
      a: spans.slice(0, MAX_SPANS),
      b: [],
    };
  }
  if (pair.named > 0) {
    const spans = a.stored.phrases.flatMap((phrase) => spansOf(keysOf(phrase), b.words));
    yield {
      term: a.stored.title,
      contribution: (naming * pair.named) / both,
      a: [],
      b: spans.slice(0, MAX_SPANS),
    };
  }
}

/** Where the keys stand one after the other in a note's text. */
function spansOf(keys: readonly string[], { body }: NoteWords): Span[] {
  const spans: Span[] = [];
  const first = keys[0];
  if (first === undefined) return spans;
  for (let at = body.keys.indexOf(first); at >= 0; at = body.keys.indexOf(first, at + 1)) {
    if (spans.length === MAX_SPANS) break;
    let length = 1;
    while (length < keys.length && body.keys[at + length] === keys[length]) length++;
    if (length === keys.length) spans.push({ start: body.starts[at]!, end: body.ends[at + length - 1]! });
  }
  return spans;
}
