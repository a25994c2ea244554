import { statfs } from 'node:fs/promises';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { ownerId, type OwnerId } from '../domain/values.ts';
import type { Finding, HealthCheck, HealthChecks } from '../http/health.ts';
import type { Services } from '../services/services.ts';
import { pks } from '../storage/keys.ts';
import { QUEUE_LIMIT } from '../storage/owner-writer.ts';
import { BALLAST_BYTES } from '../storage/embedded/ballast.ts';
import type { Store } from '../storage/store.ts';
import type { Engine } from './engine.ts';

/** Anything that works beside the main thread: a pool of workers, the writer. */
interface WorkersHealth {
  health(): { readonly isAlive: boolean; readonly waiting: number; readonly limit: number };
}

/** What the checks ask. */
interface CheckNeeds {
  readonly store: Store;
  readonly services: Pick<Services, 'indexes' | 'runs'>;
  /** Whose graph is told of. */
  readonly owner: OwnerId;
}

/** The checks of everything that a Brain2 depends on, and the way to stop watching. */
export function healthChecks(
  needs: CheckNeeds & {
    readonly engine: Engine;
    readonly workers: WorkersHealth;
    /** Anybody may ask how it is: where owners have to be authenticated, nothing is told of what they have. */
    readonly hidesGraph: boolean;
  },
): { readonly checks: HealthChecks; readonly stop: () => void } {
  const { engine, store, owner, workers, hidesGraph } = needs;
  const { table, facts } = engine;
  // A process that is frozen between two requests is not to blame for how long it did not answer.
  const loop = engine.isFrozenBetween ? undefined : eventLoopCheck();
  const ofGraph = (check: HealthCheck): HealthCheck => (hidesGraph ? withoutDetails(check) : check);
  const writer: WorkersHealth = {
    health: () => ({ isAlive: engine.canWrite(), waiting: store.waiting, limit: QUEUE_LIMIT }),
  };
  return {
    checks: {
      ...(loop && { eventLoop: { check: loop.check, critical: true } }),
      // Of the table itself: a probe is not counted as work.
      store: { check: ofGraph(storeCheck({ table, store, owner, facts })), critical: true },
      index: { check: ofGraph(indexCheck(needs)), critical: false },
      log: { check: ofGraph(logCheck(needs)), critical: false },
      disk: { check: diskCheck(engine.home.path), critical: false },
      writer: { check: workersCheck(writer, 'the thread that writes has ended'), critical: true },
      // What they do can wait: everything else goes on without them.
      workers: { check: workersCheck(workers, 'worker after worker crashes'), critical: false },
    },
    stop: () => loop?.stop(),
  };
}

function withoutDetails(check: HealthCheck): HealthCheck {
  return async () => {
    const { status, message } = await check();
    return { status, message };
  };
}

const RESOLUTION_MS = 10;
const WINDOW_MS = 1_000;
const LOOP_SLOW_MS = 200;
const LOOP_BLOCKED_MS = 1_000;

/** How long the event loop kept everybody waiting at most, in the last second or two. */
export function eventLoopCheck(): { readonly check: HealthCheck; readonly stop: () => void } {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  let before = 0;
  const longestMs = (): number => Math.max(0, Math.round(histogram.max / 1e6) - RESOLUTION_MS);
  const turnOver = (): void => {
    before = longestMs();
    histogram.reset();
  };
  // After the timers of this turn: when a long delay ends, that of the histogram may be behind this one, and what it
  // has not recorded yet a reset would lose.
  const timer = setInterval(() => void setImmediate(turnOver), WINDOW_MS);
  timer.unref();
  return {
    check: async () => {
      const longest = Math.max(before, longestMs());
      const details = { longestDelayMs: longest };
      if (longest >= LOOP_BLOCKED_MS)
        return { status: 'down', message: 'the process did not answer for a while', details };
      if (longest >= LOOP_SLOW_MS)
        return { status: 'degraded', message: 'the process is too busy to answer at once', details };
      return { status: 'up', details };
    },
    stop: () => {
      clearInterval(timer);
      histogram.disable();
    },
  };
}

