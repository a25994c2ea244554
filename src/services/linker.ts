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

/**
 * Edges written in one transaction; each takes up to three of its hundred writes. A note has at most 15 automatic
 * links from its own side, so even all of them replaced fit.
 */
const CHANGES_A_TRANSACTION = 30;
/** Stored weights have four decimals: a smaller difference is no news to anybody. */
const WEIGHT_STEPS = 10_000;
/** The strongest reasons are stored with an edge, in thousandths; an explanation gives all. */
const REASONS_KEPT = 5;
const CONTRIBUTION_STEPS = 1_000;

/** What a note's edges are to be brought to. */
export interface Asked {
  /** Holds the notes that the transaction sees. */
  readonly index: LinkIndex;
  /** Whether the automatic edges are to become what the text asks for now. */
  readonly content: boolean;
  /** With them, the `reference` edges that stand on links written in the text become these. */
  readonly references?: readonly Wanted[] | undefined;
  /** Notes that a person's link will connect to this one, in either direction: not for the linker. */
  readonly claimed?: ((id: NodeId) => boolean) | undefined;
}

/** What linking needs to know of a note beside its entry in the index. */
export type LinkedEnd = Pick<Node, 'id' | 'owner' | 'archived'>;

export interface Linker {
  /** Does as much of it as fits in the transaction, and gives whether all is done. */
  link(tx: Tx, node: LinkedEnd, asked: Asked): Promise<boolean>;
}

/**
 * Turns what the engine finds into edges. A person's edges and decisions are never touched: a pair that a person
 * connected, accepted or rejected is left alone, a rejected one until one of its texts changes materially.
 */
export function linker(needs: { readonly newEdgeId: () => EdgeId }): Linker {
  /** The edges `mine` become what this note's side wants; what the other side asks for stays. */
  function reconcile(
    node: LinkedEnd,
    wanted: readonly Wanted[],
    mine: { readonly edges: readonly Edge[]; readonly make: EdgeInput; readonly by: 'linker' | 'import' },
    now: Instant,
  ): readonly EdgeDecision[] {
    const decisions: EdgeDecision[] = [];
    const byOther = new Map(mine.edges.map((edge) => [otherEnd(edge, node.id), edge]));
    for (const { otherId, weight, reasons } of wanted) {
      const edge = byOther.get(otherId);
      byOther.delete(otherId);
      if (edge) {
        const support = withSide(edge.support, sideOf(edge, node.id));
        decisions.push(reweigh(edge, { weight, reasons, engine: mine.make.engine }, support, now));
        continue;
      }
      const input = { ...mine.make, weight, reasons, support: 'source' as const };
      const ends = { source: node, target: { id: otherId, owner: node.owner } };
      decisions.push(createEdge(input, ends, { id: needs.newEdgeId(), now }));
    }
    for (const edge of byOther.values()) {
      const left = withoutSide(edge.support, sideOf(edge, node.id));
      decisions.push(left === undefined ? deleteEdge(edge, mine.by, now) : changeSupport(edge, left, now));
    }
    return decisions.filter((decision) => decision.events.length > 0);
  }

  async function ofReferences(
    tx: Tx,
    node: LinkedEnd,
    edges: readonly Edge[],
    targets: readonly Wanted[],
    index: LinkIndex,
  ): Promise<readonly EdgeDecision[]> {
    const references = edges.filter((edge) => edge.type === 'reference');
    // One without support was drawn by a person as such, and does not hang on the text.
    const drawn = references
      .filter((edge) => edge.support === undefined)
      .map((edge) => otherEnd(edge, node.id));
    const outside = targets.map((target) => target.otherId).filter((id) => !index.has(id));
    const there = new Set(outside.length === 0 ? [] : await tx.nodes.existing(outside)); // archived ones
    return reconcile(
      node,
      targets.filter(({ otherId }) => (index.has(otherId) || there.has(otherId)) && !drawn.includes(otherId)),
      {
        edges: references.filter((edge) => edge.support !== undefined),
        make: { type: 'reference', origin: 'human', status: 'accepted' },
        by: 'import',
      },
      tx.now,
    );
  }

  async function ofContent(
    tx: Tx,
    node: LinkedEnd,
    edges: readonly Edge[],
    index: LinkIndex,
    isClaimed: (id: NodeId) => boolean,
  ): Promise<readonly EdgeDecision[]> {
    // What the index names is there: it holds the notes that this transaction sees.
    const kept = node.archived ? [] : index.links(node.id).slice(0, LIMITS.linksOfNode);
    const wanted = kept
      .map(({ id, weight, reasons }): Wanted => ({
        otherId: id as NodeId,
        weight: rounded(weight, WEIGHT_STEPS),
        reasons: reasons.slice(0, REASONS_KEPT).map((reason) => ({
          ...reason,
          contribution: rounded(reason.contribution, CONTRIBUTION_STEPS),
        })),
      }))
      .filter(({ otherId }) => !isClaimed(otherId));
    const { open, reopened } = await withoutDecided(tx, node, wanted, edges, index);
    const proposed = [...edges.filter(isLinkers), ...reopened];
    const make = { type: 'related', origin: 'auto', engine: ENGINE_VERSION } as const;
    return reconcile(node, open, { edges: proposed, make, by: 'linker' }, tx.now);
  }

  return {
    async link(tx, node, { index, content, references, claimed }) {
      const edges = await tx.edges.of(node.id);
      const written = references ? await ofReferences(tx, node, edges, references, index) : [];
      const referred = new Set(references?.map((reference) => reference.otherId));
      const isClaimed = (id: NodeId): boolean => referred.has(id) || claimed?.(id) === true;
      const found = content ? await ofContent(tx, node, edges, index, isClaimed) : [];
      const fits = written.length + found.length <= CHANGES_A_TRANSACTION;
      for (const decision of fits ? [...written, ...found] : written.slice(0, CHANGES_A_TRANSACTION)) {
        tx.edges.apply(decision);
      }
      return fits;
    },
  };
}

/** Leaves out the pairs that a person has settled; reopens a rejected one whose texts are no longer what they were. */
async function withoutDecided(
  tx: Tx,
  node: LinkedEnd,
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

function rounded(value: number, steps: number): number {
  return Math.round(value * steps) / steps;
}
