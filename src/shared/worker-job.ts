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

/**
 * Tells the caller of a job how far it is, or what it has so far; free where nobody listens. The promise is kept when
 * the caller has it: who tells much waits for it, or the caller gets all of it in one turn of its event loop.
 */
export type Tell<Progress> = (progress: Progress) => Promise<void>;

/**
 * The worker's side of `WorkerPool`: `export const work = workerJob(...)` in the module whose URL the pool is given.
 * Jobs and results go through structured cloning, errors too: of these the name, message, stack and cause arrive.
 */
export function workerJob<Job, Result, Progress>(
  run: (job: Job, tell: Tell<Progress>) => Result | Promise<Result>,
): (handed: Handed<Job>) => Promise<Returned<Result>> {
  return async ({ job, context, progress }) => {
    const tell = tellingThrough<Progress>(progress);
    const runIt = async (): Promise<Result> => run(job, tell);
    try {
      return { result: await (context ? runWithContext(context, runIt) : runIt()) };
    } catch (thrown) {
      return { thrown };
    }
  };
}

function tellingThrough<Progress>(port: MessagePort | undefined): Tell<Progress> {
  if (!port) return async () => {};
  const untaken: (() => void)[] = [];
  port.on('message', () => untaken.shift()?.());
  return (told) => {
    port.postMessage(told, []);
    return new Promise((resolve) => untaken.push(resolve));
  };
}
