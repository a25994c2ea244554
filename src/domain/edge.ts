import { assertNever } from '../shared/assert.ts';
import type { Brand } from '../shared/brand.ts';
import { unchanged, type Decision } from './decision.ts';
import { BrainError, checkAll, refuse } from './error.ts';
import { LIMITS } from './limits.ts';
import type { Node } from './node.ts';
import * as value from './values.ts';
import type { EdgeId, Instant, NodeId, OwnerId, Weight } from './values.ts';

/** `related`: found by content. `reference`: a link in the text. `manual`: drawn by a person. */
export type EdgeType = 'related' | 'reference' | 'manual';
export type EdgeOrigin = 'auto' | 'human' | 'import';
export type EdgeStatus = 'proposed' | 'accepted' | 'rejected';

/** Which of the two texts asks for the edge; it goes when neither does. */
export type Support = 'source' | 'target' | 'both';

/** Why two notes are connected. `contribution` is the share of the weight, in [0, 1]. */
export interface Reason {
  readonly kind: 'names' | 'named-by' | 'covers' | 'term' | 'tag' | 'link';
  readonly term: string;
  readonly contribution: number;
}

/** A connection of two notes of one owner; at most one per unordered pair and type. */
export type Edge = Brand<
  {
    readonly id: EdgeId;
    readonly owner: OwnerId;
    readonly sourceId: NodeId;
    readonly targetId: NodeId;
    readonly type: EdgeType;
    readonly weight: Weight;
    readonly origin: EdgeOrigin;
    readonly status: EdgeStatus;
    readonly reasons: readonly Reason[];
    /** The linking engine that made it, for `auto` edges. */
    readonly engine?: string | undefined;
    /** For edges that stand on a text: `auto` ones, and links written in a note. */
    readonly support?: Support | undefined;
    readonly createdAt: Instant;
    readonly updatedAt: Instant;
    readonly version: number;
  },
  'Edge'
>;

export interface EdgeInput {
  readonly type?: EdgeType | undefined;
  readonly weight?: number | undefined;
  readonly origin?: EdgeOrigin | undefined;
  readonly status?: EdgeStatus | undefined;
  readonly reasons?: readonly Reason[] | undefined;
  readonly engine?: string | undefined;
  readonly support?: Support | undefined;
}

interface OfEdge {
  readonly edgeId: EdgeId;
  readonly sourceId: NodeId;
  readonly targetId: NodeId;
  readonly version: number;
  readonly at: Instant;
}

export type EdgeEvent =
  | (OfEdge & { readonly type: 'edge.created'; readonly edge: Edge })
  | (OfEdge & {
      readonly type: 'edge.weightUpdated';
      readonly from: Weight;
      readonly weight: Weight;
      readonly reasons: readonly Reason[];
      readonly engine?: string | undefined;
    })
  | (OfEdge & { readonly type: 'edge.supportChanged'; readonly support: Support })
  | (OfEdge & { readonly type: 'edge.accepted' | 'edge.rejected' | 'edge.reopened' })
  | (OfEdge & { readonly type: 'edge.deleted'; readonly by: 'person' | 'linker' | 'import' });

export type EdgeDecision = Decision<Edge, EdgeEvent>;

/** What an edge needs to know of its ends. */
export type EdgeEnd = Pick<Node, 'id' | 'owner'>;

/**
 * Connects two notes. `existing` is the edge of this pair and type, if there is one: then it throws `conflict`.
 * Throws `invalid` for a note with itself, ends of two owners (told as not there), or a weight outside [0, 1].
 */
export function createEdge(
  input: EdgeInput,
  ends: { readonly source: EdgeEnd; readonly target: EdgeEnd; readonly existing?: Edge | undefined },
  made: { readonly id: EdgeId; readonly now: Instant },
): EdgeDecision {
  const { source, target, existing } = ends;
  if (source.id === target.id) refuse('/targetId', 'self', 'a note cannot be connected to itself');
  if (source.owner !== target.owner) refuse('/targetId', 'not_found', `there is no note ${target.id}`);
  const type = input.type ?? 'manual';
  if (existing) {
    throw new BrainError('conflict', `these notes already have an edge of type ${type}`, {
      details: { edgeId: existing.id },
    });
  }
  const fields = checkAll({
    weight: () => value.weight(input.weight ?? 1),
    reasons: () => checkReasons(input.reasons ?? []),
  });
  const after = {
    id: made.id,
    owner: source.owner,
    sourceId: source.id,
    targetId: target.id,
    type,
    weight: fields.weight,
    origin: input.origin ?? 'human',
    status: input.status ?? (input.origin === 'auto' ? 'proposed' : 'accepted'),
    reasons: fields.reasons,
    ...(input.engine !== undefined && { engine: input.engine }),
    ...(input.support !== undefined && { support: input.support }),
    createdAt: made.now,
    updatedAt: made.now,
    version: 1,
  } as unknown as Edge;
  return { after, events: [{ type: 'edge.created', ...stamp(after, 1, made.now), edge: after }] };
}

