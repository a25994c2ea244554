import type { Rate } from './allowance.ts';

/** What the real-time side takes and how long it waits. Milliseconds, bytes, counts. */
export interface RealtimeLimits {
  /** Connections of the process, and of one owner. */
  readonly connections: number;
  readonly connectionsOfOwner: number;
  /** Until `hello` must be there. */
  readonly helloMs: number;
  /** Between two pings, give or take a tenth; and until the answer. */
  readonly pingMs: number;
  readonly pongMs: number;
  /** Bytes waiting above which a reader is lagging, and below which it is served again. */
  readonly lagBytes: number;
  readonly drainedBytes: number;
  /** How long a reader may lag, and how often it is looked at meanwhile. */
  readonly lagMs: number;
  readonly lagCheckMs: number;
  /** How long before its end a credential is said to expire. */
  readonly expiringMs: number;
  /** Events that are replayed at most; a reader further behind is better off with the graph. */
  readonly replayEvents: number;
  /** How often it is asked whether another process revoked the tokens of those who listen. */
  readonly revocationMs: number;
  /** Frames that a client may send a second on average, and at once. */
  readonly frames: Rate;
  /** Errors after which a client is sent away. */
  readonly errors: number;
}

export const REALTIME_LIMITS: RealtimeLimits = {
  connections: 10_000,
  connectionsOfOwner: 100,
  helloMs: 5_000,
  pingMs: 25_000,
  pongMs: 10_000,
  lagBytes: 256 * 1024,
  drainedBytes: 16 * 1024,
  lagMs: 30_000,
  lagCheckMs: 50,
  expiringMs: 60_000,
  replayEvents: 50_000,
  revocationMs: 10_000,
  frames: { atOnce: 200, aSecond: 50 },
  errors: 10,
};
