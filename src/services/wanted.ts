import type { Reason } from '../domain/edge.ts';
import type { NodeId } from '../domain/values.ts';
import type { Related } from '../linking/link-index.ts';

/** An edge that a note's text asks for. */
export interface Wanted {
  readonly otherId: NodeId;
  readonly weight: number;
  readonly reasons: readonly Reason[];
}

/** Stored weights have four decimals: a smaller difference is no news to anybody. */
const WEIGHT_STEPS = 10_000;
/** The strongest reasons are stored with an edge, in thousandths; an explanation gives all. */
const REASONS_KEPT = 5;
const CONTRIBUTION_STEPS = 1_000;

/** A link that the engine keeps, as an edge stores it. */
export function wantedOf({ id, weight, reasons }: Related): Wanted {
  return {
    otherId: id as NodeId,
    weight: rounded(weight, WEIGHT_STEPS),
    reasons: reasons.slice(0, REASONS_KEPT).map(({ kind, term, contribution }) => ({
      kind,
      term,
      contribution: rounded(contribution, CONTRIBUTION_STEPS),
    })),
  };
}

function rounded(value: number, steps: number): number {
  return Math.round(value * steps) / steps;
}
