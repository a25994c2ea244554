import type { Lexicon } from './lexicon.ts';
import { signalsOf } from './ranker.ts';
import type { Pair, Ranker } from './ranker.ts';
import { compareNotes } from './stored-note.ts';
import type { StoredNote } from './stored-note.ts';
import { coverageLift, logitOf, namingLift, similarityLift, weightOf } from './weight.ts';

/** Why two notes are linked. */
export interface Reason {
  readonly kind: 'names' | 'named-by' | 'covers' | 'term' | 'tag';
  /** A title, or a term as somebody wrote it. */
  readonly term: string;
  /** Its share, in [0,1], of all that speaks for the link. */
  readonly contribution: number;
}

/** A note near another. */
export interface Related {
  readonly id: string;
  /** In (0,1), the same seen from either note. */
  readonly weight: number;
  /** Strongest first, at most 8. */
  readonly reasons: readonly Reason[];
}

const MAX_REASONS = 8;
const MAX_TERMS = 6;
const LEAST_CONTRIBUTION = 0.005;
const KEPT_WEIGHT = 0.15;
const KEPT_WEAK_WEIGHT = 0.03;
const KEPT_WEAK = 3;
const KEPT_MOST = 15;

/** Ranks pairs by weight, ties by what the notes say. */
export function rankedPairs(
  pairs: readonly Pair[],
  meanNear: number,
): { readonly pair: Pair; readonly weight: number }[] {
  return pairs
    .map((pair) => ({ pair, weight: weightOf(logitOf(signalsOf(pair, meanNear))) }))
    .sort((a, b) => b.weight - a.weight || compareNotes(a.pair.note, b.pair.note));
}

/** What speaks for a pair, as shares of the whole; `note` is the one loaded in the ranker. */
export function reasonsOf(
  note: StoredNote,
  pair: Pair,
  meanNear: number,
  { ranker, lexicon }: { readonly ranker: Ranker; readonly lexicon: Lexicon },
): Reason[] {
  const signals = signalsOf(pair, meanNear);
  const similar = similarityLift(signals);
  const naming = namingLift(signals);
  const covering = coverageLift(signals);
  const total = similar + naming + covering;
  if (total <= 0) return [];
  const other = pair.note;
  const reasons: Reason[] = [];
  const bothNaming = pair.names + pair.named;
  if (pair.names > 0) {
    reasons.push({
      kind: 'names',
      term: other.title,
      contribution: (naming * pair.names) / bothNaming / total,
    });
  }
  if (pair.named > 0) {
    reasons.push({
      kind: 'named-by',
      term: other.title,
      contribution: (naming * pair.named) / bothNaming / total,
    });
  }
  if (covering > 0) {
    const term = pair.covers >= pair.covered ? other.title : note.title;
    reasons.push({ kind: 'covers', term, contribution: covering / total });
  }
  for (const { term, share } of ranker.sharedTerms(other, MAX_TERMS)) {
    const kind = lexicon.isTag(term) ? 'tag' : 'term';
    reasons.push({ kind, term: lexicon.surfaceOf(term), contribution: (similar * share) / total });
  }
  return reasons
    .filter(({ contribution }) => contribution >= LEAST_CONTRIBUTION)
    .sort((a, b) => b.contribution - a.contribution)
    .slice(0, MAX_REASONS);
}

/** The links that a note keeps from its own side. */
export function keptOf<Link extends { readonly weight: number }>(related: readonly Link[]): Link[] {
  return related
    .filter(({ weight }, rank) => weight >= KEPT_WEIGHT || (rank < KEPT_WEAK && weight >= KEPT_WEAK_WEIGHT))
    .slice(0, KEPT_MOST);
}
