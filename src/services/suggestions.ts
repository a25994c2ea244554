import {
  applyRules,
  categoriesByRule,
  groundsOf,
  namedCategories,
  voteOnCategories,
  type NamedCategories,
  type Vote,
  type Voter,
} from '../domain/categorize.ts';
import type { CategoryTree } from '../domain/category.ts';
import { labelOf, type Assignment, type Node } from '../domain/node.ts';
import type { CategoryId, NodeId, OwnerId } from '../domain/values.ts';
import type { Repositories } from '../storage/repositories.ts';
import type { Store } from '../storage/store.ts';
import { treeOf } from './categories.ts';
import type { NodeService, RelatedNode } from './nodes.ts';
import type { OwnerIndexes } from './owner-indexes.ts';
import type { Wanted } from './wanted.ts';

/** A category that a text may belong to: one that there is, or the name of one that could be made. */
export interface CategorySuggestion {
  readonly categoryId?: CategoryId | undefined;
  readonly name: string;
  readonly level: number;
  readonly parentId?: CategoryId | undefined;
  readonly confidence: number;
  /** For people. */
  readonly reason: string;
}

/** A related note with its say. */
interface RelatedVoter extends Voter {
  readonly related: RelatedNode;
}

const RELATED = 50;
const SUGGESTIONS = 5;
const TERMS_TOLD = 3;
/** Shorter ones are no name for a subject. */
const LEAST_NAME_LENGTH = 3;

export type SuggestionService = ReturnType<typeof suggestionService>;

/** Which categories a text or a note belongs to, by what the linking engine relates it to. */
export function suggestionService(needs: {
  readonly store: Store;
  readonly indexes: OwnerIndexes;
  readonly nodes: NodeService;
}) {
  const { store, indexes, nodes } = needs;
  return {
    /**
     * At most five, the surest first: the categories of the notes that the text is related to, by weighted vote; where
     * none of those is in a category, the terms that they share with it, as names of categories to make.
     */
    async suggest(owner: OwnerId, content: string): Promise<readonly CategorySuggestion[]> {
      const related = await nodes.preview(owner, { content }, RELATED);
      const tree = await treeOf(store.read(owner));
      const voters = related.map((one): RelatedVoter => ({
        weight: one.weight,
        categories: one.node.categories.filter(({ categoryId }) => tree.find(categoryId)),
        related: one,
      }));
      const votes = voteOnCategories(voters).slice(0, SUGGESTIONS);
      return votes.length > 0 ? votes.map((vote) => ofVote(vote, tree)) : ofTerms(related);
    },

    /** Puts a note into the categories that the rules find for it, in the place of those that they found before. */
    async categorize(owner: OwnerId, id: NodeId): Promise<Node> {
      const index = await indexes.ready(owner);
      const from = store.read(owner);
      await from.nodes.get(id);
      const named = namedCategories(await treeOf(from));
      const links = await index.linksOf(id);
      const linked = await from.nodes.batchGet(links.map(({ otherId }) => otherId));
      const voters = votersOf(links, new Map(linked.map((node) => [node.id, node])), named);
      return store.write(owner, async (tx) => {
        const node = await tx.nodes.get(id);
        const there = await standing(tx, categoriesByRule(node, voters, named));
        const decision = applyRules(node, there, tx.now);
        tx.nodes.apply(decision);
        return decision.after as Node;
      });
    },
  };
}

/** What the notes that a note is linked to have to say of its categories. */
export function votersOf(
  links: readonly Wanted[],
  nodes: ReadonlyMap<NodeId, Node>,
  named: NamedCategories,
): readonly Voter[] {
  return links.flatMap(({ otherId, weight }) => {
    const node = nodes.get(otherId);
    return node ? [{ weight, categories: groundsOf(node, named) }] : [];
  });
}

/** Those whose category is still there: it may have been deleted since the rules were asked. */
export async function standing(
  from: Repositories,
  assignments: readonly Assignment[],
): Promise<readonly Assignment[]> {
  const ids = new Set(await from.categories.existing(assignments.map(({ categoryId }) => categoryId)));
  return assignments.filter(({ categoryId }) => ids.has(categoryId));
}

function ofVote(
  { categoryId, confidence, voters }: Vote<RelatedVoter>,
  tree: CategoryTree,
): CategorySuggestion {
  const { title = '', parentId = null } = tree.find(categoryId) ?? {};
  const many = voters.length === 1 ? 'a related note is in it' : `${voters.length} related notes are in it`;
  const [nearest] = voters;
  const shared = nearest ? termsOf(nearest.related).slice(0, TERMS_TOLD).join(', ') : '';
  const label = nearest ? labelOf(nearest.related.node) : '';
  return {
    categoryId,
    name: title,
    level: tree.level(categoryId),
    ...(parentId !== null && { parentId }),
    confidence,
    reason: `${many}, the nearest “${label}”${shared && ` (${shared})`}`,
  };
}

/** The terms that speak most for the links, as names: each with its share of all, times the chance that any is right. */
function ofTerms(related: readonly RelatedNode[]): readonly CategorySuggestion[] {
  const terms = new Map<string, { score: number; notes: RelatedNode[] }>();
  for (const one of related) {
    for (const { kind, term, contribution } of one.reasons) {
      const name = nameOf(term);
      if ((kind !== 'term' && kind !== 'tag') || name.length < LEAST_NAME_LENGTH) continue;
      const tally = terms.get(name) ?? { score: 0, notes: [] };
      terms.set(name, tally);
      tally.score += one.weight * contribution;
      tally.notes.push(one);
    }
  }
  const total = [...terms.values()].reduce((sum, { score }) => sum + score, 0);
  const chance = 1 - related.reduce((doubt, { weight }) => doubt * (1 - weight), 1);
  return [...terms]
    .map(([name, { score, notes }]) => ({
      name,
      level: 0,
      confidence: Math.round((score / total) * chance * 100) / 100,
      reason: `shared with ${notes.length === 1 ? 'a related note' : `${notes.length} related notes`}, the nearest “${nearestLabel(notes)}”`,
    }))
    .filter(({ confidence }) => confidence > 0)
    .sort((a, b) => b.confidence - a.confidence || (a.name < b.name ? -1 : 1))
    .slice(0, SUGGESTIONS);
}

function termsOf({ reasons }: Pick<RelatedNode, 'reasons'>): readonly string[] {
  return reasons.filter(({ kind }) => kind === 'term' || kind === 'tag').map(({ term }) => term);
}

const nearestLabel = ([nearest]: readonly RelatedNode[]): string => (nearest ? labelOf(nearest.node) : '');

function nameOf(term: string): string {
  return term.replace(/^#/, '').replace(/^./u, (first) => first.toUpperCase());
}