/** Writes and reads back one item of its own, which each time replaces the last; no event is logged. */
export function storeCheck({
  table,
  store,
  owner,
  facts,
}: Pick<CheckNeeds, 'store' | 'owner'> &
  Pick<Engine, 'table'> &
  Partial<Pick<Engine, 'facts'>>): HealthCheck {
  const probe = { pk: pks.head(ownerId('health')), sk: 'PROBE' };
  return async () => {
    const written = String(Date.now());
    await table.transact([[{ put: { ...probe, et: 'probe.1', j: written } }]]);
    const read = await table.get(probe);
    const { counts, seq } = await store.head(owner);
    return read?.j === written
      ? { status: 'up', details: { ...facts, ...counts, seq } }
      : { status: 'down', message: 'what was written was not read back' };
  };
}

/** Events that the next search would have to take in first: about a second of it. */
const BEHIND_LIMIT = 10_000;

/** How far the index is behind the log. It is of no service to itself: each use takes what it lacks. */
export function indexCheck(
  { services, owner }: Pick<CheckNeeds, 'services' | 'owner'>,
  behindLimit = BEHIND_LIMIT,
): HealthCheck {
  return async () => {
    const freshness = await services.indexes.freshness(owner);
    if (!freshness) return { status: 'up', details: { state: 'not opened yet' } };
    const { notes, behind } = freshness;
    return behind < behindLimit
      ? { status: 'up', details: { notes, behind } }
      : { status: 'degraded', message: 'the index is far behind the log', details: { notes, behind } };
  };
}

/** Twice what upkeep leaves: then it does not get to its work. */
const UNSAVED_LIMIT = 200_000;
/** Marks that are counted; more are as bad. */
const PENDING_LIMIT = 1_000;

/** What follows from the log and is not done yet: linking that was promised, events that no stored index has. */
export function logCheck(
  { store, services, owner }: Pick<CheckNeeds, 'store' | 'services' | 'owner'>,
  limits = { unsaved: UNSAVED_LIMIT, pending: PENDING_LIMIT },
): HealthCheck {
  return async () => {
    const { seq } = await store.head(owner);
    const unsaved = (await services.indexes.freshness(owner))?.unsaved ?? 0;
    const marks = store.read(owner).pending.all();
    let pending = 0;
    while (pending < limits.pending && (await marks.next()).done !== true) pending += 1;
    await marks.return(undefined);
    const details = { seq, unsaved, pending };
    if (unsaved >= limits.unsaved)
      return {
        status: 'degraded',
        message: 'the stored index is far behind: a start would take long',
        details,
      };
    // An import marks what it stores, and links it at its end.
    if (pending >= limits.pending && services.runs.running(owner) === 0)
      return { status: 'degraded', message: 'many notes wait to be linked', details };
    return { status: 'up', details };
  };
}

const DISK_LOW_BYTES = 100 * 1024 * 1024;
/** With less the ballast is not made again, so that soon, or already, only deletions are written. */
const DISK_FULL_BYTES = 2 * BALLAST_BYTES;

export function diskCheck(path: string): HealthCheck {
  return async () => {
    const { bavail, bsize } = await statfs(path);
    const details = { freeBytes: bavail * bsize };
    if (details.freeBytes < DISK_FULL_BYTES) return { status: 'down', message: 'the disk is full', details };
    if (details.freeBytes < DISK_LOW_BYTES)
      return { status: 'degraded', message: 'the disk is almost full', details };
    return { status: 'up', details };
  };
}

const QUEUE_FULL = 0.8;

/** `deadMessage` says what it is that is not alive. */
export function workersCheck(workers: WorkersHealth, deadMessage: string): HealthCheck {
  return async (): Promise<Finding> => {
    const { isAlive, waiting, limit } = workers.health();
    const details = { waiting, limit };
    if (!isAlive) return { status: 'down', message: deadMessage, details };
    if (waiting >= limit * QUEUE_FULL)
      return { status: 'degraded', message: 'more work waits than is done', details };
    return { status: 'up', details };
  };
}
