import { BrainError, toBrainError, type BrainError as Failure } from '../domain/error.ts';
import {
  advanceJob,
  endJob,
  MOST_STARTS,
  requeueJob,
  type Job,
  type JobEnd,
  type JobProblem,
  type JobProgress,
} from '../domain/job.ts';
import { instant, type Instant } from '../domain/values.ts';
import type { Log } from '../shared/log.ts';
import type { Store } from '../storage/store.ts';
import type { Tx } from '../storage/transaction.ts';
import { HEARTBEAT_MS, leaseFrom } from './lease.ts';

/** What a kind of job is given to run one with. */
export interface JobTools {
  /** Aborted when the job is cancelled, when the process stops, and when another process has taken the job over. */
  readonly signal: AbortSignal;
  /** Tells how far it is, as often as it likes: it is stored once a second at most. */
  readonly report: (progress: Partial<JobProgress>) => void;
}

/**
 * One kind of long work. `run` may be called again for a job that was cut off, by this process or a later one: it goes
 * on from what it has stored and does nothing twice. What it gives is the job's result.
 */
export interface JobKind {
  readonly kind: string;
  run(job: Job, tools: JobTools): Promise<Readonly<Record<string, unknown>> | undefined>;
  /** The job has ended, in whichever way: what only its running needed can go. Called by `afterEnd`. */
  ended?(job: Job): Promise<void>;
}

/** Lets a kind put away what a job that has ended needed. Never rejects: how the job ended is stored, and stays so. */
export async function afterEnd(kind: JobKind | undefined, job: Job, log: Log): Promise<void> {
  try {
    await kind?.ended?.(job);
  } catch (err) {
    log.error({ err, jobId: job.id, status: job.status }, 'what an ended job had needed was not put away');
  }
}

export interface RunNeeds {
  readonly store: Store;
  readonly log: Log;
  readonly nowMs: () => number;
  /** Names this process among those that share the store. */
  readonly runnerId: string;
  /** Hears of the job as it was stored, and of progress before that. */
  readonly onChange: (job: Job) => void;
}

type Why = 'cancelled' | 'stopped' | 'lost';

const PROGRESS_MS = 1_000;

export const runnerUntil = (runnerId: string, nowMs: number): NonNullable<Job['runner']> => ({
  id: runnerId,
  until: leaseFrom(nowMs),
});

/** One run of one job in this process, from when it was taken up to its end or to where it is left off. */
export class JobRun {
  readonly #needs: RunNeeds;
  readonly #kind: JobKind;
  readonly #job: Job;
  readonly #controller = new AbortController();
  #progress: JobProgress;
  #isDirty = false;
  #storedMs: number;
  #why: Why | undefined;
  #storing: Promise<void> | undefined;

  constructor(needs: RunNeeds, kind: JobKind, job: Job) {
    this.#needs = needs;
    this.#kind = kind;
    this.#job = job;
    this.#progress = job.progress;
    this.#storedMs = needs.nowMs();
  }

  /** Ends the work early; the run then resolves when what it left is stored. */
  abort(why: Why): void {
    if (this.#why !== undefined) return;
    this.#why = why;
    this.#controller.abort(new BrainError('aborted', REASONS[why], { operation: `job.${this.#kind.kind}` }));
  }

  /** Never rejects. */
  async run(): Promise<void> {
    const { log } = this.#needs;
    const { id: jobId, kind } = this.#job;
    const startedMs = performance.now();
    log.info({ jobId, kind, starts: this.#job.starts }, 'job began');
    const ticking = setInterval(() => {
      this.#storing ??= this.#tick().finally(() => (this.#storing = undefined));
    }, PROGRESS_MS);
    let end: JobEnd | 'again';
    try {
      const { signal } = this.#controller;
      signal.throwIfAborted();
      const result = await this.#kind.run(this.#job, {
        signal,
        report: (progress) => this.#report(progress),
      });
      end = { status: 'done', ...(result !== undefined && { result }) };
    } catch (thrown) {
      end = this.#endOf(toBrainError(thrown, `job.${kind}`));
    } finally {
      clearInterval(ticking);
    }
    await this.#storing;
    const status = await this.#store(end);
    log.info({ jobId, kind, status, durationMs: Math.round(performance.now() - startedMs) }, 'job left off');
  }

  #report(progress: Partial<JobProgress>): void {
    this.#progress = { ...this.#progress, ...progress };
    this.#isDirty = true;
    const { onChange, nowMs } = this.#needs;
    onChange({ ...this.#job, progress: this.#progress, updatedAt: instant(nowMs()) });
  }

  #endOf(error: Failure): JobEnd | 'again' {
    if (this.#why === 'cancelled') return { status: 'cancelled' };
    if (this.#why !== undefined) return 'again';
    if (error.retryable && this.#job.starts < MOST_STARTS) {
      this.#needs.log.warn({ err: error, jobId: this.#job.id }, 'job will be tried again');
      return 'again';
    }
    this.#needs.log.error({ err: error, jobId: this.#job.id, code: error.code }, 'job failed');
    return { status: 'failed', problem: jobProblem(error) };
  }

  /** Stores how far the job is, if that has changed or its runner was not heard of for a while. */
  async #tick(): Promise<void> {
    const { nowMs, runnerId, log } = this.#needs;
    if (this.#why === 'lost') return;
    if (!this.#isDirty && nowMs() - this.#storedMs < HEARTBEAT_MS) return;
    this.#isDirty = false;
    try {
      const job = await this.#change((before, now) =>
        advanceJob(before, this.#progress, { now, runner: runnerUntil(runnerId, nowMs()) }),
      );
      if (job?.isCancelAsked) this.abort('cancelled');
    } catch (err) {
      this.#isDirty = true; // the next one may do better; the work itself will tell if nothing can be written
      log.warn({ err, jobId: this.#job.id }, 'the progress of a job was not stored');
    }
  }

  /** Gives how the job stands now; undefined where it is not ours any more, or could not be stored. */
  async #store(end: JobEnd | 'again'): Promise<Job['status'] | undefined> {
    if (this.#why === 'lost') return undefined;
    try {
      const job = await this.#change((before, now) =>
        end === 'again'
          ? requeueJob(before, { now, progress: this.#progress, isFault: this.#why === undefined })
          : endJob(before, end, { now, progress: this.#progress }),
      );
      if (job?.endedAt !== undefined) await afterEnd(this.#kind, job, this.#needs.log);
      return job?.status;
    } catch (err) {
      // It stays as one that runs, and is taken up again like one that was cut off.
      this.#needs.log.error({ err, jobId: this.#job.id }, 'the end of a job was not stored');
      return undefined;
    }
  }

  async #change(next: (before: Job, now: Instant) => Job): Promise<Job | undefined> {
    const { store, runnerId, onChange } = this.#needs;
    const replace = async (tx: Tx): Promise<Job | undefined> => {
      const before = await tx.jobs.find(this.#job.id);
      if (before?.runner?.id !== runnerId) return undefined;
      const after = next(before, tx.now);
      tx.jobs.replace(before, after);
      return after;
    };
    const job = await store.write(this.#job.owner, replace, { bulk: true }); // nobody waits for it
    this.#storedMs = this.#needs.nowMs();
    if (job) onChange(job);
    else this.abort('lost');
    return job;
  }
}

const REASONS: { readonly [W in Why]: string } = {
  cancelled: 'the job was cancelled',
  stopped: 'the process is stopping; the job goes on at the next start',
  lost: 'another process has taken the job over',
};

function jobProblem({ code, message, issues }: Failure): JobProblem {
  return { code, detail: message, errors: issues };
}
