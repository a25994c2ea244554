import { randomUUID } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { PoolTestJob } from '../../test/support/pool-entry.ts';
import { runInBackground } from './context.ts';
import { WorkerPool, type WorkerPoolOptions } from './worker-pool.ts';

interface Echo {
  readonly value: number | undefined;
  readonly threadId: number;
  readonly context: { readonly requestId: string; readonly ownerId: string } | undefined;
}

const ENTRY = new URL('../../test/support/pool-entry.ts', import.meta.url);

function newPool(options: WorkerPoolOptions = {}, entry = ENTRY): WorkerPool<PoolTestJob, Echo, number> {
  const pool = new WorkerPool<PoolTestJob, Echo, number>(entry, { threads: 1, ...options });
  onTestFinished(() => pool.close());
  return pool;
}

/** A job that begins, says so, and ends when it is let. */
function heldJob() {
  const gate = new Int32Array(new SharedArrayBuffer(8));
  const letGo = (): void => {
    Atomics.store(gate, 0, 1);
    Atomics.notify(gate, 0);
  };
  onTestFinished(letGo); // or a test that fails would hang
  return {
    job: { do: 'wait', gate } as const,
    begun: async (count = 1): Promise<void> => {
      for (let seen = gate[1] ?? 0; seen < count; seen = gate[1] ?? 0) {
        await Atomics.waitAsync(gate, 1, seen).value;
      }
    },
    letGo,
  };
}

const echo = (value: number): PoolTestJob => ({ do: 'echo', value });
const crash: PoolTestJob = { do: 'exit' };

