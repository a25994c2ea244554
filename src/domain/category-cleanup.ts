import type { Category, CategoryTree } from './category.ts';
import { LIMITS } from './limits.ts';
import { tagKey, type CategoryId, type NodeId, type Tag } from './values.ts';

/** Two siblings of one title: `from` is to go into `into`, which is the older. */
export interface Merge {
  readonly from: Category;
  readonly into: Category;
}

/** Notes that a category needs before it is taken for a part of another: one note in two categories says nothing. */
const LEAST_NOTES = 2;

/** The first pair of siblings with one title, from the top down: what is below both may be doubled in turn. */
export function nextMerge(tree: CategoryTree, parentId: CategoryId | null = null): Merge | undefined {
  const byTitle = new Map<string, Category>();
  const siblings = [...tree.children(parentId)].sort((a, b) => (a.id < b.id ? -1 : 1));
  for (const category of siblings) {
    const key = tagKey(category.title as string as Tag);
    const into = byTitle.get(key);
    if (into) return { from: category, into };
    byTitle.set(key, category);
  }
  for (const { id } of siblings) {
    const merge = nextMerge(tree, id);
    if (merge) return merge;
  }
  return undefined;
}

/** A category at the top whose notes are all in another one there as well, which has more. */
export interface Nesting {
  readonly category: Category;
  readonly parentId: CategoryId;
}

/** The first category that belongs below another, the smallest first; of several parents the smallest is taken. */
export function nextNesting(
  tree: CategoryTree,
  notesOf: ReadonlyMap<CategoryId, ReadonlySet<NodeId>>,
): Nesting | undefined {
  const notes = ({ id }: Category): ReadonlySet<NodeId> => notesOf.get(id) ?? new Set();
  const roots = tree
    .children(null)
    .filter((category) => notes(category).size >= LEAST_NOTES)
    .sort((a, b) => notes(a).size - notes(b).size || (a.id < b.id ? -1 : 1));
  for (const category of roots) {
    if (tree.height(category.id) >= LIMITS.categoryDepth) continue;
    const parent = roots.find(
      (other) => notes(other).size > notes(category).size && notes(category).isSubsetOf(notes(other)),
    );
    if (parent) return { category, parentId: parent.id };
  }
  return undefined;
}
