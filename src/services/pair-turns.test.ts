import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { nodeIdOf } from '../../test/support/arbitraries.ts';
import type { NodeId } from '../domain/values.ts';
import { PairTurns } from './pair-turns.ts';
import { reasonsText, type Wanted } from './wanted.ts';

const NOTES = 8;
const OUTSIDE = 3;

const wanted = (otherId: NodeId): Wanted => ({ otherId, weight: 0.5, reasons: reasonsText([]) });
const pairName = (a: string, b: string): string => [a, b].sort().join();

test('each pair that a text asks for is decided once, at the turn of its second note, by whom it was asked', () => {
  const links = fc.array(fc.tuple(fc.nat({ max: NOTES - 1 }), fc.nat({ max: NOTES + OUTSIDE - 1 })), {
    maxLength: 40,
  });
  fc.assert(
    fc.property(links, (asked) => {
      const ids = Array.from({ length: NOTES + OUTSIDE }, (_, n) => nodeIdOf(n));
      const turns = ids.slice(0, NOTES);
      const asks = new Set(asked.filter(([a, b]) => a !== b).map(([a, b]) => `${ids[a]} ${ids[b]}`));
      const pairs = new PairTurns(turns, () => 1);
      const decided = new Map<string, { readonly at: NodeId; readonly asks: readonly string[] }>();
      for (const id of turns) {
        const mine = ids.filter((other) => asks.has(`${id} ${other}`)).map(wanted);
        for (const { otherId, by } of pairs.take({ id, version: 1, links: mine }).edges) {
          const byThis = by === 'other' ? [] : [`${id} ${otherId}`];
          const byOther = by === 'this' ? [] : [`${otherId} ${id}`];
          expect(decided.has(pairName(id, otherId))).toBe(false);
          decided.set(pairName(id, otherId), { at: id, asks: [...byThis, ...byOther] });
        }
      }
      expect(new Set([...decided.values()].flatMap((each) => each.asks))).toEqual(asks);
      for (const [name, { at }] of decided) {
        const last = name.split(',').map((id) => turns.indexOf(id as NodeId));
        expect(turns.indexOf(at)).toBe(Math.max(...last));
      }
    }),
  );
});

test('what a note asked for holds as long as it has the version that it had then', () => {
  const [a, b] = [nodeIdOf(1), nodeIdOf(2)];
  const versions = new Map([
    [a, 1],
    [b, 1],
  ]);
  const pairs = new PairTurns([a, b], (id) => versions.get(id));
  pairs.take({ id: a, version: 1, links: [wanted(b)] });
  const asked = pairs.take({ id: b, version: 1, links: [] });
  expect(asked.knows(a)).toBe(true);
  versions.set(a, 2);
  expect(asked.knows(a)).toBe(false);
});
