// Loaded before a measured program and each of its threads (node --import): tells at its end what it took, and what it
// holds when it is asked.
import { writeFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isMainThread } from 'node:worker_threads';
import type { Held, Usage } from './processes.ts';

const MB = 2 ** 20;
/** More than a collection takes. A thread that is asked in vain was just ended. */
const ANSWER_MS = 2_000;
const path = process.env['BENCH_USAGE_FILE'];
delete process.env['BENCH_USAGE_FILE'];

if (path !== undefined) {
  process.on('exit', () => {
    const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
    const usage: Usage = { peakRssMb: maxRSS / 1024, cpuMs: (userCPUTime + systemCPUTime) / 1_000 };
    writeFileSync(path, JSON.stringify(usage));
  });
}

const channel = new BroadcastChannel('held');
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- it goes to threads, which have none
const tell = (what: 'collect' | number): void => channel.postMessage(what);
if (isMainThread) {
  let threads = 0;
  process.on('worker', (worker) => {
    threads += 1;
    worker.once('exit', () => (threads -= 1));
  });
  process.on('message', () => {
    void (async () => {
      const others = answersOf(threads);
      tell('collect');
      const heapMb = heldHere();
      const held: Held = { heapMb, threadsMb: await others, rssMb: process.memoryUsage.rss() / MB };
      process.send?.(held);
    })();
  });
  process.channel?.unref();
} else
  channel.addEventListener('message', (asked) => {
    if ((asked as MessageEvent).data === 'collect') tell(heldHere());
  });
channel.unref(); // a listener holds the process

/** The sum of what so many threads hold. */
async function answersOf(count: number): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const answers: number[] = [];
  if (count === 0) resolve();
  const timer = setTimeout(resolve, ANSWER_MS);
  const take = (told: Event): void => {
    const { data } = told as MessageEvent;
    if (typeof data === 'number' && answers.push(data) === count) resolve();
  };
  channel.addEventListener('message', take);
  channel.unref(); // a listener holds the process
  await promise;
  clearTimeout(timer);
  channel.removeEventListener('message', take);
  return answers.reduce((sum, answer) => sum + answer, 0);
}

function heldHere(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  collect(); // what the first one finalised
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / MB;
}
