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
  type Support,
  type Weighing,
} from '../domain/edge.ts';
import type { Node } from '../domain/node.ts';
import type { EdgeId, Instant, NodeId } from '../domain/values.ts';
import { ENGINE_VERSION, materiallyChanged } from '../linking/link-index.ts';
import type { Tx } from '../storage/transaction.ts';
import type { NoteIndex } from './index-thread.ts';
import { toLinkable } from './owner-indexes.ts';
import type { AskedBy, AskedEdge, AskedEdges } from './pair-turns.ts';
import { reasonsIn } from './wanted.ts';

/**
 * Edges written in one transaction; each takes up to three of its hundred writes. A note has at most 15 automatic
 * links from its own side, so even all of them replaced fit.
 */
const CHANGES_A_TRANSACTION = 30;

/** What a note's edges are to be brought to. */
export interface Asked {
  /** Holds the notes that the transaction sees. */
  readonly index: NoteIndex;
  /** What the automatic edges are to become. */
  readonly content?: AskedEdges | undefined;
  /** What the `reference` edges that stand on links written in the text are to become. */
  readonly references?: AskedEdges | undefined;
  /** Nothing about the note's edges is stored: only what writes under way have changed is to be looked at. */
  readonly isBare?: boolean | undefined;
  /** Of a run that people look through. */
  readonly review?: Review | undefined;
  /** Notes that a person's link will connect to this one, in either direction: not for the linker. */
  readonly claimed?: ((id: NodeId) => boolean) | undefined;
}

/** Takes what is decided, in the place of its being applied. What a person has rejected then stays so, whatever changed. */
export interface Review {
  readonly take: (tx: Tx, decisions: readonly EdgeDecision[]) => Promise<void>;
  /** How many of them a transaction takes, and how many one before it took that were not applied. */
  readonly most: number;
  readonly skip: number;
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
  /** The edges `mine` become what is asked for; what another text asks for, and is not known here, stays. */
  function reconcile(
    node: LinkedEnd,
    asked: AskedEdges,
    mine: { readonly edges: readonly Edge[]; readonly make: EdgeInput; readonly by: 'linker' | 'import' },
    now: Instant,
  ): readonly EdgeDecision[] {
    const decisions: EdgeDecision[] = [];
    const byOther = new Map(mine.edges.map((edge) => [otherEnd(edge, node.id), edge]));
    for (const { otherId, weight, reasons: text, by } of asked.edges) {
      const reasons = reasonsIn(text);
      const edge = byOther.get(otherId);
      byOther.delete(otherId);
      if (edge) {
        const support = supportOf(edge, node.id, by, asked) ?? 'both';
        decisions.push(reweigh(edge, { weight, reasons, engine: mine.make.engine }, support, now));
        continue;
      }
      // The reasons are seen from the note that asks: it is the source.
      const other = { id: otherId, owner: node.owner };
      const ends = by === 'other' ? { source: other, target: node } : { source: node, target: other };
      const support: Support = by === 'both' ? 'both' : 'source';
      const input = { ...mine.make, weight, reasons, support };
      decisions.push(createEdge(input, ends, { id: needs.newEdgeId(), now }));
    }
    for (const [otherId, edge] of byOther) {
      if (asked.waits(otherId)) continue;
      const left = supportOf(edge, node.id, undefined, asked);
      decisions.push(left === undefined ? deleteEdge(edge, mine.by, now) : changeSupport(edge, left, now));
    }
    return decisions.filter((decision) => decision.events.length > 0);
  }

