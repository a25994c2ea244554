#!/usr/bin/env node
// npm run test:load [-- --notes N --seconds N --first N --connections N --sockets N]
// A mixed load at rising rates until something gives, then three times the best; then everything is verified.
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { brainClient } from '../src/client/http-client.ts';
import { httpTransport } from '../src/client/http-transport.ts';
import { eachConcurrent } from '../src/shared/each-concurrent.ts';
import { ms, numbers, percentile, table } from './figures.ts';
import { listen } from './listeners.ts';
import { machine } from './machine.ts';
import { putMixed, type MadeNote, type Mix, type MixedResult } from './mixed.ts';
import { prepared } from './prepared.ts';
import { cpuMsOf, MAIN, run, startReadyBrain2, temporaryFolder, type Server } from './processes.ts';

const MIX: Mix = { create: 30, read: 40, patch: 10, search: 10, neighbors: 10, delete: 0 };
const STEP = 1.6;
const MOST_STEPS = 12;
/** A step that brings less than this is the last: more is offered and no more is done. */
const RISE = 1.05;
const OVERLOAD = 3;
const GOAL_GOODPUT = 0.8;
const GOAL_REFUSED_MS = 5;
const PROBE_MS = 100;

const { notes, seconds, first, connections, sockets } = numbers({
  notes: 2_000,
  seconds: 5,
  first: 100,
  connections: 400,
  sockets: 100,
});
const folder = temporaryFolder();
console.log(`## Mixed load at rising rates\n\n${machine()}\n`);
console.log(
  `Into a graph of ${notes} notes, while ${sockets} sockets hear every change: ${Object.entries(MIX)
    .filter(([, share]) => share > 0)
    .map(([kind, share]) => `${share} % ${kind}`)
    .join(
      ', ',
    )}. Each step is ${seconds} s on a fixed schedule whether or not the ones before are answered, over ` +
    `${connections} connections from a process of its own; the sockets are in a third, on the same cores. Times of what ` +
    'was done are from the moment it was due until its answer was read; those of what was refused from the moment it was sent.\n',
);

const { dataDir } = await prepared(folder, notes);
let server = await startReadyBrain2(folder, dataDir);
const client = brainClient(httpTransport(server.url));
const ids = (await client.nodes.list({ limit: 100 })).items.map(({ id }) => id);
const stopListening = await listen(server.url, sockets);
const made: MadeNote[] = [];
const rows: (string | number)[][] = [];
let best = 0;
let perSecond = first;
for (let step = 0; step < MOST_STEPS; step++) {
  const goodput = await measure(perSecond);
  const isRising = goodput > best * RISE;
  best = Math.max(best, goodput);
  if (!isRising) break;
  perSecond = Math.round(perSecond * STEP);
}
const refusals: number[] = [];
const probesMs: number[] = [];
const overloaded = await measure(Math.round(best * OVERLOAD), refusals, probesMs);
await stopListening();
console.log(
  table(
    [
      'offered/s',
      'done/s',
      'refused/s',
      'failed',
      'p50, ms',
      'p99, ms',
      'refused p99, ms',
      'CPU, cores',
      'RSS, MB',
      'sent late, worst, ms',
    ],
    rows,
  ),
);
const share = overloaded / best;
console.log(
  `\nAt ${OVERLOAD} times the best: ${(share * 100).toFixed(0)} % of its goodput (goal: at least ${GOAL_GOODPUT * 100} %: ${share >= GOAL_GOODPUT ? 'met' : 'MISSED'}); ` +
    `refusals p50 ${ms(percentile(refusals, 0.5))} ms, p99 ${ms(percentile(refusals, 0.99))} ms (goal: ${GOAL_REFUSED_MS} ms: ${percentile(refusals, 0.99) <= GOAL_REFUSED_MS ? 'met' : 'MISSED'}); ` +
    `\`/livez\` beside it, every ${PROBE_MS} ms: p50 ${ms(percentile(probesMs, 0.5))} ms, worst ${ms(percentile(probesMs, 1))} ms, none refused.`,
);
await server.stop();

await run(folder, MAIN, ['verify', '--data', dataDir]);
server = await startReadyBrain2(folder, dataDir);
const again = brainClient(httpTransport(server.url));
const titles = eachConcurrent(made, { limit: 50 }, async ({ id, title }) => {
  const found = await again.nodes.get(id);
  if (found.title !== title) throw new Error(`note ${id} was acknowledged as ${title} and is ${found.title}`);
});
const there = (await Array.fromAsync(titles)).length;
await server.stop();
console.log(
  `\nAfter a restart all ${there} notes that were acknowledged are there, and \`brain2 verify\` finds nothing wrong.`,
);

/** One step at a rate; gives what was done of it a second. */
async function measure(rate: number, refused: number[] = [], probes?: number[]): Promise<number> {
  const cpuBefore = cpuMsOf(server.pid);
  const start = performance.now();
  const load = {
    url: server.url,
    perSecond: rate,
    seconds,
    connections,
    mix: MIX,
    seed: rows.length + 2,
    ids,
  };
  const probing = probes && probe(probes);
  const result = await putMixed(folder, load);
  await probing?.stop();
  const wallMs = performance.now() - start;
  const cores = (cpuMsOf(server.pid) - cpuBefore) / wallMs;
  const done = Object.values(result.doneMs).flat();
  refused.push(...result.refusedMs);
  made.push(...result.made);
  rows.push([
    rate,
    Math.round(done.length / seconds),
    Math.round(result.refusedMs.length / seconds),
    failures(result),
    ms(percentile(done, 0.5)),
    ms(percentile(done, 0.99)),
    result.refusedMs.length > 0 ? ms(percentile(result.refusedMs, 0.99)) : '',
    cores.toFixed(2),
    rssMbOf(server).toFixed(0),
    ms(result.worstLateMs),
  ]);
  return done.length / seconds;
}

function failures({ failed }: MixedResult): string {
  const all = Object.entries(failed).map(([status, count]) => `${count} × ${status}`);
  return all.length === 0 ? '0' : all.join(', ');
}

/** Asks whether the process answers, all the while. Throws on stopping if it was refused. */
function probe(tookMs: number[]): { stop(): Promise<void> } {
  const ended = new AbortController();
  const asking = (async () => {
    while (!ended.signal.aborted) {
      const start = performance.now();
      const answer = await fetch(new URL('/livez', server.url));
      await answer.text();
      if (!answer.ok) throw new Error(`/livez answered ${answer.status}`);
      tookMs.push(performance.now() - start);
      await delay(PROBE_MS);
    }
  })();
  return {
    stop() {
      ended.abort();
      return asking;
    },
  };
}

function rssMbOf({ pid }: Server): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}
