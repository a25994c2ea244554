import {
  changeSupport,
  createEdge,
  deleteEdge,
  isLinkers,
  otherEnd,
  setStatus,
  updateWeight,
  type Edge,
  type EdgeDecision,
  type EdgeInput,
  type Reason,
  type Support,
  type Weighing,
} from '../domain/edge.ts';
import { LIMITS } from '../domain/limits.ts';
import type { Node } from '../domain/node.ts';
import type { EdgeId, Instant, NodeId } from '../domain/values.ts';
import { ENGINE_VERSION, materiallyChanged, type LinkIndex } from '../linking/link-index.ts';
import type { Tx } from '../storage/transaction.ts';
import { toLinkable } from './owner-indexes.ts';

/** An edge that a note's text asks for. */
export interface Wanted {
  readonly otherId: NodeId;
  readonly weight: number;
  readonly reasons: readonly Reason[];
}

/** Edges written in one transaction; each takes up to three of its hundred writes. */
const CHANGES_A_TRANSACTION = 30;
/** Stored weights have four decimals: a smaller difference is no news to anybody. */
const WEIGHT_STEPS = 10_000;

export interface Linker {
  /** Brings the automatic edges of a note, which is in the index, to what its text asks for now. */
  linkNode(tx: Tx, node: Node, index: LinkIndex): Promise<void>;
  /**
   * Brings the `reference` edges that stand on links written in the note's text to these targets: as many as fit in
   * one transaction. Gives whether all are done.
   */
  linkReferences(tx: Tx, node: Node, targets: readonly Wanted[]): Promise<boolean>;
}

/**
 * Turns what the engine finds into edges. A person's edges and decisions are never touched: a pair that a person
 * connected, accepted or rejected is left alone, a rejected one until one of its texts changes materially.
 */
export function linker(needs: { readonly newEdgeId: () => EdgeId }): Linker {
  /**
   * The edges `mine` become what this note's side wants; what the other side asks for stays. Stops when the
   * transaction is full, and gives whether it came to the end.
   */
  async function reconcile(
    tx: Tx,
    node: Node,
    wanted: readonly Wanted[],
    mine: { readonly edges: readonly Edge[]; readonly make: EdgeInput; readonly by: 'linker' | 'import' },
  ): Promise<boolean> {
    const decisions: EdgeDecision[] = [];
    const byOther = new Map(mine.edges.map((edge) => [otherEnd(edge, node.id), edge]));
    for (const { otherId, weight, reasons } of wanted) {
      const edge = byOther.get(otherId);
      byOther.delete(otherId);
      if (edge) {
        const support = withSide(edge.support, sideOf(edge, node.id));
        decisions.push(reweigh(edge, { weight, reasons, engine: mine.make.engine }, support, tx.now));
        continue;
      }
      const input = { ...mine.make, weight, reasons, support: 'source' as const };
      const ends = { source: node, target: { id: otherId, owner: node.owner } };
      decisions.push(createEdge(input, ends, { id: needs.newEdgeId(), now: tx.now }));
    }
    for (const edge of byOther.values()) {
      const left = withoutSide(edge.support, sideOf(edge, node.id));
      decisions.push(
        left === undefined ? deleteEdge(edge, mine.by, tx.now) : changeSupport(edge, left, tx.now),
      );
    }
    const changes = decisions.filter((decision) => decision.events.length > 0);
    for (const decision of changes.slice(0, CHANGES_A_TRANSACTION)) tx.edges.apply(decision);
    return changes.length <= CHANGES_A_TRANSACTION;
  }

  return {
    async linkNode(tx, node, index) {
      const edges = await tx.edges.of(node.id);
      const kept = node.archived ? [] : index.links(node.id).slice(0, LIMITS.linksOfNode);
      const wanted: Wanted[] = kept.map(({ id, weight, reasons }) => ({
        otherId: id as NodeId,
        weight: Math.round(weight * WEIGHT_STEPS) / WEIGHT_STEPS,
        reasons,
      }));
      // What the index names is there: it holds the notes that this transaction sees.
      const { open, reopened } = await withoutDecided(tx, node, wanted, edges, index);
      await reconcile(tx, node, open, {
        edges: [...edges.filter(isLinkers), ...reopened],
        make: { type: 'related', origin: 'auto', engine: ENGINE_VERSION },
        by: 'linker',
      });
    },

    async linkReferences(tx, node, targets) {
      const edges = await tx.edges.of(node.id);
      const references = edges.filter((edge) => edge.type === 'reference');
      const written = references.filter((edge) => edge.support !== undefined);
      const drawn = new Set(
        references.filter((edge) => edge.support === undefined).map((e) => otherEnd(e, node.id)),
      );
      const there = new Set(await tx.nodes.existing(targets.map((target) => target.otherId)));
      return reconcile(
        tx,
        node,
        targets.filter(({ otherId }) => there.has(otherId) && !drawn.has(otherId)),
        { edges: written, make: { type: 'reference', origin: 'human', status: 'accepted' }, by: 'import' },
      );
    },
  };
}

