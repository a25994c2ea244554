import type { MessagePort } from 'node:worker_threads';
import { runWithContext, type Context } from './context.ts';

/** What goes to a worker. */
export interface Handed<Job> {
  readonly job: Job;
  /** Of whom the job is, so that what the worker logs says so too. */
  readonly context: Context | undefined;
  /** Where progress goes; absent where nobody asks for it. */
  readonly progress: MessagePort | undefined;
}

/** What comes back: a throw is carried as a value, so that only the death of a worker is a rejection. */
export type Returned<Result> = { readonly result: Result } | { readonly thrown: unknown };

/** Tells the caller how far a job is; free where nobody listens. */
export type TellProgress = (done: number, total: number) => void;

/**
 * The worker's side of `WorkerPool`: `export const work = workerJob(...)` in the module whose URL the pool is given.
 * Jobs and results go through structured cloning, errors too: of these the name, message, stack and cause arrive.
 */
export function workerJob<Job, Result>(
  run: (job: Job, progress: TellProgress) => Result | Promise<Result>,
): (handed: Handed<Job>) => Promise<Returned<Result>> {
  return async ({ job, context, progress }) => {
    const tell: TellProgress = (done, total) => progress?.postMessage([done, total], []);
    const runIt = async (): Promise<Result> => run(job, tell);
    try {
      return { result: await (context ? runWithContext(context, runIt) : runIt()) };
    } catch (thrown) {
      return { thrown };
    }
  };
}
