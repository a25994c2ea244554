import type { CategoryTree } from './category.ts';
import { LIMITS } from './limits.ts';
import { assignCategory, removeCategory, type Assignment, type Node, type NodeDecision } from './node.ts';
import { tagKey, weight, type CategoryId, type Instant, type Tag } from './values.ts';

// How a note's categories follow from its tags and from the notes that it is related to.

/** A note that is related to another, and so has a say in its categories. */
export interface Voter {
  /** How related the two are, in [0, 1]. */
  readonly weight: number;
  readonly categories: readonly Pick<Assignment, 'categoryId' | 'confidence'>[];
}

export interface Vote<V extends Voter> {
  readonly categoryId: CategoryId;
  /** In (0, 1]. */
  readonly confidence: number;
  /** Those for it, the most related first. */
  readonly voters: readonly V[];
}

/** As sure as a link must be to be kept whatever its rank. */
const LEAST_CONFIDENCE = 0.15;
const MOST_BY_RULE = 3;
/** A tag that is the name of a category; less than certain, which is what somebody said. */
const TAG_CONFIDENCE = 0.9;
const MOST_BY_VOTE = 0.9;
const STEPS = 100;

/**
 * The categories of related notes, the surest first. A category's confidence is its share of the weight of all that
 * vote, times the chance that at least one of those for it is rightly related: 1 − Π(1 − weight · confidence).
 */
export function voteOnCategories<V extends Voter>(voters: readonly V[]): readonly Vote<V>[] {
  const voting = voters.filter(({ categories }) => categories.length > 0);
  const total = voting.reduce((sum, voter) => sum + voter.weight, 0);
  const tallies = new Map<CategoryId, { sum: number; doubt: number; voters: V[] }>();
  for (const voter of voting.toSorted((a, b) => b.weight - a.weight)) {
    for (const { categoryId, confidence } of voter.categories) {
      const tally = tallies.get(categoryId) ?? { sum: 0, doubt: 1, voters: [] };
      tallies.set(categoryId, tally);
      tally.sum += voter.weight * confidence;
      tally.doubt *= 1 - voter.weight * confidence;
      tally.voters.push(voter);
    }
  }
  return [...tallies]
    .map(([categoryId, { sum, doubt, voters: those }]) => ({
      categoryId,
      confidence: rounded((sum / total) * (1 - doubt)),
      voters: those,
    }))
    .filter(({ confidence }) => confidence > 0)
    .sort((a, b) => b.confidence - a.confidence || (a.categoryId < b.categoryId ? -1 : 1));
}

/** What was put down by a rule of this file. A source's own categories are by rule too, and certain. */
const isByRule = ({ method, confidence }: Assignment): boolean => method === 'rule-based' && confidence < 1;

/** The categories that a person, a model or a note's source gave it. */
export const givenOf = ({ categories }: Pick<Node, 'categories'>): readonly Assignment[] =>
  categories.filter((assignment) => !isByRule(assignment));

/**
 * The categories that a note stands in as far as votes are concerned: those it was given, and those that its tags
 * name. What a vote decided has no vote itself, so deciding again gives the same.
 */
export function groundsOf(
  node: Pick<Node, 'categories' | 'tags'>,
  named: NamedCategories,
): readonly Assignment[] {
  const given = givenOf(node);
  const byTag = byTags(node, named).filter(
    ({ categoryId }) => !given.some((assignment) => assignment.categoryId === categoryId),
  );
  return [...given, ...byTag];
}

/** The categories that each tag names. */
export type NamedCategories = ReadonlyMap<string, readonly CategoryId[]>;

export function namedCategories(tree: CategoryTree): NamedCategories {
  const named = new Map<string, CategoryId[]>();
  for (const { id, title } of tree.all) {
    const key = tagKey(title as string as Tag);
    named.set(key, [...(named.get(key) ?? []), id]);
  }
  return named;
}

/** What the rules say of a note: the categories that its tags name, then the surest that related notes vote for. */
export function categoriesByRule(
  node: Pick<Node, 'tags'>,
  voters: readonly Voter[],
  named: NamedCategories,
): readonly Assignment[] {
  const byTag = byTags(node, named);
  const byVote = voteOnCategories(voters)
    .filter(({ confidence }) => confidence >= LEAST_CONFIDENCE)
    .map(({ categoryId, confidence }) => ruled(categoryId, Math.min(confidence, MOST_BY_VOTE)))
    .filter(({ categoryId }) => !byTag.some((assignment) => assignment.categoryId === categoryId));
  return [...byTag, ...byVote].slice(0, MOST_BY_RULE);
}

/** Puts these in the place of what rules said of the note before; what it was given stays. */
export function applyRules(node: Node, wanted: readonly Assignment[], now: Instant): NodeDecision {
  const given = givenOf(node);
  const open = wanted
    .filter(({ categoryId }) => !given.some((assignment) => assignment.categoryId === categoryId))
    .slice(0, LIMITS.categoriesOfNode - given.length);
  const stale = node.categories.filter(
    (old) => isByRule(old) && !open.some(({ categoryId }) => categoryId === old.categoryId),
  );
  let decision: NodeDecision = { before: node, after: node, events: [] };
  const then = (decide: (from: Node) => NodeDecision): void => {
    const next = decide(decision.after as Node);
    decision = { before: node, after: next.after, events: [...decision.events, ...next.events] };
  };
  for (const { categoryId } of stale) then((from) => removeCategory(from, categoryId, now));
  for (const assignment of open) then((from) => assignCategory(from, assignment, now));
  return decision;
}

const byTags = ({ tags }: Pick<Node, 'tags'>, named: NamedCategories): readonly Assignment[] =>
  [...new Set(tags.flatMap((tag) => named.get(tagKey(tag)) ?? []))].map((id) => ruled(id, TAG_CONFIDENCE));

const ruled = (categoryId: CategoryId, confidence: number): Assignment => ({
  categoryId,
  confidence: weight(confidence),
  method: 'rule-based',
});

const rounded = (value: number): number => Math.round(value * STEPS) / STEPS;
