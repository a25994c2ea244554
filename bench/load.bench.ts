#!/usr/bin/env node
// npm run test:load [-- --notes N --seconds N --first N --connections N --sockets N]
// A mixed load at rising rates until no more is done, then three times the best; then everything is verified.
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { goal, ms, numbers, percentile, table } from './figures.ts';
import { machine } from './machine.ts';
import type { Mix, MixedResult } from './mixed.ts';
import { cpuMsOf, temporaryFolder, type Server } from './processes.ts';
import { underLoad } from './under-load.ts';

const MIX: Mix = { create: 30, read: 40, patch: 10, search: 10, neighbors: 10, delete: 0 };
const STEP = 1.6;
/** 6,900 a second after 100. */
const MOST_STEPS = 10;
/** A step of which less is done is the last. With more than that, what is done is more and more that which costs least. */
const GIVES = 0.9;
const OVERLOAD = 3;
/** So long is the step above capacity, in those before it: its first second is that of the change. */
const OVERLOAD_STEPS = 2;
const GOAL_GOODPUT = 0.8;
const GOAL_REFUSED_MS = 5;
const PROBE_MS = 50;
/** Of the whole. What was started ends with it. */
const LIMIT_MS = 240_000;

const { notes, seconds, first, connections, sockets } = numbers({
  notes: 2_000,
  seconds: 5,
  first: 100,
  connections: 400,
  sockets: 100,
});
setTimeout(() => {
  console.error(`It was not done within ${LIMIT_MS / 1_000} s.`);
  process.exit(1);
}, LIMIT_MS).unref();
const folder = temporaryFolder();
const mixed = Object.entries(MIX)
  .filter(([, share]) => share > 0)
  .map(([kind, share]) => `${share} % ${kind}`);
console.log(`## Mixed load at rising rates\n\n${machine()}\n`);
console.log(
  `Into a graph of ${notes} notes, while ${sockets} sockets hear every change: ${mixed.join(', ')}. ` +
    `Each step is ${seconds} s on a fixed schedule whether or not the ones before are answered, over ${connections} ` +
    'connections from a process of its own; the sockets are in a third, on the same cores. Times of what was done are ' +
    'from the moment it was due until its answer was read; those of what was refused from the moment it was sent.\n',
);

const loaded = await underLoad(folder, { notes, sockets });
const rows: (string | number)[][] = [];
let best: Goodput = { all: 0, writes: 0 };
for (let step = 0, rate = first; step < MOST_STEPS; step++, rate = Math.round(rate * STEP)) {
  const goodput = await measure(rate, seconds);
  if (goodput.all > best.all) best = goodput;
  if (goodput.all < rate * GIVES) break;
}
const probing = probe(loaded.server);
const over = await measure(Math.round(best.all * OVERLOAD), seconds * OVERLOAD_STEPS);
const probes = await probing.stop();

console.log(
  table(
    [
      'offered/s',
      'done/s',
      'writes of them',
      'refused/s',
      'failed',
      'p50, ms',
      'p99, ms',
      'refused p50, ms',
      'refused p99, ms',
      'CPU, cores',
      'RSS, MB',
      'sent late, worst, ms',
    ],
    rows,
  ),
);
const share = over.all / best.all;
console.log(
  `\nCapacity: ${Math.round(best.all)} done a second. At ${OVERLOAD} times that ${(share * 100).toFixed(0)} % of it is done ` +
    `(goal: at least ${GOAL_GOODPUT * 100} %: ${share >= GOAL_GOODPUT ? 'met' : 'MISSED'}), and ${((over.writes / best.writes) * 100).toFixed(0)} % ` +
    `of its writes: reads go first.\n\n` +
    `Beside it, from a process that does nothing else, every ${PROBE_MS} ms:\n`,
);
console.log(
  table(
    ['', 'asked', 'refused', 'p50, ms', 'p99, ms', 'worst, ms', 'goal of the p99'],
    [
      probeRow('`/livez`', probes.livez),
      probeRow('a read', probes.read),
      probeRow('a write that was refused', { ...probes.write, tookMs: probes.write.refusedMs }),
      probeRow('a write that was done', probes.write),
    ],
  ),
);
if (probes.livez.refusedMs.length > 0) throw new Error('/livez was refused');
const there = await loaded.end();
console.log(
  `\nAfter a restart all ${there} notes of which something was acknowledged are as they were, and \`brain2 verify\` finds nothing wrong.`,
);