describe('a pool of workers', () => {
  test('does jobs beside this thread, on as many threads as it may have, and gives what each makes of its own', async () => {
    const pool = newPool({ threads: 2 });
    const held = heldJob();
    const both = [pool.run(held.job), pool.run(held.job)];
    await held.begun(2);
    expect(pool.metrics).toMatchObject({ threads: 2, running: 2, waiting: 0 });
    held.letGo();
    const threads = new Set((await Promise.all(both)).map(({ threadId }) => threadId));
    expect([threads.size, threads.has(0)]).toEqual([2, false]);
    const values = await Promise.all([1, 2, 3, 4].map((value) => pool.run(echo(value))));
    expect(values.map(({ value }) => value)).toEqual([1, 2, 3, 4]);
    expect(pool.metrics).toMatchObject({ running: 0, outcomes: { done: 6, failed: 0 } });
  });

  test('throws what a job throws, and the worker goes on', async () => {
    const pool = newPool();
    const { threadId } = await pool.run(echo(1));
    const thrown: unknown = await pool.run({ do: 'throw' }).catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(RangeError);
    expect(thrown).toMatchObject({ message: 'it threw', cause: 'a cause' });
    expect((await pool.run(echo(2))).threadId).toBe(threadId);
    expect(pool.metrics.outcomes).toMatchObject({ done: 2, failed: 1, crashed: 0 });
  });

  test('begins what waits by its priority, and in the order of its coming among equals', async () => {
    const pool = newPool();
    const held = heldJob();
    const first = pool.run(held.job);
    const order: number[] = [];
    const waiting = [0, 5, 0, -1, 5, 9].map(async (priority, at) => {
      await pool.run(echo(at), { priority });
      order.push(at);
    });
    held.letGo();
    await Promise.all([first, ...waiting]);
    expect(order).toEqual([5, 1, 4, 0, 2, 3]);
  });

  test('refuses by name what its queue has no room for, and does the rest', async () => {
    const pool = newPool({ queueLimit: 2 });
    const held = heldJob();
    const all = [pool.run(held.job), pool.run(echo(1)), pool.run(echo(2))];
    await expect(pool.run(echo(3))).rejects.toMatchObject({ code: 'WORKERS_BUSY' });
    expect(pool.health()).toEqual({ isAlive: true, waiting: 2, limit: 2 });
    held.letGo();
    expect((await Promise.all(all)).map(({ value }) => value)).toEqual([undefined, 1, 2]);
    expect((await pool.run(echo(4))).value).toBe(4);
    expect(pool.metrics.outcomes).toMatchObject({ done: 4, refused: 1 });
  });

  test('takes a job back that waits, and one that is being done, whatever it does', async () => {
    const pool = newPool();
    const spinning = heldJob();
    const [one, other] = [new AbortController(), new AbortController()];
    const running = pool.run({ ...spinning.job, do: 'spin' }, { signal: one.signal });
    await spinning.begun();
    const never = heldJob();
    const waiting = pool.run(never.job, { signal: other.signal });
    const next = pool.run(echo(1));
    other.abort(new Error('the other'));
    await expect(waiting).rejects.toThrow('the other');
    one.abort(new Error('the one'));
    await expect(running).rejects.toThrow('the one');
    expect((await next).value).toBe(1);
    const isBegun = await Promise.race([never.begun().then(() => true), pool.run(echo(2)).then(() => false)]);
    expect(isBegun).toBe(false);
    const signal = AbortSignal.abort(new Error('before'));
    await expect(pool.run(echo(1), { signal })).rejects.toThrow('before');
    expect(pool.metrics.outcomes).toMatchObject({ done: 2, cancelled: 2, crashed: 0 });
  });

  test('tells how far a job is, all of it before its result, and does it in the context of the caller', async () => {
    const pool = newPool();
    const told: number[] = [];
    const id = randomUUID();
    const result = await runInBackground({ ownerId: 'me', id }, () =>
      pool.run(echo(1), { onProgress: (done) => told.push(done) }),
    );
    expect(told).toEqual([1, 2, 3]);
    expect(result.context).toMatchObject({ requestId: id, ownerId: 'me' });
    expect((await pool.run(echo(2))).context).toBeUndefined();
  });

  test.each([
    ['ends', crash, 'worker exited with code: 3'],
    ['throws where nobody catches it', { do: 'throw outside' }, 'nobody catches this'],
    ['fills its heap', { do: 'fill the heap' }, 'out of memory'],
    ['makes what cannot be sent', { do: 'uncloneable' }, 'died over its job'],
  ] as const)('survives a worker that %s: its job is told so, and no other', async (_what, job, why) => {
    const crashes: string[] = [];
    const pool = newPool({ threads: 2, heapMb: 32, onCrash: ({ message }) => crashes.push(message) });
    const held = heldJob();
    const beside = pool.run(held.job);
    await held.begun();
    const failing = pool.run(job);
    const after = pool.run(echo(1));
    await expect(failing).rejects.toMatchObject({
      code: 'WORKER_CRASHED',
      message: expect.stringContaining(why) as string,
    });
    expect((await after).value).toBe(1);
    held.letGo();
    await beside;
    expect(crashes).toHaveLength(1);
    expect(pool.metrics.outcomes).toMatchObject({ done: 2, crashed: 1 });
  });

  test('rejects, and does not wait for ever, where no worker comes up or the job cannot be sent', async () => {
    const broken = newPool({ threads: 2 }, new URL('./no-such-entry.ts', import.meta.url));
    const all = await Promise.allSettled([broken.run(echo(1)), broken.run(echo(2)), broken.run(echo(3))]);
    for (const outcome of all) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'WORKER_CRASHED' } });
    }
    const pool = newPool();
    const job = { do: 'echo', value: (() => 1) as never } as const;
    await expect(pool.run(job)).rejects.toThrow('could not be cloned');
    expect((await pool.run(echo(1))).value).toBe(1);
  });

  test('is ill while job after job crashes, and well again with one that does not, or after a while', async () => {
    let nowMs = 0;
    const pool = newPool({ nowMs: () => nowMs });
    const crashOne = () => pool.run(crash).catch(() => {});
    for (const expected of [true, true, false]) {
      await crashOne();
      expect(pool.health().isAlive).toBe(expected);
    }
    await pool.run(echo(1));
    expect(pool.health().isAlive).toBe(true);
    for (let at = 0; at < 3; at++) await crashOne();
    expect(pool.health().isAlive).toBe(false);
    nowMs += 60_000;
    expect(pool.health().isAlive).toBe(true);
  });

  test('does what it has accepted before it ends, and takes nothing after', async () => {
    const pool = newPool();
    const held = heldJob();
    const all = [pool.run(held.job), pool.run(echo(1)), pool.run(crash).catch(() => 'crashed')];
    const closing = pool.close();
    await expect(pool.run(echo(2))).rejects.toMatchObject({ code: 'WORKERS_ENDED' });
    held.letGo();
    await closing;
    expect(await Promise.all(all)).toMatchObject([{ value: undefined }, { value: 1 }, 'crashed']);
    expect(pool.metrics).toMatchObject({ threads: 0, running: 0, waiting: 0 });
    await newPool().close(); // one that never had a job
  });

  test('settles each job once, and counts it once, whatever becomes of them', async () => {
    const pool = newPool({ threads: 2, queueLimit: 3 });
    const plans = fc.array(
      fc.record({
        do: fc.constantFrom<'echo' | 'throw' | 'exit'>('echo', 'throw', 'exit'),
        priority: fc.integer({ min: 0, max: 2 }),
        isCancelled: fc.boolean(),
      }),
      { maxLength: 8 },
    );
    const property = fc.asyncProperty(plans, async (jobs) => {
      const before = pool.metrics.outcomes;
      const outcomes = await Promise.all(
        jobs.map(async (job, value) => {
          const controller = new AbortController();
          const run = pool.run({ do: job.do, value }, { priority: job.priority, signal: controller.signal });
          if (job.isCancelled) setImmediate(() => controller.abort(new Error('cancelled')));
          return run.then(
            (result) => (result.value === value ? 'done' : 'of another'),
            (error: { code?: string; message: string }) => error.code ?? error.message,
          );
        }),
      );
      const { outcomes: after } = pool.metrics;
      const count = (...names: readonly string[]) => outcomes.filter((name) => names.includes(name)).length;
      expect({
        done: after.done - before.done,
        failed: after.failed - before.failed,
        cancelled: after.cancelled - before.cancelled,
        crashed: after.crashed - before.crashed,
        refused: after.refused - before.refused,
      }).toEqual({
        done: count('done'),
        failed: count('it threw'),
        cancelled: count('cancelled'),
        crashed: count('WORKER_CRASHED'),
        refused: count('WORKERS_BUSY'),
      });
      expect(count('of another')).toBe(0);
      expect(pool.metrics).toMatchObject({ running: 0, waiting: 0 });
    });
    await fc.assert(property, { numRuns: 20, endOnFailure: true }); // a race between threads does not come again
  });
});
