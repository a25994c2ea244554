import { describe, expect, it } from 'vitest';
import { categoryIdOf, nodeIdOf, OWNER } from '../../test/support/arbitraries.ts';
import { CategoryTree, createCategory, type Category } from './category.ts';
import { fill, gapsOf, growthOf, mostActive, tellGap } from './category-insights.ts';
import { createEdge, type Edge } from './edge.ts';
import { assignCategory, createNode, type Node } from './node.ts';
import { edgeId, instant, weight } from './values.ts';

const NOW = instant('2026-03-15T12:00:00Z');

function categoryOf(number: number, title: string): Category {
  const made = { id: categoryIdOf(number), owner: OWNER, now: instant('2020-01-01') };
  return createCategory({ title }, new CategoryTree([]), made).after as Category;
}

/** A note made and last changed on that day, in the categories of these numbers. */
function noteOf(number: number, day: string, ...categories: readonly number[]): Node {
  const now = instant(day);
  const made = createNode({ content: `note ${number}` }, { id: nodeIdOf(number), owner: OWNER, now })
    .after as Node;
  return categories.reduce((node, category) => {
    const assignment = {
      categoryId: categoryIdOf(category),
      confidence: weight(1),
      method: 'manual' as const,
    };
    return assignCategory(node, assignment, now).after as Node;
  }, made);
}

function edgeBetween(a: Node, b: Node): Edge {
  const id = edgeId(`0190a7c4-5b3e-7000-8200-${a.id.slice(-6)}${b.id.slice(-6)}`);
  return createEdge({}, { source: a, target: b }, { id, now: NOW }).after as Edge;
}

const A = categoryOf(1, 'A');
const B = categoryOf(2, 'B');

describe('the most active categories', () => {
  it('are those with the most notes changed in thirty days, five at most; a quiet one is none', () => {
    const nodes = [
      noteOf(1, '2026-03-14', 1),
      noteOf(2, '2026-02-13', 1),
      noteOf(3, '2026-03-01', 2),
      noteOf(4, '2026-03-02', 2),
    ];
    const active = mostActive(fill([A, B, categoryOf(3, 'C')], nodes), NOW);
    expect(active).toEqual([
      { category: B, noteCount: 2, recentChanges: 2, lastChangeAt: nodes[3]?.updatedAt },
      { category: A, noteCount: 2, recentChanges: 1, lastChangeAt: nodes[0]?.updatedAt },
    ]);
    const many = Array.from({ length: 7 }, (_, i) => categoryOf(i, `c${i}`));
    const busy = many.map((_, i) => noteOf(i, '2026-03-14', i));
    expect(mostActive(fill(many, busy), NOW)).toHaveLength(5);
  });
});

describe('the growth of a category', () => {
  it('is counted by month over six, across the turn of a year, and compared half with half', () => {
    const days = [
      '2025-09-30',
      '2025-10-01',
      '2025-12-31T23:59:59Z',
      '2026-01-01',
      '2026-01-31',
      '2026-03-15',
    ];
    const nodes = days.map((day, i) => noteOf(i, day, 1));
    const [growth] = growthOf(fill([A, B], nodes), NOW);
    expect(growth).toEqual({
      category: A,
      trend: 'growing',
      periods: [
        { month: '2025-10', created: 1 },
        { month: '2025-11', created: 0 },
        { month: '2025-12', created: 1 },
        { month: '2026-01', created: 2 },
        { month: '2026-02', created: 0 },
        { month: '2026-03', created: 1 },
      ],
    });
    const trendOf = (...when: readonly string[]) =>
      growthOf(
        fill(
          [A],
          when.map((day, i) => noteOf(i, day, 1)),
        ),
        NOW,
      )[0]?.trend;
    expect(trendOf('2025-10-05')).toBe('slowing');
    expect(trendOf('2025-10-05', '2026-03-01')).toBe('steady');
    expect(trendOf('2019-01-01')).toBe('steady');
  });
});

describe('a gap', () => {
  it('is a category with few notes or few connections between them, or a note without any', () => {
    const nodes = [1, 2, 3, 4].map((number) => noteOf(number, '2026-03-01', 1)) as [Node, Node, Node, Node];
    const alone = noteOf(5, '2026-03-02');
    const gaps = (...edges: readonly Edge[]) =>
      gapsOf(fill([A, B], [...nodes, alone]), [...nodes, alone], edges).map((gap) => [
        gap.kind,
        tellGap(gap),
      ]);
    const [one, two, three, four] = nodes;
    const chain = [edgeBetween(one, two), edgeBetween(three, four)];
    expect(gaps(...chain)).toEqual([
      ['few-notes', 'no note is in this category'],
      ['unconnected-note', '“note 5” is connected to nothing'],
    ]);
    expect(gaps(edgeBetween(one, two), edgeBetween(three, alone), edgeBetween(four, alone))).toEqual([
      ['few-connections', '1 connection between its 4 notes'],
      ['few-notes', 'no note is in this category'],
    ]);
    expect(gapsOf(fill([B], []), nodes, [])).toHaveLength(5);
  });
});
