import { BrainError } from '../domain/error.ts';
import {
  cancelJob,
  createJob,
  endJob,
  isEnded,
  MOST_STARTS,
  startJob,
  type Job,
  type JobItem,
  type JobStatus,
} from '../domain/job.ts';
import { instant, type Instant, type JobId, type OwnerId } from '../domain/values.ts';
import { currentContext, runWithContext } from '../shared/context.ts';
import type { Log } from '../shared/log.ts';
import { randomSpanId, randomTraceId } from '../shared/trace-context.ts';
import { JOB_KEPT_DAYS } from '../storage/repositories.ts';
import type { Store } from '../storage/store.ts';
import type { Tx } from '../storage/transaction.ts';
import { afterEnd, JobRun, runnerUntil, type JobKind } from './job-run.ts';
import { fillPage, type ListPage } from './pages.ts';
import { isLeased } from './lease.ts';
import type { Keep } from './receipts.ts';

/** Of one owner; what is asked for beyond it waits. */
const RUNNING_AT_ONCE = 2;
/** Of one owner; what is asked for beyond it is refused. */
const WAITING_AT_ONCE = 20;
/** An item is kept as long as its job, which may take a while. */
const ITEM_KEPT_S = (JOB_KEPT_DAYS + 30) * 24 * 3600;

export interface JobsNeeds {
  readonly store: Store;
  readonly log: Log;
  readonly nowMs: () => number;
  readonly newJobId: () => JobId;
  /** Names this process among those that share the store. */
  readonly runnerId: string;
  /** Other processes may run jobs of the same store; else whoever ran one before this process is gone. */
  readonly isShared: boolean;
  /** Where this process begins no jobs itself: is told whose wait, and sees to it that another one begins them. */
  readonly handOver?: HandOver | undefined;
}

export type HandOver = (owner: OwnerId) => void;

export interface JobAsk {
  readonly kind: string;
  readonly input: Job['input'];
  /** Of items, where it is known beforehand. */
  readonly total?: number | undefined;
}

/**
 * Long work that goes on by itself: asked for in one request, told of in others. A job is stored before it is begun,
 * so it survives a restart; each owner has a bound of those that run and of those that wait.
 */
export class Jobs {
  readonly #needs: JobsNeeds;
  readonly #kinds = new Map<string, JobKind>();
  readonly #runs = new Map<
    JobId,
    { readonly owner: OwnerId; readonly run: JobRun; readonly ended: Promise<void> }
  >();
  readonly #listeners = new Set<(job: Job) => void>();
  readonly #pumps = new Map<OwnerId, { again: boolean; ended: Promise<void> }>();
  #isStopped = false;

  constructor(needs: JobsNeeds) {
    this.#needs = needs;
  }

  /** Before any job of the kind is asked for. */
  register(kind: JobKind): void {
    this.#kinds.set(kind.kind, kind);
  }

