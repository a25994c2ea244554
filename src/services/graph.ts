import { isInForce, isLinkers, otherEnd, type Edge } from '../domain/edge.ts';
import type { Node } from '../domain/node.ts';
import type { NodeId, OwnerId, Position } from '../domain/values.ts';
import type { Changes } from '../storage/log.ts';
import type { Repositories } from '../storage/repositories.ts';
import type { Store } from '../storage/store.ts';
import { findPath, type PathQuery } from './graph-path.ts';
import { GraphCount } from './graph-count.ts';
import { inForce } from './nodes.ts';
import type { OwnerIndexes } from './owner-indexes.ts';

export interface Graph {
  readonly position: Position;
  readonly nodes: readonly Node[];
  readonly edges: readonly Edge[];
}

/** A note near another: how many edges away, and the product of the weights on the strongest way there. */
export interface Neighbor {
  readonly node: Node;
  readonly distance: number;
  readonly strength: number;
}

export interface Neighborhood {
  readonly neighbors: readonly Neighbor[];
  /** The edges between the note and its neighbors, and among these where the search passed. */
  readonly edges: readonly Edge[];
}

export interface NeighborQuery {
  /** Edges to walk, 1 to 3. */
  readonly depth: number;
  readonly minWeight: number;
  readonly limit: number;
}

export type GraphService = ReturnType<typeof graphService>;

export function graphService(needs: { readonly store: Store; readonly indexes: OwnerIndexes }) {
  const { store, indexes } = needs;
  return {
    /** Every note that is not archived and every edge in force between them, as of one position in the log. */
    async whole(owner: OwnerId): Promise<Graph> {
      const { value, position } = await store.snapshot(owner, async (from) => {
        const { nodes, edges } = await standingGraph(from);
        return { nodes: [...nodes.values()], edges };
      });
      return { position, ...value };
    },

    /** How much there is, from the head: no note is read. */
    async counts(owner: OwnerId) {
      const { epoch, seq, counts } = await store.head(owner);
      return { position: { epoch, seq }, counts };
    },

    /** What lies within `depth` edges of a note, strongest first. Throws `not_found`. */
    async neighbors(owner: OwnerId, id: NodeId, query: NeighborQuery): Promise<Neighborhood> {
      const from = store.read(owner);
      const { archived } = await from.nodes.get(id);
      const reached = new Map<NodeId, Neighbor>();
      const edges = new Map<string, Edge>();
      let frontier = new Map<NodeId, number>([[id, 1]]);
      for (let distance = 1; distance <= query.depth && frontier.size > 0; distance++) {
        const next = new Map<NodeId, number>();
        for (const [at, strength] of frontier) {
          for (const edge of inForce(await from.edges.of(at))) {
            if (edge.weight < query.minWeight) continue;
            // Of an archived note only what a person drew is in force.
            if (archived && isLinkers(edge) && (at === id || otherEnd(edge, at) === id)) continue;
            edges.set(edge.id, edge);
            const other = otherEnd(edge, at);
            if (other === id || reached.has(other)) continue;
            next.set(other, Math.max(next.get(other) ?? 0, strength * edge.weight));
          }
        }
        // Only the strongest go on, so a hub three steps away costs no more than one nearby.
        frontier = new Map();
        for (const { node, strength } of await notArchived(from, strongest(next))) {
          if (reached.size === query.limit) break;
          reached.set(node.id, { node, distance, strength });
          frontier.set(node.id, strength);
        }
      }
      const there = new Set<NodeId>([id, ...reached.keys()]);
      const neighbors = [...reached.values()].sort(
        (a, b) => a.distance - b.distance || b.strength - a.strength || (a.node.id < b.node.id ? -1 : 1),
      );
      return {
        neighbors,
        edges: [...edges.values()].filter((edge) => there.has(edge.sourceId) && there.has(edge.targetId)),
      };
    },

    /**
     * The shortest way along edges in force from one note to another, through no archived one; the strongest where
     * there are several. Undefined where none is short enough. Throws `not_found`.
     */
    async path(
      owner: OwnerId,
      query: PathQuery,
    ): Promise<{ readonly nodes: readonly Node[]; readonly edges: readonly Edge[] } | undefined> {
      const from = store.read(owner);
      const first = await from.nodes.get(query.from);
      await from.nodes.get(query.to);
      const index = await indexes.ready(owner);
      const edges = await findPath(from, (id) => index.has(id), query);
      if (!edges) return undefined;
      const ids = [first.id];
      for (const edge of edges) ids.push(otherEnd(edge, ids.at(-1) as NodeId));
      const nodes = new Map((await from.nodes.batchGet(ids)).map((node) => [node.id, node]));
      // One of them may have been deleted in between: then there is no such way any more.
      return nodes.size === ids.length ? { nodes: ids.map((id) => nodes.get(id) as Node), edges } : undefined;
    },

    /** Counts the graph as of one position in the log; it reads all of it. */
    async stats(owner: OwnerId) {
      const { value, position } = await store.snapshot(owner, async (from) => {
        const counting = new GraphCount();
        let categories = 0;
        for await (const _ of from.categories.all()) categories += 1;
        for await (const node of from.nodes.all()) counting.addNode(node);
        for await (const edge of from.edges.all()) counting.addEdge(edge);
        return { categories, ...counting.stats() };
      });
      return { position, ...value };
    },

    /** The log after a position; see `readChanges` for what it throws. */
    changes: (
      owner: OwnerId,
      after: { readonly epoch?: string | undefined; readonly seq: number },
      limit: number,
    ): Promise<Changes> => store.changes(owner, after, limit),
  };
}

/** The notes that are not archived, and the edges in force between them; `eachEdge` sees all others as well. */
export async function standingGraph(
  from: Pick<Repositories, 'nodes' | 'edges'>,
  eachEdge?: (edge: Edge) => void,
): Promise<{ readonly nodes: ReadonlyMap<NodeId, Node>; readonly edges: readonly Edge[] }> {
  const nodes = new Map<NodeId, Node>();
  for await (const node of from.nodes.all()) if (!node.archived) nodes.set(node.id, node);
  const edges: Edge[] = [];
  for await (const edge of from.edges.all()) {
    eachEdge?.(edge);
    if (isInForce(edge) && nodes.has(edge.sourceId) && nodes.has(edge.targetId)) edges.push(edge);
  }
  return { nodes, edges };
}

/** Candidates read at one distance: enough that archived ones among them rarely leave a gap. */
const CANDIDATES = 400;

function strongest(candidates: ReadonlyMap<NodeId, number>): ReadonlyMap<NodeId, number> {
  const order = [...candidates].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  return new Map(order.slice(0, CANDIDATES));
}

/** Nothing leads to an archived note, nor through it. */
async function notArchived(from: Repositories, candidates: ReadonlyMap<NodeId, number>) {
  const nodes = new Map((await from.nodes.batchGet([...candidates.keys()])).map((node) => [node.id, node]));
  return [...candidates].flatMap(([id, strength]) => {
    const node = nodes.get(id);
    return node && !node.archived ? [{ node, strength }] : [];
  });
}
