import type { ResyncReason } from '../api/realtime.ts';
import { isBrainError } from '../domain/error.ts';
import type { Position } from '../domain/values.ts';
import type { Head } from '../storage/log.ts';

/** Before the first event of all, when the log has no name yet. */
export function isBlank({ epoch, seq }: Position): boolean {
  return epoch === '' && seq === 0;
}

/** Why a log cannot be read on from a position, as far as its head tells; undefined where it can. */
export function obstacle(from: Position, head: Head, mostEvents: number): ResyncReason | undefined {
  if (from.epoch !== head.epoch && !isBlank(from)) return 'epoch_changed';
  if (from.seq > head.seq) return 'invalid';
  if (from.seq < head.floorSeq) return 'trimmed';
  return head.seq - from.seq > mostEvents ? 'too_many' : undefined;
}

/** The same, of an error that reading the log threw; undefined for an error of another kind. */
export function obstacleIn(error: unknown): ResyncReason | undefined {
  if (!isBrainError(error, 'position_gone')) return undefined;
  const { reason } = error.details;
  return reason === 'trimmed' || reason === 'invalid' ? reason : 'epoch_changed';
}