  /**
   * Calls the listener with each job that has changed, in the context of the job: once that is stored, and with its
   * progress as it is reported. Returns the way to stop.
   */
  onChange(listener: (job: Job) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Stores the job; it begins at once, or when those before it are done. Throws `rate_limited`. */
  async create(owner: OwnerId, asked: JobAsk, keep?: Keep<Job>): Promise<Job> {
    const { store, newJobId } = this.#needs;
    const { correlationId = '-', requestId = '-', traceId = randomTraceId() } = currentContext() ?? {};
    const id = newJobId();
    const job = await store.write(owner, async (tx) => {
      const waiting = (await tx.jobs.active()).filter(({ status }) => status === 'queued');
      if (waiting.length >= WAITING_AT_ONCE) throw tooMany();
      const made = createJob(asked, {
        id,
        owner,
        now: tx.now,
        origin: { correlationId, requestId, traceId },
      });
      tx.jobs.replace(undefined, made);
      await keep?.(tx, made);
      return made;
    });
    this.#tell(job);
    void this.#pump(owner);
    return job;
  }

  /** Throws `not_found`. */
  get(owner: OwnerId, id: JobId): Promise<Job> {
    return this.#needs.store.read(owner).jobs.get(id);
  }

  /** Newest first. */
  list(
    owner: OwnerId,
    wanted: { readonly kind?: string | undefined; readonly status?: JobStatus | undefined },
    page: { readonly after?: string | undefined; readonly limit: number },
  ): Promise<ListPage<Job>> {
    const from = this.#needs.store.read(owner).jobs;
    const { kind, status } = wanted;
    return fillPage(
      {
        read: (options) => from.list({ ...options, reverse: true }),
        keep: (job) => (kind ?? job.kind) === job.kind && (status ?? job.status) === job.status,
        keyOf: (job) => job.id,
      },
      page,
    );
  }

  /** What became of each item so far, in the order of the items. Throws `not_found` where there is no such job. */
  async items(
    owner: OwnerId,
    id: JobId,
    { after, limit }: { readonly after?: string | undefined; readonly limit: number },
  ): Promise<ListPage<JobItem>> {
    const from = this.#needs.store.read(owner);
    await from.jobs.get(id);
    return from.jobItems.list({ prefix: `${id}#`, after, limit });
  }

  /**
   * One that waits is cancelled with the answer; one that runs as soon as its work heeds it. What it has stored by then
   * stays. One that has ended stays as it is. Throws `not_found`.
   */
  async cancel(owner: OwnerId, id: JobId, keep?: Keep<Job>): Promise<Job> {
    const { job, hasChanged } = await this.#needs.store.write(owner, async (tx) => {
      const before = await tx.jobs.get(id);
      const after = cancelJob(before, tx.now);
      if (after !== before) tx.jobs.replace(before, after);
      await keep?.(tx, after);
      return { job: after, hasChanged: after !== before };
    });
    if (job.isCancelAsked) this.#runs.get(id)?.run.abort('cancelled');
    if (hasChanged) {
      this.#tell(job);
      if (isEnded(job)) await this.#afterEnd(job);
    }
    return job;
  }

  /** Goes on with what waits, and with what a process that is gone has left; at the start, and now and then. */
  async resume(owner: OwnerId): Promise<void> {
    if (this.#needs.handOver && !(await this.#isAnyWaiting(owner))) return;
    await this.#pump(owner);
  }

  /** Waits until nothing runs here; a job that waits for another process is not waited for. */
  async idle(): Promise<void> {
    while (this.#runs.size > 0 || this.#pumps.size > 0) {
      await Promise.all([...this.#pumps.values(), ...this.#runs.values()].map(({ ended }) => ended));
    }
  }

  /** Leaves off what runs, so that the next start goes on with it, and begins nothing more. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const { run } of this.#runs.values()) run.abort('stopped');
    await this.idle();
  }

  /** Leaves off what runs, for whoever resumes it; that may be this process. */
  async leaveOff(): Promise<void> {
    await this.stop();
    this.#isStopped = false;
  }

  /** Whether a job waits to be begun, or was left by a process that is gone. */
  async #isAnyWaiting(owner: OwnerId): Promise<boolean> {
    const active = await this.#needs.store.read(owner).jobs.active();
    return active.some((job) => !this.#isRunning(job));
  }

  /** Takes up as many jobs as may run: one round at a time, and another where it was asked for meanwhile. */
  #pump(owner: OwnerId): Promise<void> {
    const { handOver } = this.#needs;
    if (handOver) {
      handOver(owner);
      return Promise.resolve();
    }
    const underWay = this.#pumps.get(owner);
    if (underWay) {
      underWay.again = true;
      return underWay.ended;
    }
    const pump = { again: true, ended: Promise.resolve() };
    const rounds = async (): Promise<void> => {
      while (pump.again) {
        pump.again = false;
        await this.#takeUp(owner);
      }
      this.#pumps.delete(owner);
    };
    this.#pumps.set(owner, pump);
    return (pump.ended = rounds());
  }

  async #takeUp(owner: OwnerId): Promise<void> {
    const { store, log } = this.#needs;
    try {
      for (const { id } of await store.read(owner).jobs.active()) {
        if (this.#isStopped) return;
        const job = await store.write(owner, (tx) => this.#claim(tx, id));
        if (job === 'full') return;
        if (!job) continue;
        this.#tell(job);
        if (isEnded(job)) await this.#afterEnd(job);
        else this.#begin(job);
      }
    } catch (err) {
      log.error({ err }, 'jobs could not be taken up'); // upkeep tries again
    }
  }

  /** Takes the job up if it is free and its owner has room. */
  async #claim(tx: Tx, id: JobId): Promise<Job | 'full' | undefined> {
    const { runnerId, nowMs } = this.#needs;
    const active = await tx.jobs.active();
    const before = active.find((job) => job.id === id);
    const others = active.filter((job) => job.id !== id && this.#isRunning(job));
    if (!before || !this.#kinds.has(before.kind) || this.#isRunning(before)) return undefined;
    if (others.length >= RUNNING_AT_ONCE) return 'full';
    const after = this.#givenUp(before, tx) ?? startJob(before, runnerUntil(runnerId, nowMs()), tx.now);
    tx.jobs.replace(before, after);
    return after;
  }

  /** The job as it ends without being begun again. */
  #givenUp(job: Job, { now }: Tx): Job | undefined {
    const { progress } = job;
    if (job.isCancelAsked) return endJob(job, { status: 'cancelled' }, { now, progress });
    if (job.starts < MOST_STARTS) return undefined;
    const detail = `it was cut off ${job.starts} times at the same place, and is given up`;
    return endJob(
      job,
      { status: 'failed', problem: { code: 'aborted', detail, errors: [] } },
      { now, progress },
    );
  }

  #isRunning({ id, status, runner }: Job): boolean {
    if (status !== 'running' || !runner) return false;
    const { runnerId, isShared, nowMs } = this.#needs;
    if (runner.id === runnerId) return this.#runs.has(id);
    return isShared && isLeased(runner.until, nowMs());
  }

  #begin(job: Job): void {
    const kind = this.#kinds.get(job.kind);
    if (!kind) return;
    const run = new JobRun({ ...this.#needs, onChange: (changed) => this.#tell(changed) }, kind, job);
    if (this.#isStopped) run.abort('stopped'); // while it was being taken up
    const ended = inContextOf(job, async () => {
      await run.run();
      this.#runs.delete(job.id);
      if (!this.#isStopped) void this.#pump(job.owner);
    });
    this.#runs.set(job.id, { owner: job.owner, run, ended });
  }

  #afterEnd(job: Job): Promise<void> {
    return afterEnd(this.#kinds.get(job.kind), job, this.#needs.log);
  }

  #tell(job: Job): void {
    for (const listener of this.#listeners) {
      try {
        listener(job);
      } catch (err) {
        this.#needs.log.error({ err, jobId: job.id }, 'a listener to jobs failed');
      }
    }
  }
}

/** Stores, in the transaction of its effect, what became of one item. */
export function keepItem(tx: Tx, job: Job, item: Omit<JobItem, 'jobId'>): void {
  const keptUntil = Math.ceil(Date.parse(job.createdAt) / 1000) + ITEM_KEPT_S;
  tx.jobItems.replace(undefined, { ...item, jobId: job.id, keptUntil });
}

/**
 * That the job is still this process's. Throws `aborted` where another has taken it over, and may have come to the same
 * items: a run hears of that only after a moment.
 */
export async function checkRunner(tx: Tx, { id, runner }: Job): Promise<void> {
  const now = await tx.jobs.find(id);
  if (now?.runner?.id !== runner?.id)
    throw new BrainError('aborted', 'another process has taken the job over');
}

/** From when on nothing is told of a job; undefined while it has not ended. */
export function jobEndsTelling({ endedAt }: Job): Instant | undefined {
  return endedAt && instant(Date.parse(endedAt) + JOB_KEPT_DAYS * 24 * 3_600_000);
}

/** The ids of the request that asked for it go with all that the job does. */
function inContextOf<T>({ owner, origin }: Job, work: () => T): T {
  const { correlationId, requestId, traceId } = origin;
  return runWithContext({ correlationId, requestId, ownerId: owner, traceId, spanId: randomSpanId() }, work);
}

const tooMany = (): BrainError =>
  new BrainError(
    'rate_limited',
    `${WAITING_AT_ONCE} jobs wait already; wait for one of them, or cancel one`,
    {
      operation: 'job.create',
    },
  );
