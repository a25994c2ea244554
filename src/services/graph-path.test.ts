import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Edge } from '../domain/edge.ts';
import type { NodeId } from '../domain/values.ts';
import { findPath } from './graph-path.ts';

const NODES = 7;
const id = (at: number): NodeId => `n${at}` as NodeId;

/** Every way between two notes that passes none twice, by depth first. */
function* waysOf(
  edges: readonly Edge[],
  at: NodeId,
  to: NodeId,
  way: readonly Edge[] = [],
): Generator<readonly Edge[]> {
  if (at === to) {
    yield way;
    return;
  }
  const seen = new Set([at, ...way.flatMap((edge) => [edge.sourceId, edge.targetId])]);
  for (const edge of edges) {
    if (edge.sourceId !== at && edge.targetId !== at) continue;
    const other = edge.sourceId === at ? edge.targetId : edge.sourceId;
    if (!seen.has(other)) yield* waysOf(edges, other, to, [...way, edge]);
  }
}

const strengthOf = (way: readonly Edge[]): number => way.reduce((product, { weight }) => product * weight, 1);

test('the way that is found is as short as any, and as strong as any that is as short', async () => {
  const anyEdge = fc.tuple(fc.nat(NODES - 1), fc.nat(NODES - 1), fc.constantFrom(0.2, 0.5, 0.9));
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyEdge, { maxLength: 14 }),
      fc.integer({ min: 1, max: 5 }),
      async (drawn, maxLength) => {
        const edges = drawn
          .filter(([a, b]) => a !== b)
          .map(
            ([a, b, weight], at) =>
              ({ id: `e${at}`, sourceId: id(a), targetId: id(b), weight, status: 'accepted' }) as Edge,
          );
        const of = async (note: NodeId) =>
          edges.filter((edge) => edge.sourceId === note || edge.targetId === note);
        const query = { from: id(0), to: id(1), minWeight: 0, maxLength };
        const found = await findPath({ edges: { of } } as never, () => true, query);
        const ways = [...waysOf(edges, id(0), id(1))].filter((way) => way.length <= maxLength);
        const short = ways.filter((way) => way.length === Math.min(...ways.map((one) => one.length)));
        const best = Math.max(...short.map(strengthOf));
        const told = found && { length: found.length, strength: strengthOf(found).toFixed(9) };
        expect(told).toEqual(short[0] && { length: short[0].length, strength: best.toFixed(9) });
      },
    ),
  );
});
