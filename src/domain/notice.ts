import type { Instant } from './values.ts';

/** How far a job is. `kind` and `status` are open lists: those of the jobs, such as `import` and `running`. */
export interface JobProgress {
  readonly type: 'job.progress';
  readonly jobId: string;
  readonly kind: string;
  readonly status: string;
  readonly progress: {
    readonly done: number;
    /** Absent while it is not known. */
    readonly total?: number | undefined;
    readonly failed: number;
  };
  readonly at: Instant;
}

/**
 * What is told to those who listen just now and kept nowhere: it is no change of the graph, has no place in the log,
 * and may be lost. Whatever it tells can also be read.
 */
export type Notice = JobProgress;

/** The types of the union as values. Exhaustive: a new one does not compile without its row. */
const TYPES: { readonly [T in Notice['type']]: true } = { 'job.progress': true };

export const NOTICE_TYPES = Object.keys(TYPES) as readonly Notice['type'][];
