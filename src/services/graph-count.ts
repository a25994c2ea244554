import { isInForce, type Edge } from '../domain/edge.ts';
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

/** Counts a graph while it is read: all notes first, then all edges, rejected ones among them. */
export class GraphCount {
  readonly #labels = new Map<NodeId, string>();
  readonly #tags = new Set<string>();
  readonly #degrees = new Map<NodeId, number>();
  readonly #groups = new Groups();
  readonly #byType = { related: 0, reference: 0, manual: 0 };
  readonly #byOrigin = { auto: 0, human: 0, import: 0 };
  readonly #byStatus = { proposed: 0, accepted: 0, rejected: 0 };
  #nodes = 0;
  #edges = 0;

  addNode(node: Node): void {
    this.#nodes += 1;
    for (const tag of node.tags) this.#tags.add(tagKey(tag));
    if (node.archived) return;
    this.#labels.set(node.id, labelOf(node));
    this.#groups.add(node.id);
  }

  addEdge(edge: Edge): void {
    const { sourceId, targetId, type, origin, status } = edge;
    this.#edges += 1;
    this.#byType[type] += 1;
    this.#byOrigin[origin] += 1;
    this.#byStatus[status] += 1;
    if (!isInForce(edge) || !this.#labels.has(sourceId) || !this.#labels.has(targetId)) return;
    for (const id of [sourceId, targetId]) this.#degrees.set(id, (this.#degrees.get(id) ?? 0) + 1);
    this.#groups.join(sourceId, targetId);
  }

  stats(): GraphStats {
    const there = this.#labels.size;
    const ends = this.#degrees.values().reduce((sum, degree) => sum + degree, 0);
    const hubs = [...this.#degrees]
      .sort(([a, most], [b, more]) => more - most || (a < b ? -1 : 1))
      .slice(0, HUBS);
    return {
      nodes: { total: this.#nodes, archived: this.#nodes - there, isolated: there - this.#degrees.size },
      edges: {
        total: this.#edges,
        byType: this.#byType,
        byOrigin: this.#byOrigin,
        byStatus: this.#byStatus,
      },
      tags: this.#tags.size,
      averageDegree: there === 0 ? 0 : ends / there,
      components: this.#groups.counted(),
      hubs: hubs.map(([nodeId, degree]) => ({ nodeId, title: this.#labels.get(nodeId) ?? '', degree })),
    };
  }
}

/** Which things hang together (union-find, with paths halved on the way). */
class Groups {
  readonly #parents = new Map<NodeId, NodeId>();

  add(id: NodeId): void {
    this.#parents.set(id, id);
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
