import type { DomainEvent } from '../domain/event.ts';
import type { Instant, NodeId, OwnerId, Position } from '../domain/values.ts';
import type { Repositories } from './repositories.ts';
import type { Table } from './table.ts';

/** What a piece of work sees and changes. Changes become durable together, with their events, or not at all. */
export interface Tx extends Repositories {
  readonly owner: OwnerId;
  readonly now: Instant;
  /** Where the state that the work sees stands in the log. */
  readonly position: Position;
  /** The last of it that is committed. */
  readonly committed: Position;
  /** Whether what the work sees of a node was written by itself, or by work under way that may still come to nothing. */
  isUncommitted(id: NodeId): boolean;
}

/** Decides and applies. It may be run again when another writer was first, so it keeps nothing outside `tx`. */
export type Work<T> = (tx: Tx) => Promise<T>;

export interface WriteOptions {
  /** Of work that comes in great numbers, or that nobody waits for: it is taken up when no other waits. */
  readonly bulk?: boolean | undefined;
  /**
   * Called when a run of the work has come to nothing, for it threw, another writer was first or the table failed:
   * before any other work is decided, as what waits may be decided before this one is again.
   */
  readonly onUndone?: (() => void) | undefined;
}

export interface Commit {
  readonly owner: OwnerId;
  readonly epoch: string;
  /** The numbers of the first and the last event of the commit. */
  readonly from: number;
  readonly to: number;
  readonly events: readonly DomainEvent[];
}

/** Larger rounds write less for the same work, and make who comes next wait longer. */
export interface RoundLimits {
  readonly works: number;
  readonly ms: number;
}

/** What comes behind bulk work waits for the rounds under way: about 40 ms, where rounds of 80 ms made it 180. */
export const ROUND: RoundLimits = { works: 32, ms: 10 };

export interface StoreOptions {
  readonly table: Table;
  readonly now: () => Instant;
  readonly newEpoch: () => string;
  /** How much is decided before a commit; `ROUND`. */
  readonly round?: RoundLimits | undefined;
  /** The id of whoever the work is done for, kept with its events. */
  readonly correlationId: () => string;
  /** How long work that other processes were before is decided again; 6 s. */
  readonly patienceMs?: number | undefined;
  /** How often to look for commits of other processes to what is followed; absent where nobody else writes. */
  readonly pollMs?: number | undefined;
}
