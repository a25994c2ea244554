#!/usr/bin/env node
// npm run test:soak [-- --minutes N --rate N --notes N --sockets N]
// A mixed load at one rate, in which as much is deleted as is made. Fails when it leaves memory or handles in use.
import { numbers, table } from './figures.ts';
import { machine } from './machine.ts';
import type { Mix } from './mixed.ts';
import { temporaryFolder, type Held, type Server } from './processes.ts';
import { underLoad } from './under-load.ts';

const MIX: Mix = { create: 15, delete: 15, read: 40, patch: 10, search: 10, neighbors: 10 };
const STEP_S = 10;
const CONNECTIONS = 50;
/** Caches, and what V8 and the allocator keep for the next request, take their size in the first half. */
const WARM_UP = 0.5;
/**
 * How much each may grow in the second half, by the line that fits best: so many MB, and so many more a minute. At 100
 * requests a second 100 bytes that each of them leaves behind are 0.6 MB a minute; two measurements of the same heap
 * differ by less than one. The resident memory moves more, for what is free in it is the allocator's to keep.
 */
const MOST_GROWTH = {
  heapMb: { atOnce: 2, aMinute: 0.5 },
  threadsMb: { atOnce: 2, aMinute: 0.5 },
  rssMb: { atOnce: 10, aMinute: 2 },
};
/** Kept connections of the probes come and go. */
const MOST_HANDLES = 8;

interface Sample extends Held {
  readonly minutes: number;
  readonly descriptors: number;
  readonly handles: number;
}

const { minutes, rate, notes, sockets } = numbers({ minutes: 10, rate: 100, notes: 2_000, sockets: 100 });
const folder = temporaryFolder();
console.log(`## Soak: ${minutes} minutes at ${rate} requests a second, ${sockets} sockets\n\n${machine()}\n`);

const loaded = await underLoad(folder, { notes, sockets });
const samples: Sample[] = [];
const failed: Record<string, number> = {};
let done = 0;
const start = performance.now();
const minutesNow = () => (performance.now() - start) / 60_000;
for (let left: readonly string[] = []; minutesNow() < minutes;) {
  const result = await loaded.put({
    perSecond: rate,
    seconds: STEP_S,
    connections: CONNECTIONS,
    mix: MIX,
    seed: samples.length + 2,
  });
  for (const [status, count] of Object.entries(result.failed)) failed[status] = (failed[status] ?? 0) + count;
  done += Object.values(result.doneMs).flat().length;
  // What one step leaves the next takes away, so that the graph keeps its size.
  await loaded.delete(left);
  left = result.made;
  samples.push(await sample(loaded.server));
}
const there = await loaded.end();

const kept = samples.slice(Math.floor(samples.length * WARM_UP));
if (kept.length < 3) throw new Error(`${samples.length} samples tell nothing: take more --minutes`);
const verdicts = [
  memory('heap and buffers of the thread that serves, MB', 'heapMb'),
  memory('of the others, MB', 'threadsMb'),
  memory('resident memory, MB', 'rssMb'),
  count('descriptors'),
  count('handles'),
];
console.log(
  table(
    ['', 'after the first step', 'at half', 'at the end', 'growth in the second half', 'limit'],
    verdicts.map(({ row }) => row),
  ),
);
console.log(
  `\n${samples.length} samples, one after each ${STEP_S} s of load, of what is held when all threads have collected. ` +
    `${done} requests were done; failed: ${JSON.stringify(failed)}. After a restart ${there} notes of which something ` +
    'was acknowledged are as they were, and `brain2 verify` finds nothing wrong.',
);
if (verdicts.some(({ isFlat }) => !isFlat)) {
  console.error('It is not flat.');
  process.exitCode = 1;
}

/** With no request under way, but for its own. */
async function sample(server: Server): Promise<Sample> {
  const held = await server.held();
  const text = await (await fetch(new URL('/metrics', server.url))).text();
  const value = (name: string) => Number(new RegExp(`^${name} (.+)$`, 'm').exec(text)?.[1]);
  return {
    ...held,
    minutes: minutesNow(),
    descriptors: value('process_open_fds'),
    handles: value('nodejs_active_handles_total'),
  };
}

function memory(name: string, of: keyof typeof MOST_GROWTH) {
  const values = kept.map((one) => one[of]);
  const time = kept.map((one) => one.minutes);
  const tookMinutes = (time.at(-1) ?? 0) - (time[0] ?? 0);
  const aMinute = slope(time, values);
  const growth = aMinute * tookMinutes;
  const most = MOST_GROWTH[of].atOnce + MOST_GROWTH[of].aMinute * tookMinutes;
  const shown = [samples[0]?.[of], values[0], values.at(-1)].map((value = NaN) => value.toFixed(1));
  const told = `${growth.toFixed(1)} (${aMinute.toFixed(2)} a minute)`;
  return { row: [name, ...shown, told, most.toFixed(1)], isFlat: growth <= most };
}

/** Of the line that fits best. */
function slope(at: readonly number[], values: readonly number[]): number {
  const mean = (all: readonly number[]) => all.reduce((sum, value) => sum + value, 0) / all.length;
  const [middle, height] = [mean(at), mean(values)];
  const rise = at.reduce((sum, x, index) => sum + (x - middle) * ((values[index] ?? NaN) - height), 0);
  return rise / at.reduce((sum, x) => sum + (x - middle) ** 2, 0);
}

function count(name: 'descriptors' | 'handles') {
  const [first = NaN, half = NaN, last = NaN] = [samples[0], kept[0], kept.at(-1)].map((one) => one?.[name]);
  const growth = last - half;
  return { row: [name, first, half, last, growth, MOST_HANDLES], isFlat: growth <= MOST_HANDLES };
}
