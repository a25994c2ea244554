import { AsyncResource } from 'node:async_hooks';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import {
  MessageChannel,
  receiveMessageOnPort,
  type MessagePort,
  type Transferable,
} from 'node:worker_threads';
import type { Piscina } from 'piscina';
import { currentContext } from './context.ts';
import { PriorityQueue } from './priority-queue.ts';
import type { Handed, Returned } from './worker-job.ts';

/** `WORKERS_BUSY`: the queue is full. `WORKERS_ENDED`: the pool is. `WORKER_CRASHED`: with the job, which may be why. */
export type WorkerPoolErrorCode = 'WORKERS_BUSY' | 'WORKERS_ENDED' | 'WORKER_CRASHED';

/** The pool did not do a job; what a job itself throws arrives as it was thrown. */
export class WorkerPoolError extends Error {
  override readonly name = 'WorkerPoolError';
  readonly code: WorkerPoolErrorCode;

  constructor(code: WorkerPoolErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export interface WorkerPoolOptions {
  /** Workers at most; as many as there are cores beside this thread's, and 1 at least, unless told otherwise. */
  readonly threads?: number | undefined;
  /** Jobs that may wait, beside those being done; 1,000 unless told otherwise. */
  readonly queueLimit?: number | undefined;
  /** How long a worker without a job is kept: starting one takes some 50 ms. 10 s unless told otherwise. */
  readonly idleMs?: number | undefined;
  /** Workers give way to every other thread of the machine (on Linux, where a thread has a niceness of its own). */
  readonly isBackground?: boolean | undefined;
  /** Of each worker; a job that needs more crashes it. Node's own limit unless told otherwise. */
  readonly heapMb?: number | undefined;
  /** Told of each worker that died, with what it died of. */
  readonly onCrash?: ((error: WorkerPoolError) => void) | undefined;
  readonly nowMs?: (() => number) | undefined;
}

export interface JobOptions<Progress> {
  /** Higher ones are begun first, in the order of their coming among equals; lower ones wait as long as there are any. */
  readonly priority?: number | undefined;
  /** Takes a waiting job out of the queue; ends the worker of one that is being done, for another to take its place. */
  readonly signal?: AbortSignal | undefined;
  /** Told all of it before the result is there. */
  readonly onProgress?: ((told: Progress) => void) | undefined;
  /** Memory that goes over without a copy. */
  readonly transfer?: readonly Transferable[] | undefined;
}

/** How the jobs ended that a pool was given. `failed`: the job threw; `refused`: the queue was full. */
export const JOB_OUTCOMES = ['done', 'failed', 'cancelled', 'crashed', 'refused'] as const;
export type JobOutcome = (typeof JOB_OUTCOMES)[number];

/** Plain numbers since the start of the pool: whoever exports them reads them when asked. */
export interface WorkerPoolMetrics {
  /** Alive, at work or not. */
  readonly threads: number;
  readonly running: number;
  readonly waiting: number;
  readonly outcomes: Readonly<Record<JobOutcome, number>>;
  /** Sums over the jobs that were begun, in milliseconds. */
  readonly waitedMs: number;
  readonly workedMs: number;
}

interface Waiting<Job, Result, Progress> {
  readonly job: Job;
  readonly priority: number;
  readonly options: JobOptions<Progress>;
  readonly context: Handed<Job>['context'];
  readonly sinceMs: number;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/** The threads, and what is rejected when none of them comes up. */
interface Started {
  readonly piscina: Piscina;
  readonly broken: PromiseWithResolvers<never>;
}

/** To a worker: what it told is here. */
const TAKEN = 0;
const QUEUE_LIMIT = 1_000;
const IDLE_MS = 10_000;
const NICENESS = 10;
/** So many crashes with no job done between them, and the last of them not longer ago than this, are no accident. */
const LOOP_CRASHES = 3;
const LOOP_MS = 60_000;

/**
 * Does jobs on worker threads that know nothing but their job, so that any of them may have any. `entry` is a module
 * that exports `work`, made by `workerJob`. Workers start with the first jobs, and end when there are none.
 *
 * The queue is ours: Piscina, which keeps the threads, is handed no more jobs than it has threads for, because what it
 * queues can be cancelled or have a priority, and not both. A worker that dies takes its one job with it
 * (`WORKER_CRASHED`), and the next job gets another.
 */
export class WorkerPool<Job, Result, Progress = never> {
  readonly #entry: URL;
  readonly #options: WorkerPoolOptions;
  readonly #threads: number;
  readonly #queue = new PriorityQueue<Waiting<Job, Result, Progress>>();
  readonly #outcomes = { done: 0, failed: 0, cancelled: 0, crashed: 0, refused: 0 };
  #started: Promise<Started> | undefined;
  #alive: Started | undefined;
  #running = 0;
  #waitedMs = 0;
  #workedMs = 0;
  #crashesInARow = 0;
  #lastCrashMs = -Infinity;
  #isEnding = false;
  readonly #over = Promise.withResolvers<void>();

  constructor(entry: URL, options: WorkerPoolOptions = {}) {
    this.#entry = entry;
    this.#options = options;
    this.#threads = options.threads ?? Math.max(1, availableParallelism() - 1);
  }

  get metrics(): WorkerPoolMetrics {
    return {
      threads: this.#alive?.piscina.threads.length ?? 0,
      running: this.#running,
      waiting: this.#queue.size,
      outcomes: { ...this.#outcomes },
      waitedMs: this.#waitedMs,
      workedMs: this.#workedMs,
    };
  }

  /** Not alive while jobs crash one after the other; it does what it is given nevertheless, and one done is enough. */
  health(): { readonly isAlive: boolean; readonly waiting: number; readonly limit: number } {
    const isLooping = this.#crashesInARow >= LOOP_CRASHES && this.#nowMs() - this.#lastCrashMs < LOOP_MS;
    return { isAlive: !isLooping, waiting: this.#queue.size, limit: this.#limit };
  }

  /**
   * What the worker makes of the job; what it throws over it is thrown. Rejects with a `WorkerPoolError` where the
   * pool does not do it, and with the reason of the signal where that takes it back.
   */
  async run(job: Job, options: JobOptions<Progress> = {}): Promise<Result> {
    const { signal, priority = 0 } = options;
    if (this.#isEnding) throw new WorkerPoolError('WORKERS_ENDED', 'the workers take no more jobs');
    signal?.throwIfAborted();
    if (this.#running >= this.#threads && this.#queue.size >= this.#limit) {
      this.#outcomes.refused += 1;
      throw new WorkerPoolError('WORKERS_BUSY', `${this.#limit} jobs wait for a worker already; try again`);
    }
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    const context = currentContext();
    const waiting = { job, priority, options, context, sinceMs: performance.now(), resolve, reject };
    const takeBack = (): void => {
      if (!this.#queue.remove(waiting)) return; // it is being done, and Piscina sees to it
      this.#outcomes.cancelled += 1;
      reject(signal?.reason);
      this.#next();
    };
    signal?.addEventListener('abort', takeBack, { once: true });
    this.#queue.push(waiting);
    this.#next();
    try {
      return await promise;
    } finally {
      signal?.removeEventListener('abort', takeBack);
    }
  }

  /** Takes no more jobs, waits for those it has, and ends the workers. */
  async close(): Promise<void> {
    this.#isEnding = true;
    this.#next();
    await this.#over.promise;
    const started = await this.#started;
    await started?.piscina.destroy();
  }

  get #limit(): number {
    return this.#options.queueLimit ?? QUEUE_LIMIT;
  }

  #nowMs(): number {
    return this.#options.nowMs?.() ?? Date.now();
  }

  #next(): void {
    while (this.#running < this.#threads) {
      const waiting = this.#queue.take();
      if (!waiting) break;
      this.#running += 1;
      void this.#do(waiting);
    }
    if (this.#isEnding && this.#running === 0) this.#over.resolve();
  }

  async #do(waiting: Waiting<Job, Result, Progress>): Promise<void> {
    const { options, resolve, reject } = waiting;
    const startedMs = performance.now();
    this.#waitedMs += startedMs - waiting.sinceMs;
    let settle: () => void;
    try {
      const returned = await this.#handOver(waiting);
      this.#crashesInARow = 0;
      this.#outcomes['result' in returned ? 'done' : 'failed'] += 1;
      settle = () => ('result' in returned ? resolve(returned.result) : reject(returned.thrown));
    } catch (error) {
      const reason: unknown = options.signal?.aborted ? options.signal.reason : this.#crashed(error);
      if (options.signal?.aborted) this.#outcomes.cancelled += 1;
      settle = () => reject(reason);
    }
    this.#workedMs += performance.now() - startedMs;
    this.#running -= 1;
    settle();
    this.#next();
  }

  async #handOver({ job, context, options }: Waiting<Job, Result, Progress>): Promise<Returned<Result>> {
    const { onProgress } = options;
    const progress = onProgress && progressTo((told) => onProgress(told as Progress));
    try {
      const { piscina, broken } = await (this.#started ??= this.#start());
      const handed: Handed<Job> = { job, context, progress: progress?.port };
      const transferList = [...(options.transfer ?? []), ...(progress ? [progress.port] : [])];
      const done = piscina.run(handed, { transferList, signal: options.signal ?? null });
      return (await Promise.race([done, broken.promise])) as Returned<Result>;
    } finally {
      progress?.end();
    }
  }

  #crashed(cause: unknown): WorkerPoolError {
    this.#outcomes.crashed += 1;
    this.#crashesInARow += 1;
    this.#lastCrashMs = this.#nowMs();
    const why = cause instanceof Error ? cause.message || cause.name : String(cause);
    const error = new WorkerPoolError('WORKER_CRASHED', `a worker died over its job: ${why}`, { cause });
    this.#options.onCrash?.(error);
    return error;
  }

  async #start(): Promise<Started> {
    const { Piscina } = await import('piscina'); // some 15 ms, for those alone who have a job
    const { isBackground, heapMb, idleMs = IDLE_MS } = this.#options;
    const piscina = new Piscina({
      filename: fileURLToPath(this.#entry),
      name: 'work',
      minThreads: 0,
      maxThreads: this.#threads,
      idleTimeout: idleMs,
      ...(heapMb !== undefined && { resourceLimits: { maxOldGenerationSizeMb: heapMb } }),
      // Elsewhere niceness is the whole process's.
      ...(isBackground && process.platform === 'linux' && { niceIncrement: NICENESS }),
    });
    const broken = Promise.withResolvers<never>();
    broken.promise.catch(() => {});
    const started = { piscina, broken };
    let trouble: unknown = new Error('it ended before it had begun');
    piscina.on('error', (error) => (trouble = error));
    // A module that cannot be loaded: Piscina keeps its jobs for a worker that will never come.
    piscina.on('workerDestroy', () =>
      setImmediate(() => {
        if (this.#running === 0 || piscina.threads.length > 0 || this.#alive !== started) return;
        this.#started = this.#alive = undefined;
        broken.reject(trouble);
        void piscina.destroy();
      }),
    );
    return (this.#alive = started);
  }
}

/** A port for the worker to tell progress through; `end` hears what is still under way. */
function progressTo(onProgress: (told: unknown) => void): {
  readonly port: MessagePort;
  readonly end: () => void;
} {
  const { port1, port2 } = new MessageChannel();
  const hear = AsyncResource.bind(onProgress);
  port1.on('message', (told: unknown) => {
    hear(told);
    port1.postMessage(TAKEN, []);
  });
  const end = (): void => {
    for (let next = receiveMessageOnPort(port1); next; next = receiveMessageOnPort(port1)) {
      hear(next.message);
    }
    port1.close();
  };
  return { port: port2, end };
}