/** Done a second. */
interface Goodput {
  readonly all: number;
  readonly writes: number;
}

/** One step at a rate. */
async function measure(rate: number, forS: number): Promise<Goodput> {
  const { server } = loaded;
  const cpuBefore = cpuMsOf(server.pid);
  const start = performance.now();
  const result = await loaded.put({
    perSecond: rate,
    seconds: forS,
    connections,
    mix: MIX,
    seed: rows.length + 2,
  });
  const cores = (cpuMsOf(server.pid) - cpuBefore) / (performance.now() - start);
  const done = Object.values(result.doneMs).flat();
  const writes = result.doneMs.create.length + result.doneMs.patch.length;
  const goodput: Goodput = { all: done.length / forS, writes: writes / forS };
  const refused = (at: number) => (result.refusedMs.length > 0 ? ms(percentile(result.refusedMs, at)) : '');
  rows.push([
    rate,
    Math.round(goodput.all),
    Math.round(goodput.writes),
    Math.round(result.refusedMs.length / forS),
    failures(result),
    ms(percentile(done, 0.5)),
    ms(percentile(done, 0.99)),
    refused(0.5),
    refused(0.99),
    cores.toFixed(2),
    rssMbOf(server).toFixed(0),
    ms(result.worstLateMs),
  ]);
  return goodput;
}

function failures({ failed }: MixedResult): string {
  const all = Object.entries(failed).map(([status, count]) => `${count} × ${status}`);
  return all.length === 0 ? '0' : all.join(', ');
}

interface Probed {
  readonly tookMs: number[];
  readonly refusedMs: number[];
}

function probeRow(name: string, { tookMs, refusedMs }: Probed): (string | number)[] {
  const isRefusal = tookMs === refusedMs;
  const at = (share: number) => (tookMs.length > 0 ? ms(percentile(tookMs, share)) : '');
  const goals = isRefusal && tookMs.length > 0 ? goal(percentile(tookMs, 0.99), GOAL_REFUSED_MS, 'ms') : '';
  const asked = isRefusal ? tookMs.length : tookMs.length + refusedMs.length;
  return [name, asked, refusedMs.length, at(0.5), at(0.99), at(1), goals];
}

/** Asks whether the process answers, for a note, and for a new one, all the while; each waits for nobody else's answer. */
function probe({ url }: Server) {
  const probed = { livez: newProbed(), read: newProbed(), write: newProbed() };
  const ended = new AbortController();
  const ask = async ({ tookMs, refusedMs }: Probed, path: string, init?: RequestInit) => {
    const start = performance.now();
    const answer = await fetch(new URL(path, url), init);
    const text = await answer.text();
    const isRefused = answer.status === 503 && text.includes('"overloaded"');
    if (!answer.ok && !isRefused) throw new Error(`${path} answered ${answer.status}: ${text}`);
    (isRefused ? refusedMs : tookMs).push(performance.now() - start);
  };
  const body = JSON.stringify({ title: 'asked beside the load' });
  const write = { method: 'POST', headers: { 'content-type': 'application/json' }, body };
  const every = async (work: () => Promise<void>) => {
    while (!ended.signal.aborted) await Promise.all([work(), delay(PROBE_MS)]);
  };
  const asking = Promise.all([
    every(() => ask(probed.livez, '/livez')),
    every(() => ask(probed.read, '/api/v2/nodes?limit=1')),
    every(() => ask(probed.write, '/api/v2/nodes', write)),
  ]);
  return {
    async stop() {
      ended.abort();
      await asking;
      return probed;
    },
  };
}

function newProbed(): Probed {
  return { tookMs: [], refusedMs: [] };
}

function rssMbOf({ pid }: Server): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}