/** Leaves out the pairs that a person has settled; reopens a rejected one whose texts are no longer what they were. */
async function withoutDecided(
  tx: Tx,
  node: Node,
  wanted: readonly Wanted[],
  edges: readonly Edge[],
  index: LinkIndex,
): Promise<{ readonly open: readonly Wanted[]; readonly reopened: readonly Edge[] }> {
  if (wanted.length === 0) return { open: [], reopened: [] };
  const settled = new Map(
    edges.filter((edge) => !isLinkers(edge)).map((edge) => [otherEnd(edge, node.id), edge]),
  );
  const pairs = await tx.decisions.existing(wanted.map((w) => [node.id, w.otherId] as const));
  const decided = pairs.length === 0 ? [] : await tx.decisions.batchGet(pairs);
  const rejected = new Map(
    decided.filter((d) => d.verdict === 'rejected').map((d) => [d.a === node.id ? d.b : d.a, d]),
  );
  const open: Wanted[] = [];
  const reopened: Edge[] = [];
  for (const candidate of wanted) {
    const { otherId } = candidate;
    const decision = rejected.get(otherId);
    const edge = settled.get(otherId);
    if (decision) {
      if (!(await changedSince(tx, decision.fingerprints, [node.id, otherId], index))) continue;
      tx.decisions.replace(decision, undefined);
      if (edge?.status === 'rejected') {
        const decided = setStatus(edge, 'proposed', tx.now);
        tx.edges.apply(decided);
        reopened.push(decided.after as Edge);
      }
      open.push(candidate);
    } else if (!edge) {
      open.push(candidate);
    }
  }
  return { open, reopened };
}

async function changedSince(
  tx: Tx,
  fingerprints: Readonly<Record<NodeId, string>>,
  ids: readonly NodeId[],
  index: LinkIndex,
): Promise<boolean> {
  const nodes = await tx.nodes.batchGet(ids);
  return nodes.some((node) => {
    const before = fingerprints[node.id];
    return before !== undefined && materiallyChanged(before, index.fingerprint(toLinkable(node)));
  });
}

function reweigh(edge: Edge, weighing: Weighing, support: Support, now: Instant): EdgeDecision {
  const weighed = updateWeight(edge, weighing, now);
  const supported = changeSupport(weighed.after ?? edge, support, now);
  return { before: edge, after: supported.after, events: [...weighed.events, ...supported.events] };
}

function sideOf(edge: Edge, id: NodeId): 'source' | 'target' {
  return edge.sourceId === id ? 'source' : 'target';
}

function withSide(support: Support | undefined, side: 'source' | 'target'): Support {
  return support === undefined || support === side ? side : 'both';
}

/** What is left when `side` no longer asks for the edge; undefined when nobody does. */
function withoutSide(support: Support | undefined, side: 'source' | 'target'): Support | undefined {
  const other = side === 'source' ? 'target' : 'source';
  return support === 'both' || support === other ? other : undefined;
}
