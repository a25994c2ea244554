import { instant, type Instant } from '../domain/values.ts';

/** Who was not heard of for so long is taken to be gone, where other processes could go on with what they did. */
const LEASE_MS = 30_000;
/** Whoever works on something says so as often. */
export const HEARTBEAT_MS = 10_000;

/** Until when others leave it alone. */
export const leaseFrom = (nowMs: number): Instant => instant(nowMs + LEASE_MS);

export const isLeased = (until: Instant | undefined, nowMs: number): boolean =>
  until !== undefined && Date.parse(until) > nowMs;
