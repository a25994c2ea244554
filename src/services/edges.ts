import {
  createEdge,
  deleteEdge,
  isLinkers,
  setStatus,
  updateWeight,
  type Edge,
  type EdgeInput,
  type EdgeStatus,
} from '../domain/edge.ts';
import { BrainError } from '../domain/error.ts';
import type { Node } from '../domain/node.ts';
import type { EdgeId, NodeId, OwnerId } from '../domain/values.ts';
import type { Explanation } from '../linking/link-index.ts';
import { keys, pairOf } from '../storage/keys.ts';
import type { PairDecision } from '../storage/repositories.ts';
import type { Store } from '../storage/store.ts';
import type { Tx } from '../storage/transaction.ts';
import { checkVersion, withoutDangling } from './nodes.ts';
import { toLinkable, type OwnerIndexes } from './owner-indexes.ts';
import { fillPage, type ListPage, type PageOptions } from './pages.ts';
import type { Keep } from './receipts.ts';

export interface EdgeFilter {
  readonly node?: NodeId | undefined;
  readonly type?: Edge['type'] | undefined;
  readonly origin?: Edge['origin'] | undefined;
  /** Absent: all but the rejected ones. */
  readonly status?: EdgeStatus | undefined;
  readonly minWeight?: number | undefined;
}

/** Why two notes are connected, or how far they are from it. */
export interface PairExplanation {
  readonly source: Node;
  readonly target: Node;
  /** Every edge between the two, of any type and status. */
  readonly edges: readonly Edge[];
  /** What the engine of today says of the two texts of today. */
  readonly engine: Explanation;
}

export type EdgeService = ReturnType<typeof edgeService>;

