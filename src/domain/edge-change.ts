import {
  changeSupport,
  createEdge,
  deleteEdge,
  isLinkers,
  updateWeight,
  type Edge,
  type EdgeDecision,
} from './edge.ts';
import type { EdgeId, Instant } from './values.ts';

/** What a run of the linker did, or would do, to one edge. No `before`: it is new. No `after`: it goes. */
export interface EdgeChange {
  readonly before?: Edge | undefined;
  readonly after?: Edge | undefined;
}

export const CHANGE_KINDS = ['added', 'removed', 'changed'] as const;
export type ChangeKind = (typeof CHANGE_KINDS)[number];

export function kindOfChange({ before, after }: EdgeChange): ChangeKind {
  return before === undefined ? 'added' : after === undefined ? 'removed' : 'changed';
}

/** The edge as it is after the change, or was before it went. */
export function edgeOfChange({ before, after }: EdgeChange): Edge {
  return (after ?? before) as Edge;
}

/**
 * What undoes a change. Undefined where what it led to no longer stands: a note or a person changed the edge since, the
 * pair has another, or a person has settled it since; then it is left as it is.
 */
export function undoChange(
  { before, after }: EdgeChange,
  now: {
    /** Between the two notes, of the type of the change. */
    readonly edge: Edge | undefined;
    /** Whether both notes are there, and neither is archived. */
    readonly isOpen: boolean;
    /** Whether a person has decided on the pair since, or connected it. */
    readonly isSettled: boolean;
  },
  made: { readonly id: EdgeId; readonly now: Instant },
): EdgeDecision | undefined {
  const { edge } = now;
  if (after) {
    if (edge?.id !== after.id || edge.version !== after.version || !isLinkers(edge)) return undefined;
    return before ? goBack(edge, before, made.now) : deleteEdge(edge, 'linker', made.now);
  }
  if (!before || edge || !now.isOpen || now.isSettled) return undefined;
  const ends = {
    source: { id: before.sourceId, owner: before.owner },
    target: { id: before.targetId, owner: before.owner },
  };
  const { type, weight, origin, status, reasons, engine, support } = before;
  return createEdge({ type, weight, origin, status, reasons, engine, support }, ends, made);
}

function goBack(edge: Edge, before: Edge, now: Instant): EdgeDecision {
  const { weight, reasons, engine, support } = before;
  const weighed = updateWeight(edge, { weight, reasons, engine }, now);
  const supported = support && changeSupport(weighed.after ?? edge, support, now);
  return {
    before: edge,
    after: supported?.after ?? weighed.after,
    events: [...weighed.events, ...(supported?.events ?? [])],
  };
}
