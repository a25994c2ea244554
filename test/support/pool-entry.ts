import { threadId } from 'node:worker_threads';
import { currentContext } from '../../src/shared/context.ts';
import { workerJob, type Tell } from '../../src/shared/worker-job.ts';

export interface PoolTestJob {
  readonly do:
    | 'echo'
    | 'throw'
    | 'exit'
    | 'throw outside'
    | 'fill the heap'
    | 'spin'
    | 'wait'
    | 'uncloneable';
  readonly value?: number;
  /** To wait for, or to tell through that it has begun. */
  readonly gate?: Int32Array | undefined;
}

function begin({ gate }: PoolTestJob): void {
  if (!gate) return;
  Atomics.add(gate, 1, 1);
  Atomics.notify(gate, 1);
}

/** A worker for tests, which does what it is told. */
export const work = workerJob(async (job: PoolTestJob, tell: Tell<number>) => {
  begin(job);
  switch (job.do) {
    case 'throw':
      throw new RangeError('it threw', { cause: 'a cause' });
    case 'exit':
      process.exit(3);
      break;
    case 'throw outside':
      setImmediate(() => {
        throw new Error('nobody catches this');
      });
      await new Promise(() => {});
      break;
    case 'fill the heap': {
      const all: number[][] = [];
      for (;;) all.push(Array.from({ length: 10_000 }, Math.random));
    }
    case 'spin':
      for (;;);
    case 'wait':
      if (job.gate) Atomics.wait(job.gate, 0, 0);
      break;
    case 'uncloneable':
      return { fails: () => {} };
    case 'echo':
      break;
  }
  for (let done = 1; done <= 3; done++) void tell(done);
  return { value: job.value, threadId, context: currentContext() };
});
