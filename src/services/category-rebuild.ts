import { applyRules, categoriesByRule, givenOf, namedCategories } from '../domain/categorize.ts';
import { moveCategory, type Category } from '../domain/category.ts';
import { nextMerge, nextNesting, type Merge } from '../domain/category-cleanup.ts';
import { BrainError } from '../domain/error.ts';
import { assignCategory, removeCategory, type Node } from '../domain/node.ts';
import type { CategoryId, NodeId, OwnerId } from '../domain/values.ts';
import { eachConcurrent } from '../shared/each-concurrent.ts';
import type { Store } from '../storage/store.ts';
import type { Tx } from '../storage/transaction.ts';
import { treeOf, type CategoryService } from './categories.ts';
import type { IndexedLinks } from './index-thread.ts';
import type { OwnerIndexes } from './owner-indexes.ts';
import { standing, votersOf } from './suggestions.ts';

/** What a rebuild did. */
export interface Rebuild {
  /** Categories that there were when it began. */
  readonly processed: number;
  readonly merged: number;
  /** Categories that were put below another. */
  readonly nested: number;
  /** Notes whose categories are no longer what they were. */
  readonly recategorized: number;
}

/** Notes moved in one transaction; each takes at most six of its hundred writes. */
const NODES_A_TRANSACTION = 15;

export type CategoryRebuildService = ReturnType<typeof categoryRebuildService>;

/** Brings order into an owner's categories. Doing it again right after changes nothing. */
export function categoryRebuildService(needs: {
  readonly store: Store;
  readonly indexes: OwnerIndexes;
  readonly categories: CategoryService;
}) {
  const { store, indexes, categories } = needs;

  /** Moves all that is in one category or below it into another, and deletes it. */
  async function merge(owner: OwnerId, { from, into }: Merge): Promise<void> {
    for (const child of (await treeOf(store.read(owner))).children(from.id)) {
      await categories.move(owner, child.id, into.id);
    }
    const moveNotes = (): Promise<boolean> =>
      store.write(owner, async (tx) => {
        if (!(await tx.categories.find(into.id))) throw deletedMeanwhile(into);
        const page = await tx.nodes.listByCategory(from.id, { limit: NODES_A_TRANSACTION });
        for (const node of page.items) {
          const assignment = node.categories.find(({ categoryId }) => categoryId === from.id);
          const removed = removeCategory(node, from.id, tx.now);
          const left = removed.after as Node;
          const isThere = left.categories.some(({ categoryId }) => categoryId === into.id);
          if (!assignment || isThere) {
            tx.nodes.apply(removed);
            continue;
          }
          const added = assignCategory(left, { ...assignment, categoryId: into.id }, tx.now);
          tx.nodes.apply({ before: node, after: added.after, events: [...removed.events, ...added.events] });
        }
        return page.next === undefined;
      });
    while (!(await moveNotes()));
    await categories.delete(owner, from.id);
  }

  async function mergeAll(owner: OwnerId): Promise<number> {
    for (let merged = 0; ; merged++) {
      const next = nextMerge(await treeOf(store.read(owner)));
      if (!next) return merged;
      await merge(owner, next);
    }
  }

  async function nestAll(
    owner: OwnerId,
    notesOf: ReadonlyMap<CategoryId, ReadonlySet<NodeId>>,
  ): Promise<number> {
    for (let nested = 0; ; nested++) {
      const isMoved = await store.write(owner, async (tx) => {
        const tree = await treeOf(tx);
        const next = nextNesting(tree, notesOf);
        if (next) tx.categories.apply(moveCategory(next.category, next.parentId, tree, tx.now));
        return next !== undefined;
      });
      if (!isMoved) return nested;
    }
  }

  /** Gives the notes that nobody categorised the categories that the rules find for them now. */
  async function categorizeAll(owner: OwnerId, nodes: ReadonlyMap<NodeId, Node>): Promise<number> {
    const index = await indexes.ready(owner);
    await index.settle(); // or the answers would hang on what was asked of it before
    const named = namedCategories(await treeOf(store.read(owner)));
    const open = [...nodes.values()].filter((node) => givenOf(node).length === 0).map(({ id }) => id);
    const categorize = ({ id, links }: IndexedLinks): Promise<boolean> => {
      const voters = votersOf(links, nodes, named);
      const work = async (tx: Tx): Promise<boolean> => {
        const node = await tx.nodes.find(id);
        if (!node || givenOf(node).length > 0) return false; // deleted or categorised meanwhile
        const wanted = await standing(tx, categoriesByRule(node, voters, named));
        const decision = applyRules(node, wanted, tx.now);
        tx.nodes.apply(decision);
        return decision.events.length > 0;
      };
      return store.write(owner, work, { bulk: true });
    };
    let changed = 0;
    for await (const isChanged of eachConcurrent(index.links(open), { limit: store.bulkAtOnce }, categorize))
      if (isChanged) changed += 1;
    return changed;
  }

  return {
    /**
     * Merges siblings of one title, puts a category below another that holds all of its notes and more, and
     * categorises by rule what nobody categorised. Throws `contended` where a category that is to take the notes of
     * another is deleted meanwhile; what was done by then stays.
     */
    async rebuild(owner: OwnerId): Promise<Rebuild> {
      const processed = [...(await treeOf(store.read(owner))).all].length;
      const merged = await mergeAll(owner);
      const nodes = new Map<NodeId, Node>();
      for await (const node of store.read(owner).nodes.all()) if (!node.archived) nodes.set(node.id, node);
      const nested = await nestAll(owner, givenNotes(nodes.values()));
      return { processed, merged, nested, recategorized: await categorizeAll(owner, nodes) };
    },
  };
}

const deletedMeanwhile = ({ title }: Category): BrainError =>
  new BrainError('contended', `the category ${title} was deleted meanwhile; try again`, {
    operation: 'category.rebuild',
  });

/** The notes that each category was given. */
function givenNotes(nodes: Iterable<Node>): ReadonlyMap<CategoryId, ReadonlySet<NodeId>> {
  const notes = new Map<CategoryId, Set<NodeId>>();
  for (const node of nodes) {
    for (const { categoryId } of givenOf(node)) {
      const those = notes.get(categoryId);
      if (those) those.add(node.id);
      else notes.set(categoryId, new Set([node.id]));
    }
  }
  return notes;
}
