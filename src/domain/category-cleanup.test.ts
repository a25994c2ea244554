import { describe, expect, it } from 'vitest';
import { at, categoryIdOf, nodeIdOf, OWNER } from '../../test/support/arbitraries.ts';
import { CategoryTree, createCategory, type Category } from './category.ts';
import { nextMerge, nextNesting } from './category-cleanup.ts';

/** A tree from titles and the numbers of parents, numbered in this order. */
function treeOf(...categories: readonly (readonly [title: string, parent: number | null])[]): CategoryTree {
  let tree = new CategoryTree([]);
  for (const [number, [title, parent]] of categories.entries()) {
    const parentId = parent === null ? null : categoryIdOf(parent);
    const made = { id: categoryIdOf(number), owner: OWNER, now: at(0) };
    tree = new CategoryTree([...tree.all, createCategory({ title, parentId }, tree, made).after as Category]);
  }
  return tree;
}

const mergeOf = (tree: CategoryTree) => {
  const merge = nextMerge(tree);
  return merge && [merge.from.id, merge.into.id];
};

describe('what is to be merged', () => {
  it('is the younger of two siblings of one title, from the top down', () => {
    expect(mergeOf(treeOf(['Work', null], ['Home', null], ['work', null]))).toEqual([
      categoryIdOf(2),
      categoryIdOf(0),
    ]);
    expect(mergeOf(treeOf(['Work', null], ['Mail', 0], ['MAIL', 0]))).toEqual([
      categoryIdOf(2),
      categoryIdOf(1),
    ]);
    expect(mergeOf(treeOf(['Work', null], ['Mail', 0], ['Mail', 0], ['Work', null]))).toEqual([
      categoryIdOf(3),
      categoryIdOf(0),
    ]);
  });

  it('is nothing where only the titles of different parents are the same', () => {
    expect(
      mergeOf(treeOf(['Work', null], ['Mail', 0], ['Home', null], ['Mail', 2], ['Work', 2])),
    ).toBeUndefined();
  });
});

describe('what belongs below another', () => {
  const notes = (...lists: readonly (readonly number[])[]) =>
    new Map(lists.map((numbers, category) => [categoryIdOf(category), new Set(numbers.map(nodeIdOf))]));
  const nestingOf = (tree: CategoryTree, ...lists: readonly (readonly number[])[]) => {
    const nesting = nextNesting(tree, notes(...lists));
    return nesting && [nesting.category.id, nesting.parentId];
  };
  const three = treeOf(['A', null], ['B', null], ['C', null]);

  it('is the smallest category at the top with all of its notes in a larger one, and below the smallest such', () => {
    expect(nestingOf(three, [1, 2, 3, 4], [1, 2, 3], [1, 2])).toEqual([categoryIdOf(2), categoryIdOf(1)]);
    expect(nestingOf(three, [1, 2, 3, 4], [5, 6, 7], [1, 2])).toEqual([categoryIdOf(2), categoryIdOf(0)]);
  });

  it('is nothing with one note, with the same notes, or with one note elsewhere', () => {
    expect(nestingOf(three, [1, 2, 3], [1])).toBeUndefined();
    expect(nestingOf(three, [1, 2, 3], [1, 2, 3])).toBeUndefined();
    expect(nestingOf(three, [1, 2, 3], [1, 4])).toBeUndefined();
  });

  it('is nothing that would stand too deep, and nothing that is below another already', () => {
    const deep = treeOf(['A', null], ['B', null], ['b', 1], ['bb', 2]);
    expect(nestingOf(deep, [1, 2, 3], [1, 2])).toBeUndefined();
    expect(nestingOf(treeOf(['A', null], ['B', null], ['b', 1]), [1, 2, 3], [7, 8], [1, 2])).toBeUndefined();
  });
});
