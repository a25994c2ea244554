import { describe, expect, test } from 'vitest';
import { at, categoryIdOf, OWNER, START } from '../../test/support/arbitraries.ts';
import {
  CategoryTree,
  createCategory,
  deleteCategory,
  moveCategory,
  updateCategory,
  type Category,
} from './category.ts';
import { isBrainError, type Issue } from './error.ts';

/** A tree from pairs of number and parent. */
function treeOf(...pairs: readonly (readonly [number, number | null])[]): CategoryTree {
  let tree = new CategoryTree([]);
  for (const [number, parent] of pairs) tree = new CategoryTree([...tree.all, make(tree, number, parent)]);
  return tree;
}

function make(tree: CategoryTree, number: number, parent: number | null): Category {
  const parentId = parent === null ? null : categoryIdOf(parent);
  const { after } = createCategory({ title: `c${number}`, parentId }, tree, {
    id: categoryIdOf(number),
    owner: OWNER,
    now: START,
  });
  if (!after) throw new Error('nothing was made');
  return after;
}

function get(tree: CategoryTree, number: number): Category {
  const found = tree.find(categoryIdOf(number));
  if (!found) throw new Error(`there is no category ${number}`);
  return found;
}

function issuesOf(work: () => unknown): readonly Issue[] {
  try {
    work();
  } catch (error) {
    if (isBrainError(error, 'invalid')) return error.issues;
    throw error;
  }
  return [];
}

const move = (tree: CategoryTree, number: number, to: number | null) =>
  moveCategory(get(tree, number), to === null ? null : categoryIdOf(to), tree, at(1));

const CHAIN = treeOf([0, null], [1, 0], [2, 1], [3, null], [4, 3]);

describe('a category', () => {
  test('knows its level, what is above it and what is below', () => {
    expect([0, 1, 2].map((n) => CHAIN.level(categoryIdOf(n)))).toEqual([0, 1, 2]);
    expect([0, 1, 2].map((n) => CHAIN.height(categoryIdOf(n)))).toEqual([3, 2, 1]);
    expect(CHAIN.ancestors(categoryIdOf(2)).map((c) => c.title)).toEqual(['c1', 'c0']);
    expect(CHAIN.children(null).map((c) => c.title)).toEqual(['c0', 'c3']);
  });

  test('does not stand on a fourth level, nor below what is not there', () => {
    expect(issuesOf(() => make(CHAIN, 9, 2))).toMatchObject([{ pointer: '/parentId', code: 'depth' }]);
    expect(issuesOf(() => make(CHAIN, 9, 77))).toMatchObject([{ pointer: '/parentId', code: 'not_found' }]);
    expect(make(CHAIN, 9, 1).parentId).toBe(categoryIdOf(1));
  });

  test('is moved with all below it, unless those would come too deep', () => {
    expect(issuesOf(() => move(CHAIN, 3, 1))).toMatchObject([{ pointer: '/parentId', code: 'depth' }]);
    expect(issuesOf(() => move(CHAIN, 0, 3))).toMatchObject([{ pointer: '/parentId', code: 'depth' }]);
    expect(move(CHAIN, 3, 0).after).toMatchObject({ parentId: categoryIdOf(0), version: 2 });
    expect(move(CHAIN, 1, null).after).toMatchObject({ parentId: null });
  });

  test('is not moved below itself, at any depth', () => {
    for (const to of [0, 1, 2]) {
      expect(issuesOf(() => move(CHAIN, 0, to))).toMatchObject([{ pointer: '/parentId', code: 'cycle' }]);
    }
    expect(issuesOf(() => move(CHAIN, 4, 77))).toMatchObject([{ pointer: '/parentId', code: 'not_found' }]);
  });

  test('that is moved to where it is is not changed', () => {
    expect(move(CHAIN, 4, 3).events).toEqual([]);
    expect(move(CHAIN, 3, null).events).toEqual([]);
  });

  test('is deleted only when nothing is below it', () => {
    expect(() => deleteCategory(get(CHAIN, 1), CHAIN, at(1))).toThrow(
      expect.objectContaining({ code: 'conflict', details: { children: 1 } }),
    );
    expect(deleteCategory(get(CHAIN, 2), CHAIN, at(1))).toMatchObject({
      after: undefined,
      events: [{ version: 2 }],
    });
  });

  test('is refused with every broken field at once', () => {
    const input = {
      title: ' ',
      description: 'x'.repeat(501),
      color: 'red',
      icon: '',
      parentId: categoryIdOf(77),
    };
    const pointers = issuesOf(() =>
      createCategory(input, CHAIN, { id: categoryIdOf(9), owner: OWNER, now: START }),
    );
    expect(pointers.map((i) => i.pointer)).toEqual([
      '/title',
      '/description',
      '/color',
      '/icon',
      '/parentId',
    ]);
    const changed = issuesOf(() => updateCategory(get(CHAIN, 0), input, at(1)));
    expect(changed.map((i) => i.pointer)).toEqual(['/title', '/description', '/color', '/icon']);
  });

  test('loses its color by null, and is not changed by what it has', () => {
    const colored = updateCategory(get(CHAIN, 0), { color: '#ABCDEF' }, at(1)).after ?? get(CHAIN, 0);
    expect(colored).toMatchObject({ color: '#abcdef', version: 2, updatedAt: at(1) });
    expect(updateCategory(colored, { color: '#abcdef', title: ' c0 ', icon: null }, at(2)).events).toEqual(
      [],
    );
    expect(updateCategory(colored, { color: null }, at(2)).after).toMatchObject({ color: null, version: 3 });
  });
});