/** Use cases on edges: what a person draws, and what a person says of the linker's. */
export function edgeService(needs: {
  readonly store: Store;
  readonly indexes: OwnerIndexes;
  readonly newEdgeId: () => EdgeId;
}) {
  const { store, indexes } = needs;

  /** Keeps what a person said of a pair, with how the two texts were. */
  async function decide(tx: Tx, edge: Edge, verdict: PairDecision['verdict'] | undefined): Promise<void> {
    const before = await tx.decisions.find([edge.sourceId, edge.targetId]);
    if (verdict === undefined) {
      tx.decisions.replace(before, undefined);
      return;
    }
    const index = await indexes.ready(tx.owner, tx);
    const ends = await tx.nodes.batchGet([edge.sourceId, edge.targetId]);
    tx.decisions.replace(before, {
      a: edge.sourceId,
      b: edge.targetId,
      verdict,
      fingerprints: Object.fromEntries(
        await Promise.all(
          ends.map(async (node) => [node.id, await index.fingerprint(toLinkable(node))] as const),
        ),
      ),
      at: tx.now,
    });
  }

  async function explain(owner: OwnerId, a: NodeId, b: NodeId): Promise<PairExplanation> {
    const from = store.read(owner);
    const source = await from.nodes.get(a); // one after the other: of two that are missing the first is told
    const target = await from.nodes.get(b);
    if (a === b) {
      throw new BrainError('invalid', 'a note is not connected to itself', {
        issues: [{ pointer: '', code: 'self', message: 'name two different notes' }],
      });
    }
    const index = await indexes.ready(owner);
    const edges = await from.edges.between(a, b);
    return { source, target, edges, engine: await index.explain(toLinkable(source), toLinkable(target)) };
  }

  return {
    get: (owner: OwnerId, id: EdgeId): Promise<Edge> => store.read(owner).edges.get(id),

    async list(
      owner: OwnerId,
      filter: EdgeFilter,
      page: { readonly limit: number; readonly after?: string | undefined },
    ): Promise<ListPage<Edge>> {
      const from = store.read(owner);
      const keep = keeps(filter);
      const index = await indexes.ready(owner);
      if (filter.node !== undefined) {
        await from.nodes.get(filter.node);
        return pageOf(await withoutDangling(from, await from.edges.of(filter.node), index), keep, page);
      }
      const read = async (options: PageOptions) => {
        const { items, next } = await from.edges.list(options);
        return { items: await withoutDangling(from, items, index), next };
      };
      const keyOf = ({ sourceId, targetId, type }: Edge) =>
        keys.edge(owner, pairOf(sourceId, targetId, type)).sk;
      return fillPage({ read, keep, keyOf }, page);
    },

    /** Draws an edge between two notes of the owner. Throws `invalid`, `not_found` (an end) or `conflict`. */
    create: (
      owner: OwnerId,
      input: EdgeInput & { readonly sourceId: NodeId; readonly targetId: NodeId },
      keep?: Keep<Edge>,
    ): Promise<Edge> =>
      store.write(owner, async (tx) => {
        const source = await endOf(tx, input.sourceId, '/sourceId');
        const target = await endOf(tx, input.targetId, '/targetId');
        const existing = await tx.edges.findPair(source.id, target.id, input.type ?? 'manual');
        const decision = createEdge(
          input,
          { source, target, existing },
          { id: needs.newEdgeId(), now: tx.now },
        );
        tx.edges.apply(decision);
        const edge = decision.after as Edge;
        await keep?.(tx, edge);
        return edge;
      }),

    /** Sets the weight, or accepts, rejects or reopens. Throws `stale`, `invalid` or `conflict`. */
    update: (
      owner: OwnerId,
      id: EdgeId,
      input: { readonly weight?: number | undefined; readonly status?: EdgeStatus | undefined },
      expectedVersion?: number,
    ): Promise<Edge> =>
      store.write(owner, async (tx) => {
        const edge = await tx.edges.get(id);
        checkVersion('edge', edge, expectedVersion, input);
        // Who weighs a proposed edge has accepted it: the linker does not weigh it again.
        const weighs = input.weight !== undefined && isLinkers(edge);
        const status = input.status ?? (weighs ? 'accepted' : edge.status);
        const judged = setStatus(edge, status, tx.now);
        const weighed =
          input.weight === undefined
            ? judged
            : updateWeight(judged.after ?? edge, { weight: input.weight }, tx.now);
        const events = judged === weighed ? judged.events : [...judged.events, ...weighed.events];
        tx.edges.apply({ before: edge, after: weighed.after, events });
        if (status !== edge.status) await decide(tx, edge, status === 'proposed' ? undefined : status);
        return weighed.after as Edge;
      }),

    /** Deletes an edge. Deleting an automatic one says that the pair is not to be proposed again. */
    delete: (owner: OwnerId, id: EdgeId, expectedVersion?: number): Promise<void> =>
      store.write(owner, async (tx) => {
        const edge = await tx.edges.get(id);
        checkVersion('edge', edge, expectedVersion);
        if (edge.origin === 'auto') await decide(tx, edge, 'rejected');
        tx.edges.apply(deleteEdge(edge, 'person', tx.now));
      }),

    explain,

    async explainEdge(owner: OwnerId, id: EdgeId): Promise<PairExplanation & { readonly edge: Edge }> {
      const edge = await store.read(owner).edges.get(id);
      return { edge, ...(await explain(owner, edge.sourceId, edge.targetId)) };
    },
  };
}

function keeps(filter: EdgeFilter): (edge: Edge) => boolean {
  return (edge) =>
    (filter.status === undefined ? edge.status !== 'rejected' : edge.status === filter.status) &&
    (filter.type === undefined || edge.type === filter.type) &&
    (filter.origin === undefined || edge.origin === filter.origin) &&
    edge.weight >= (filter.minWeight ?? 0);
}

/** A node's edges come whole, so the page is cut from them in the order of their ids. */
function pageOf(
  whole: readonly Edge[],
  keep: (edge: Edge) => boolean,
  page: { readonly limit: number; readonly after?: string | undefined },
): ListPage<Edge> {
  const edges = whole.filter(keep).sort((a, b) => (a.id < b.id ? -1 : 1));
  const rest = edges.filter((edge) => page.after === undefined || edge.id > page.after);
  const items = rest.slice(0, page.limit);
  return rest.length > items.length ? { items, next: items.at(-1)?.id } : { items };
}

async function endOf(tx: Tx, id: NodeId, pointer: string): Promise<Node> {
  const node = await tx.nodes.find(id);
  if (node) return node;
  throw new BrainError('invalid', `there is no note ${id}`, {
    issues: [{ pointer, code: 'not_found', message: `there is no note ${id}` }],
  });
}
