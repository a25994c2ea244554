import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Filter } from '../../src/api/realtime.ts';
import { EVENT_TYPES } from '../../src/domain/event.ts';
import { anyOf, matcherOf, type Facets } from '../../src/realtime/filter.ts';
import { assignCategory, createNode, deleteNode, removeCategory, updateNode } from '../../src/domain/node.ts';
import { at, categoryIdOf } from '../support/arbitraries.ts';
import { ALICE, create, greeted, idOf, newHub } from './peer.ts';

const ids = [1, 2, 3].map(idOf);
const categories = [1, 2].map((number) => categoryIdOf(number) as string);
const some = <T>(values: readonly T[]) =>
  fc.uniqueArray(fc.constantFrom(...values), { minLength: 1, maxLength: 3 });

const facets: fc.Arbitrary<Facets> = fc.record({
  type: fc.constantFrom(...EVENT_TYPES),
  nodeIds: fc.oneof(fc.constant([]), some(ids)),
  tags: fc.oneof(fc.constant([]), some(['a', 'b'])),
  categories: fc.oneof(fc.constant([]), some(categories)),
});
const filters: fc.Arbitrary<Filter> = fc.record(
  {
    types: some([...EVENT_TYPES, 'node.*', 'edge.*', 'category.*']),
    nodeIds: some<string>(ids),
    tags: some(['A', '#b']),
    categories: some(categories),
  },
  { requiredKeys: [] },
);

describe('filters', () => {
  test('[RT8] a part more never lets more pass, and several let pass what one of them does', () => {
    fc.assert(
      fc.property(filters, filters, facets, (a, b, event) => {
        const both = { ...a, ...Object.fromEntries(Object.entries(b).filter(([part]) => !(part in a))) };
        expect(!matcherOf(both).passes(event) || matcherOf(a).passes(event)).toBe(true);
        expect(matcherOf({}).passes(event)).toBe(true);
        const [one, two] = [matcherOf(a), matcherOf(b)];
        expect(anyOf([one, two]).passes(event)).toBe(one.passes(event) || two.passes(event));
        expect(anyOf([]).passes(event)).toBe(false);
        expect(one.key !== two.key || one.passes(event) === two.passes(event)).toBe(true);
      }),
    );
  });

  test('[RT10] a type that no event has is refused, with the one that was meant', () => {
    expect(() => matcherOf({ types: ['node.create'] })).toThrow('did you mean node.created?');
    expect(() => matcherOf({ types: ['nodes.*'] })).toThrow('no event is of the type nodes.*');
  });

  test('a note is heard of by the tags and categories that it has before or after an event', async () => {
    const { hub, store, clock } = newHub();
    const category = categoryIdOf(1);
    const [sleep, work, inCategory] = await Promise.all([
      greeted(hub, { filter: { tags: ['sleep'] } }),
      greeted(hub, { filter: { tags: ['work'] } }),
      greeted(hub, { filter: { categories: [category] } }),
    ]);
    await store.write(ALICE, async (tx) => {
      const made = createNode({ title: 'A', tags: ['Sleep'] }, { id: idOf(1), owner: ALICE, now: at(1) });
      const tagged = updateNode(made.after!, { tags: ['work'] }, at(2));
      const renamed = updateNode(tagged.after!, { title: 'B' }, at(3));
      const assignment = { categoryId: category, confidence: 1 as never, method: 'manual' as const };
      const assigned = assignCategory(renamed.after!, assignment, at(4));
      const again = updateNode(assigned.after!, { title: 'C' }, at(5));
      const removed = removeCategory(again.after!, category, at(6));
      for (const decision of [
        made,
        tagged,
        renamed,
        assigned,
        again,
        removed,
        deleteNode(removed.after!, at(7)),
      ])
        tx.nodes.apply(decision);
    });
    await clock.advance(50);
    expect([sleep.seqs, work.seqs, inCategory.seqs]).toEqual([
      [1, 2],
      [2, 3, 4, 5, 6, 7],
      [4, 5, 6],
    ]);
    expect(work.texts.join('')).not.toContain('"tags":["work"],"categories"'); // what it is chosen by is not told twice
  });

  test('[RT8] random owners with random filters never hear of each other', async () => {
    const property = fc.asyncProperty(fc.array(filters, { minLength: 2, maxLength: 5 }), async (asked) => {
      const { hub, store, clock } = newHub();
      const owners = asked.map((_, index) => `owner${index}`);
      const peers = await Promise.all(
        asked.map((filter, index) => greeted(hub, { token: owners[index]!, filter })),
      );
      for (const owner of owners)
        await create(store, owner as never, [1, 2, 3], { content: `of ${owner}`, tags: ['a'] });
      await clock.advance(50);
      peers.forEach((peer, index) => {
        const said = peer.texts.join('');
        expect(owners.filter((owner, other) => other !== index && said.includes(owner))).toEqual([]);
      });
    });
    await fc.assert(property, { numRuns: 25, seed: 1 });
  });
});
