import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { at, categoryIdOf, nodeIdOf, OWNER } from '../../test/support/arbitraries.ts';
import {
  applyRules,
  categoriesByRule,
  givenOf,
  groundsOf,
  namedCategories,
  voteOnCategories,
} from './categorize.ts';
import { CategoryTree, createCategory, type Category } from './category.ts';
import { assignCategory, createNode, type Assignment, type Node } from './node.ts';
import { weight } from './values.ts';

const assignment = (number: number, confidence = 1, method: Assignment['method'] = 'manual'): Assignment => ({
  categoryId: categoryIdOf(number),
  confidence: weight(confidence),
  method,
});

const voter = (strength: number, ...categories: readonly number[]) => ({
  weight: strength,
  categories: categories.map((number) => assignment(number)),
});

function noteIn(...assignments: readonly Assignment[]): Node {
  const { after } = createNode({ content: 'x' }, { id: nodeIdOf(1), owner: OWNER, now: at(0) });
  return assignments.reduce((node, each) => assignCategory(node, each, at(1)).after as Node, after as Node);
}

function treeOf(...titles: readonly string[]): CategoryTree {
  const empty = new CategoryTree([]);
  return new CategoryTree(
    titles.map((title, number) => {
      const made = { id: categoryIdOf(number), owner: OWNER, now: at(0) };
      return createCategory({ title }, empty, made).after as Category;
    }),
  );
}

describe('a vote on categories', () => {
  const voters = fc.array(
    fc.record({
      weight: fc.double({ min: 0.01, max: 0.99, noNaN: true }),
      categories: fc
        .uniqueArray(fc.nat({ max: 3 }), { maxLength: 3 })
        .map((numbers) => numbers.map((number) => assignment(number))),
    }),
    { maxLength: 8 },
  );

  it('is by share of weight, and no surer than the links it stands on', () => {
    expect(voteOnCategories([voter(0.5, 1), voter(0.5, 2)]).map(({ confidence }) => confidence)).toEqual([
      0.25, 0.25,
    ]);
    expect(voteOnCategories([voter(0.03, 1)])).toMatchObject([{ confidence: 0.03 }]);
    expect(voteOnCategories([voter(0.5, 1), voter(0.5, 1)])).toMatchObject([{ confidence: 0.75 }]);
    expect(voteOnCategories([voter(0.5, 1), voter(0.9)])).toMatchObject([{ confidence: 0.5 }]);
    expect(voteOnCategories([])).toEqual([]);
    fc.assert(
      fc.property(voters, (those) => {
        for (const { confidence, voters: of, categoryId } of voteOnCategories(those)) {
          const chance = 1 - of.reduce((doubt, each) => doubt * (1 - each.weight), 1);
          expect(confidence).toBeGreaterThan(0);
          expect(confidence).toBeLessThanOrEqual(chance + 0.005);
          for (const each of of) expect(each.categories.map((c) => c.categoryId)).toContain(categoryId);
        }
      }),
    );
  });

  it('does not hang on the order of the voters, and gains by each one more that is for it', () => {
    fc.assert(
      fc.property(voters, (those) => {
        const tally = (of: typeof those) =>
          voteOnCategories(of)
            .map(({ categoryId, confidence }) => `${categoryId} ${confidence.toFixed(1)}`)
            .sort();
        const [vote] = voteOnCategories(those);
        expect(tally(those.toReversed()).map((one) => one.slice(0, 36))).toEqual(
          tally(those).map((one) => one.slice(0, 36)),
        );
        if (!vote) return;
        const more = [
          ...those,
          { weight: 0.5, categories: [{ ...assignment(0), categoryId: vote.categoryId }] },
        ];
        const after = voteOnCategories(more).find(({ categoryId }) => categoryId === vote.categoryId);
        expect(after?.confidence).toBeGreaterThanOrEqual(vote.confidence);
      }),
    );
  });
});

describe('the rules', () => {
  it('take the categories that tags name, whatever their case, then the surest votes, three at most', () => {
    const named = namedCategories(treeOf('Health', 'Work', 'health'));
    const { tags } = createNode(
      { content: 'x', tags: ['HEALTH', 'none'] },
      { id: nodeIdOf(1), owner: OWNER, now: at(0) },
    ).after as Node;
    const found = categoriesByRule({ tags }, [voter(0.9, 1), voter(0.05, 3)], named);
    expect(found.map(({ categoryId, confidence, method }) => [categoryId, confidence, method])).toEqual([
      [categoryIdOf(0), 0.9, 'rule-based'],
      [categoryIdOf(2), 0.9, 'rule-based'],
      [categoryIdOf(1), 0.85, 'rule-based'],
    ]);
    expect(categoriesByRule({ tags: [] }, [voter(0.1, 1)], named)).toEqual([]);
    expect(categoriesByRule({ tags: [] }, [voter(0.9, 1, 2, 3, 4)], named)).toHaveLength(3);
  });

  it('are of no weight in the next vote, but for what tags name; what a source gave is no guess', () => {
    const note = noteIn(
      assignment(1),
      assignment(2, 0.5, 'rule-based'),
      assignment(3, 1, 'rule-based'),
      assignment(4, 0.2, 'ai'),
    );
    const those = [1, 3, 4].map((number) => categoryIdOf(number));
    expect(givenOf(note).map(({ categoryId }) => categoryId)).toEqual(those);
    expect(groundsOf(note, namedCategories(treeOf())).map(({ categoryId }) => categoryId)).toEqual(those);
  });

  it('replace what they said before and touch nothing else; applied again they change nothing', () => {
    const assignments = fc.uniqueArray(
      fc.record({
        number: fc.nat({ max: 20 }),
        confidence: fc.constantFrom(0.5, 1),
        method: fc.constantFrom<Assignment['method']>('manual', 'ai', 'rule-based'),
      }),
      { selector: ({ number }) => number, maxLength: 16 },
    );
    const wanted = fc.uniqueArray(fc.nat({ max: 20 }), { maxLength: 3 });
    fc.assert(
      fc.property(assignments, wanted, (before, numbers) => {
        const note = noteIn(
          ...before.map(({ number, confidence, method }) => assignment(number, confidence, method)),
        );
        const rules = numbers.map((number) => assignment(number, 0.4, 'rule-based'));
        const after = applyRules(note, rules, at(2)).after as Node;
        expect(givenOf(after)).toEqual(givenOf(note));
        const given = new Set(givenOf(note).map(({ categoryId }) => categoryId));
        const open = rules.filter(({ categoryId }) => !given.has(categoryId)).slice(0, 16 - given.size);
        const ruled = after.categories.filter(({ categoryId }) => !given.has(categoryId));
        expect(new Set(ruled)).toEqual(new Set(open));
        expect(applyRules(after, rules, at(3)).events).toEqual([]);
      }),
    );
  });
});