  async function ofReferences(
    tx: Tx,
    node: LinkedEnd,
    edges: readonly Edge[],
    asked: AskedEdges,
    index: NoteIndex,
  ): Promise<readonly EdgeDecision[]> {
    const references = edges.filter((edge) => edge.type === 'reference');
    // One without support was drawn by a person as such, and does not hang on the text.
    const drawn = references
      .filter((edge) => edge.support === undefined)
      .map((edge) => otherEnd(edge, node.id));
    const outside = asked.edges.map((target) => target.otherId).filter((id) => !index.has(id));
    const there = new Set(outside.length === 0 ? [] : await tx.nodes.existing(outside)); // archived ones
    const open = asked.edges.filter(
      ({ otherId }) => (index.has(otherId) || there.has(otherId)) && !drawn.includes(otherId),
    );
    return reconcile(
      node,
      { ...asked, edges: open },
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
    asked: AskedEdges,
    isOpen: (id: NodeId) => boolean,
    about: Pick<Asked, 'index' | 'isBare' | 'review'>,
  ): Promise<readonly EdgeDecision[]> {
    const wanted = node.archived ? [] : asked.edges.filter(({ otherId }) => isOpen(otherId));
    const { open, reopened } = await withoutDecided(tx, node, wanted, edges, about);
    const proposed = [...edges.filter(isLinkers), ...reopened];
    const make = { type: 'related', origin: 'auto', engine: ENGINE_VERSION } as const;
    return reconcile(node, { ...asked, edges: open }, { edges: proposed, make, by: 'linker' }, tx.now);
  }

  return {
    async link(tx, node, { index, content, references, claimed, review, isBare = false }) {
      const edges = await tx.edges.of(node.id, { uncommitted: isBare });
      const written = references ? await ofReferences(tx, node, edges, references, index) : [];
      const referred = new Set(references?.edges.map((reference) => reference.otherId));
      // What the index names is there: it holds the notes that this transaction sees.
      const isOpen = (id: NodeId): boolean => index.has(id) && !referred.has(id) && claimed?.(id) !== true;
      const found = content
        ? await ofContent(tx, node, edges, content, isOpen, { index, isBare, review })
        : [];
      const changes = [...written, ...found];
      const { skip, most } = review ?? { skip: 0, most: CHANGES_A_TRANSACTION };
      const taken = changes.slice(skip, skip + most);
      if (review) await review.take(tx, taken);
      else for (const decision of taken) tx.edges.apply(decision);
      return changes.length <= skip + most;
    },
  };
}

/** Leaves out the pairs that a person has settled; reopens a rejected one whose texts are no longer what they were. */
async function withoutDecided(
  tx: Tx,
  node: LinkedEnd,
  wanted: readonly AskedEdge[],
  edges: readonly Edge[],
  { index, isBare, review }: Pick<Asked, 'index' | 'isBare' | 'review'>,
): Promise<{ readonly open: readonly AskedEdge[]; readonly reopened: readonly Edge[] }> {
  if (wanted.length === 0) return { open: [], reopened: [] };
  const settled = new Map(
    edges.filter((edge) => !isLinkers(edge)).map((edge) => [otherEnd(edge, node.id), edge]),
  );
  // A decision on a pair stands on an edge of it.
  const pairs =
    isBare && edges.length === 0
      ? []
      : await tx.decisions.existing(wanted.map((w) => [node.id, w.otherId] as const));
  const decided = pairs.length === 0 ? [] : await tx.decisions.batchGet(pairs);
  const rejected = new Map(
    decided.filter((d) => d.verdict === 'rejected').map((d) => [d.a === node.id ? d.b : d.a, d]),
  );
  const open: AskedEdge[] = [];
  const reopened: Edge[] = [];
  for (const candidate of wanted) {
    const { otherId } = candidate;
    const decision = rejected.get(otherId);
    const edge = settled.get(otherId);
    if (decision && review) continue;
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
  index: NoteIndex,
): Promise<boolean> {
  for (const node of await tx.nodes.batchGet(ids)) {
    const before = fingerprints[node.id];
    if (before === undefined) continue;
    if (materiallyChanged(before, await index.fingerprint(toLinkable(node)))) return true;
  }
  return false;
}

function reweigh(edge: Edge, weighing: Weighing, support: Support, now: Instant): EdgeDecision {
  const weighed = updateWeight(edge, weighing, now);
  const supported = changeSupport(weighed.after ?? edge, support, now);
  return { before: edge, after: supported.after, events: [...weighed.events, ...supported.events] };
}

/** Which texts ask for an edge, by what is asked and, where that is not known, by what was; undefined: neither. */
function supportOf(
  edge: Edge,
  id: NodeId,
  by: AskedBy | undefined,
  { knowsThis, knows }: AskedEdges,
): Support | undefined {
  const [mine, others] =
    edge.sourceId === id ? (['source', 'target'] as const) : (['target', 'source'] as const);
  const had = (side: Support): boolean => edge.support === 'both' || edge.support === side;
  const byThis = by === 'this' || by === 'both' || (!knowsThis && had(mine));
  const byOther = by === 'other' || by === 'both' || (!knows(otherEnd(edge, id)) && had(others));
  if (byThis && byOther) return 'both';
  return byThis ? mine : byOther ? others : undefined;
}
