import { otherEnd, type Edge } from '../domain/edge.ts';
import type { NodeId } from '../domain/values.ts';
import type { Repositories } from '../storage/repositories.ts';
import { inForce } from './nodes.ts';

export interface PathQuery {
  readonly from: NodeId;
  readonly to: NodeId;
  readonly minWeight: number;
  /** Edges, at most. */
  readonly maxLength: number;
  readonly signal?: AbortSignal | undefined;
}

/** How a search came to a note: the last edge, and the product of the weights so far. */
interface Step {
  readonly edge?: Edge;
  readonly strength: number;
}

/** One of the two searches, which go towards each other: each goes half the way, over a root of the notes. */
interface Side {
  readonly reached: Map<NodeId, Step>;
  frontier: readonly NodeId[];
}

/**
 * The edges of the shortest way between two notes, in their order; the strongest one where there are several. Undefined
 * where none is short enough. `isThere` says which notes may lie on it.
 */
export async function findPath(
  from: Pick<Repositories, 'edges'>,
  isThere: (id: NodeId) => boolean,
  query: PathQuery,
): Promise<readonly Edge[] | undefined> {
  if (query.from === query.to) return [];
  if (!isThere(query.from) || !isThere(query.to)) return undefined;
  const [start, end] = [begin(query.from), begin(query.to)];
  for (let length = 0; length < query.maxLength; length++) {
    const [near, far] = start.frontier.length <= end.frontier.length ? [start, end] : [end, start];
    await goOn(near, from, isThere, query);
    const met = meetingOf(near, far);
    if (met !== undefined) return [...wayTo(start, met).toReversed(), ...wayTo(end, met)];
    if (near.frontier.length === 0) return undefined;
  }
  return undefined;
}

const begin = (id: NodeId): Side => ({ reached: new Map([[id, { strength: 1 }]]), frontier: [id] });

/** Reaches the notes that are one edge further away. */
async function goOn(
  side: Side,
  from: Pick<Repositories, 'edges'>,
  isThere: (id: NodeId) => boolean,
  { minWeight, signal }: PathQuery,
): Promise<void> {
  const next = new Map<NodeId, Step>();
  for (const at of side.frontier) {
    signal?.throwIfAborted();
    const { strength: before = 0 } = side.reached.get(at) ?? {};
    for (const edge of inForce(await from.edges.of(at))) {
      const other = otherEnd(edge, at);
      if (edge.weight < minWeight || side.reached.has(other) || !isThere(other)) continue;
      const strength = before * edge.weight;
      if (strength > (next.get(other)?.strength ?? -1)) next.set(other, { edge, strength });
    }
  }
  for (const [id, step] of next) side.reached.set(id, step);
  side.frontier = [...next.keys()];
}

/** Of the notes that both have reached, the one on the strongest way. They are all on a shortest one. */
function meetingOf(near: Side, far: Side): NodeId | undefined {
  let best: { readonly id: NodeId; readonly strength: number } | undefined;
  for (const id of near.frontier) {
    const other = far.reached.get(id);
    if (!other) continue;
    const strength = other.strength * (near.reached.get(id)?.strength ?? 0);
    if (!best || strength > best.strength) best = { id, strength };
  }
  return best?.id;
}

/** The edges from a note back to where the search began. */
function wayTo({ reached }: Side, id: NodeId): readonly Edge[] {
  const way: Edge[] = [];
  for (let at = id, edge = reached.get(at)?.edge; edge; edge = reached.get(at)?.edge) {
    way.push(edge);
    at = otherEnd(edge, at);
  }
  return way;
}
