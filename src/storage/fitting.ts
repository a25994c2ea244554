import type { NodeDecision } from '../domain/node.ts';
import type { Instant, OwnerId } from '../domain/values.ts';
import { isBrainError } from '../domain/error.ts';
import { emptyHead } from './log.ts';
import { repositories } from './repositories.ts';
import { Round } from './round.ts';
import type { Op, TableReader } from './table.ts';
import { UnitOfWork } from './unit-of-work.ts';

/** Deciding has read what it needed; storing reads nothing. */
const NOTHING: TableReader = {
  get: async () => undefined,
  batchGet: async () => [],
  has: async () => [],
  query: async () => ({ items: [] }),
};

/**
 * How many of the changes, from the first on, one transaction holds beside `spare` other writes with so many: a round
 * is asked, so the answer is what the table will say.
 */
export function countFitting(
  decisions: readonly NodeDecision[],
  {
    owner,
    now,
    spare,
  }: { readonly owner: OwnerId; readonly now: Instant; readonly spare: (count: number) => number },
): number {
  const unit = new UnitOfWork(NOTHING);
  const { nodes } = repositories(owner, unit, unit);
  for (const [at, decision] of decisions.entries()) {
    nodes.apply(decision);
    const { ops, events } = unit.changes();
    const others = Array.from({ length: spare(at + 1) }, (_, other): Op => ({
      del: { pk: owner, sk: `spare ${other}` },
    }));
    try {
      new Round(owner, emptyHead('')).add(
        { ops: [...ops, ...others], events },
        { now, correlationId: '' },
        { work: at, value: at },
      );
    } catch (error) {
      if (isBrainError(error, 'too_large')) return at;
      throw error;
    }
  }
  return decisions.length;
}
