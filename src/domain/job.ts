import type { ErrorCode, Issue } from './error.ts';
import type { Instant, JobId, OwnerId } from './values.ts';

export const JOB_STATUSES = ['queued', 'running', 'done', 'failed', 'cancelled'] as const;
export type JobStatus = (typeof JOB_STATUSES)[number];

export interface JobProgress {
  /** Items that are through, those that failed among them. */
  readonly done: number;
  /** Absent while nobody knows. */
  readonly total?: number | undefined;
  readonly failed: number;
}

/** What ended a job, or kept an item of it out. */
export interface JobProblem {
  readonly code: ErrorCode;
  readonly detail: string;
  readonly errors: readonly Issue[];
}

/** The request that asked for a job: its ids stand in every log line and event of the job. */
export interface JobOrigin {
  readonly correlationId: string;
  readonly requestId: string;
  readonly traceId: string;
}

/** Long work of one owner that goes on by itself: it survives a restart, and tells how far it is. */
export interface Job {
  readonly id: JobId;
  readonly owner: OwnerId;
  /** Which work it is, such as `import`. */
  readonly kind: string;
  readonly status: JobStatus;
  /** What was asked, as its kind wants it. */
  readonly input: Readonly<Record<string, unknown>>;
  readonly origin: JobOrigin;
  readonly progress: JobProgress;
  readonly result?: Readonly<Record<string, unknown>> | undefined;
  readonly problem?: JobProblem | undefined;
  readonly isCancelAsked?: boolean | undefined;
  /** Who runs it, and until when they can be taken to be alive. */
  readonly runner?: { readonly id: string; readonly until: Instant } | undefined;
  /** How often it was begun since it last got on. */
  readonly starts: number;
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
  readonly startedAt?: Instant | undefined;
  readonly endedAt?: Instant | undefined;
  readonly version: number;
}

/** What became of one item of a job. */
export interface JobItem {
  readonly jobId: JobId;
  /** Its place among the items, from 0. */
  readonly index: number;
  /** What the item is called where it comes from. */
  readonly key: string;
  /** In the words of the kind. */
  readonly status: string;
  readonly nodeId?: string | undefined;
  readonly problem?: JobProblem | undefined;
  /** More that the kind has to say. */
  readonly details?: Readonly<Record<string, unknown>> | undefined;
}

/** A job that was begun so often without getting on is given up: what ends its process would end it at each start. */
export const MOST_STARTS = 5;

export const isEnded = ({ status }: Pick<Job, 'status'>): boolean =>
  status !== 'queued' && status !== 'running';

export function createJob(
  asked: { readonly kind: string; readonly input: Job['input']; readonly total?: number | undefined },
  made: { readonly id: JobId; readonly owner: OwnerId; readonly origin: JobOrigin; readonly now: Instant },
): Job {
  const { kind, input, total } = asked;
  const { id, owner, origin, now } = made;
  const progress = { done: 0, failed: 0, ...(total !== undefined && { total }) };
  return {
    id,
    owner,
    kind,
    status: 'queued',
    input,
    origin,
    progress,
    starts: 0,
    createdAt: now,
    updatedAt: now,
    version: 1,
  };
}

/** The job as somebody begins it, or takes it over from one who is gone. */
export function startJob(job: Job, runner: NonNullable<Job['runner']>, now: Instant): Job {
  return changed(
    { ...job, status: 'running', runner, starts: job.starts + 1, startedAt: job.startedAt ?? now },
    now,
  );
}

/** The job as its runner tells how far it is, which also says that the runner is alive. */
export function advanceJob(
  job: Job,
  progress: JobProgress,
  { now, runner }: { readonly now: Instant; readonly runner: NonNullable<Job['runner']> },
): Job {
  const starts = progress.done > job.progress.done ? 0 : job.starts;
  return changed({ ...job, progress, runner, starts }, now);
}

/**
 * The job as it waits to be begun again; one that was asked to be cancelled ends. A run that was ended for no fault of
 * its own, as by a stop of the process, does not count.
 */
export function requeueJob(
  job: Job,
  {
    now,
    progress,
    isFault,
  }: { readonly now: Instant; readonly progress: JobProgress; readonly isFault: boolean },
): Job {
  if (job.isCancelAsked) return endJob(job, { status: 'cancelled' }, { now, progress });
  const { runner: _runner, ...rest } = job;
  return changed({ ...rest, progress, status: 'queued', starts: isFault ? job.starts : job.starts - 1 }, now);
}

export type JobEnd =
  | { readonly status: 'done'; readonly result?: Job['result'] }
  | { readonly status: 'failed'; readonly problem: JobProblem }
  | { readonly status: 'cancelled' };

export function endJob(
  job: Job,
  end: JobEnd,
  { now, progress }: { readonly now: Instant; readonly progress: JobProgress },
): Job {
  const { runner: _runner, ...rest } = job;
  return changed({ ...rest, ...end, progress, endedAt: now }, now);
}

/** One that waits is cancelled at once, one that runs when its runner hears of it; one that has ended stays as it is. */
export function cancelJob(job: Job, now: Instant): Job {
  if (isEnded(job) || (job.isCancelAsked && job.status === 'running')) return job;
  if (job.status === 'running') return changed({ ...job, isCancelAsked: true }, now);
  return endJob({ ...job, isCancelAsked: true }, { status: 'cancelled' }, { now, progress: job.progress });
}

function changed(job: Job, now: Instant): Job {
  return { ...job, updatedAt: now, version: job.version + 1 };
}