/** An edge as an export tells it, with its own id and times. Throws what `createEdge` throws. */
export function recreateEdge(
  input: EdgeInput & { readonly createdAt: Instant; readonly updatedAt: Instant },
  ends: Parameters<typeof createEdge>[1],
  made: Parameters<typeof createEdge>[2],
): EdgeDecision {
  const { createdAt, updatedAt } = input;
  const after = { ...(createEdge(input, ends, made).after as Edge), createdAt, updatedAt } as Edge;
  return { after, events: [{ type: 'edge.created', ...stamp(after, 1, made.now), edge: after }] };
}

export interface Weighing {
  readonly weight: number;
  readonly reasons?: readonly Reason[] | undefined;
  readonly engine?: string | undefined;
}

/** Gives the edge another weight, with its reasons. The same weight is no change. Throws `invalid`. */
export function updateWeight(edge: Edge, weighing: Weighing, now: Instant): EdgeDecision {
  const fields = checkAll({
    weight: () => value.weight(weighing.weight),
    reasons: () => checkReasons(weighing.reasons ?? edge.reasons),
  });
  if (fields.weight === edge.weight) return unchanged(edge);
  const engine = weighing.engine ?? edge.engine;
  return decide(edge, {
    type: 'edge.weightUpdated',
    ...stamp(edge, edge.version + 1, now),
    from: edge.weight,
    ...fields,
    ...(engine !== undefined && { engine }),
  });
}

/** Sets which of the two texts asks for the edge. */
export function changeSupport(edge: Edge, support: Support, now: Instant): EdgeDecision {
  if (edge.support === support) return unchanged(edge);
  return decide(edge, { type: 'edge.supportChanged', ...stamp(edge, edge.version + 1, now), support });
}

const STATUS_EVENT = {
  accepted: 'edge.accepted',
  rejected: 'edge.rejected',
  proposed: 'edge.reopened',
} as const satisfies Record<EdgeStatus, string>;

/** Accepts, rejects or reopens an edge. An edge that a person drew is deleted, not rejected: `conflict`. */
export function setStatus(edge: Edge, status: EdgeStatus, now: Instant): EdgeDecision {
  if (edge.status === status) return unchanged(edge);
  if (edge.origin !== 'auto') {
    throw new BrainError(
      'conflict',
      'only an automatic edge is accepted or rejected; delete this one instead',
    );
  }
  return decide(edge, { type: STATUS_EVENT[status], ...stamp(edge, edge.version + 1, now) });
}

export function deleteEdge(edge: Edge, by: 'person' | 'linker' | 'import', now: Instant): EdgeDecision {
  return decide(edge, { type: 'edge.deleted', ...stamp(edge, edge.version + 1, now), by });
}

/** Whether the linker may change or remove it: not what a person made, nor what a person decided on. */
export function isLinkers(edge: Edge): boolean {
  return edge.origin === 'auto' && edge.status === 'proposed';
}

/** A rejected edge is kept as a decision, not as a connection. */
export function isInForce({ status }: Pick<Edge, 'status'>): boolean {
  return status !== 'rejected';
}

export function otherEnd(edge: Pick<Edge, 'sourceId' | 'targetId'>, id: NodeId): NodeId {
  return edge.sourceId === id ? edge.targetId : edge.sourceId;
}

/** The fold of all of an edge's events is its state; `undefined` once it is deleted. */
export function applyEdgeEvent(edge: Edge | undefined, event: EdgeEvent): Edge | undefined {
  if (event.type === 'edge.created') return event.edge;
  if (event.type === 'edge.deleted' || edge === undefined) return undefined;
  const base = { ...edge, version: event.version, updatedAt: event.at };
  switch (event.type) {
    case 'edge.weightUpdated':
      return {
        ...base,
        weight: event.weight,
        reasons: event.reasons,
        ...(event.engine !== undefined && { engine: event.engine }),
      };
    case 'edge.supportChanged':
      return { ...base, support: event.support };
    case 'edge.accepted':
      return { ...base, status: 'accepted' };
    case 'edge.rejected':
      return { ...base, status: 'rejected' };
    case 'edge.reopened':
      return { ...base, status: 'proposed' };
    default:
      return assertNever(event);
  }
}

function decide(edge: Edge, event: EdgeEvent): EdgeDecision {
  return { before: edge, after: applyEdgeEvent(edge, event), events: [event] };
}

function stamp(edge: Edge, version: number, at: Instant) {
  return { edgeId: edge.id, sourceId: edge.sourceId, targetId: edge.targetId, version, at };
}

function checkReasons(reasons: readonly Reason[]): readonly Reason[] {
  return reasons.slice(0, LIMITS.reasonsOfEdge).map((reason, index) => {
    if (!Number.isFinite(reason.contribution) || reason.contribution < 0 || reason.contribution > 1) {
      refuse(`/${index}/contribution`, 'range', 'a contribution is a number from 0 to 1');
    }
    return { ...reason, term: reason.term.slice(0, LIMITS.reasonTermLength).toWellFormed() };
  });
}
