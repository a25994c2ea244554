import type { Edge } from '../domain/edge.ts';
import { labelOf, type Node } from '../domain/node.ts';
import { tagKey, type NodeId } from '../domain/values.ts';

/** How a graph lies, counted. */
export interface GraphStats {
  readonly nodes: {
    readonly total: number;
    readonly archived: number;
    /** Not archived, and connected to nothing. */
    readonly isolated: number;
  };
  readonly edges: {
    readonly total: number;
    readonly byType: Readonly<Record<Edge['type'], number>>;
    readonly byOrigin: Readonly<Record<Edge['origin'], number>>;
    readonly byStatus: Readonly<Record<Edge['status'], number>>;
  };
  readonly tags: number;
  /** Edges in force at a note that is not archived, on average. */
  readonly averageDegree: number;
  /** Notes that lead to each other, a note that stands alone being one by itself. */
  readonly components: { readonly count: number; readonly largest: number };
  /** The best connected first. */
  readonly hubs: readonly { readonly nodeId: NodeId; readonly title: string; readonly degree: number }[];
}

const HUBS = 10;

/** Counts a graph; `edges` are all there are, rejected ones among them. */
export function graphStats(nodes: readonly Node[], edges: readonly Edge[]): GraphStats {
  const there = new Map(nodes.filter((node) => !node.archived).map((node) => [node.id, node]));
  const degrees = new Map<NodeId, number>();
  const groups = new Groups(there.keys());
  for (const { sourceId, targetId, status } of edges) {
    if (status === 'rejected' || !there.has(sourceId) || !there.has(targetId)) continue;
    for (const id of [sourceId, targetId]) degrees.set(id, (degrees.get(id) ?? 0) + 1);
    groups.join(sourceId, targetId);
  }
  const ends = degrees.values().reduce((sum, degree) => sum + degree, 0);
  const hubs = [...degrees].sort(([a, most], [b, more]) => more - most || (a < b ? -1 : 1)).slice(0, HUBS);
  const count = <K extends string>(kinds: readonly K[], of: (edge: Edge) => K) =>
    Object.fromEntries(
      kinds.map((kind) => [kind, edges.filter((edge) => of(edge) === kind).length]),
    ) as Record<K, number>;
  return {
    nodes: {
      total: nodes.length,
      archived: nodes.length - there.size,
      isolated: there.size - degrees.size,
    },
    edges: {
      total: edges.length,
      byType: count(['related', 'reference', 'manual'], ({ type }) => type),
      byOrigin: count(['auto', 'human', 'import'], ({ origin }) => origin),
      byStatus: count(['proposed', 'accepted', 'rejected'], ({ status }) => status),
    },
    tags: new Set(nodes.flatMap((node) => node.tags.map(tagKey))).size,
    averageDegree: there.size === 0 ? 0 : ends / there.size,
    components: groups.counted(),
    hubs: hubs.map(([nodeId, degree]) => ({ nodeId, title: labelOf(there.get(nodeId) as Node), degree })),
  };
}

/** Which things hang together (union-find, with paths halved on the way). */
class Groups {
  readonly #parents: Map<NodeId, NodeId>;

  constructor(ids: Iterable<NodeId>) {
    this.#parents = new Map([...ids].map((id) => [id, id]));
  }

  join(a: NodeId, b: NodeId): void {
    this.#parents.set(this.#rootOf(a), this.#rootOf(b));
  }

  counted(): { readonly count: number; readonly largest: number } {
    const sizes = new Map<NodeId, number>();
    for (const id of this.#parents.keys()) {
      const root = this.#rootOf(id);
      sizes.set(root, (sizes.get(root) ?? 0) + 1);
    }
    return { count: sizes.size, largest: Math.max(0, ...sizes.values()) };
  }

  #rootOf(id: NodeId): NodeId {
    let at = id;
    for (
      let parent = this.#parents.get(at);
      parent !== undefined && parent !== at;
      parent = this.#parents.get(at)
    ) {
      const above = this.#parents.get(parent) ?? parent;
      this.#parents.set(at, above);
      at = above;
    }
    return at;
  }
}
