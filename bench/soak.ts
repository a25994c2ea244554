#!/usr/bin/env node
// npm run test:soak [-- --rate N --notes N --sockets N]; BRAIN2_SOAK_MINUTES is how long, 10 unless set
// A mixed load at one rate, in which as much is deleted as is made. Fails when memory or handles grow.
import { brainClient } from '../src/client/http-client.ts';
import { httpTransport } from '../src/client/http-transport.ts';
import { numbers, table } from './figures.ts';
import { listen } from './listeners.ts';
import { machine } from './machine.ts';
import { putMixed, type MadeNote, type Mix } from './mixed.ts';
import { prepared } from './prepared.ts';
import { MAIN, run, startReadyBrain2, temporaryFolder, type Server } from './processes.ts';

const MIX: Mix = { create: 15, delete: 15, read: 40, patch: 10, search: 10, neighbors: 10 };
const STEP_S = 10;
/** The share of the time in which memory takes its size. */
const WARM_UP = 0.3;
/** Of the mean, over the whole measured time, by the line that fits best. */
const MOST_GROWTH = 0.1;
/** Kept connections of the probes come and go. */
const MOST_HANDLES = 8;
const CONNECTIONS = 50;

interface Sample {
  readonly minutes: number;
  readonly rssMb: number;
  readonly heapMb: number;
  readonly descriptors: number;
  readonly handles: number;
}

const minutes = Number(process.env['BRAIN2_SOAK_MINUTES'] ?? 10);
delete process.env['BRAIN2_SOAK_MINUTES']; // the server would take it for a setting of its own
const { rate, notes, sockets } = numbers({ rate: 100, notes: 2_000, sockets: 100 });
const folder = temporaryFolder();
console.log(`## Soak: ${minutes} minutes at ${rate} requests a second, ${sockets} sockets\n\n${machine()}\n`);

const { dataDir } = await prepared(folder, notes);
const server = await startReadyBrain2(folder, dataDir);
const client = brainClient(httpTransport(server.url));
const ids = (await client.nodes.list({ limit: 100 })).items.map(({ id }) => id);
const stopListening = await listen(server.url, sockets);
const samples: Sample[] = [];
const failed: Record<string, number> = {};
let made: readonly MadeNote[] = [];
const start = performance.now();
const minutesNow = () => (performance.now() - start) / 60_000;
for (let step = 0; minutesNow() < minutes; step++) {
  const result = await putMixed(folder, {
    url: server.url,
    perSecond: rate,
    seconds: STEP_S,
    connections: CONNECTIONS,
    mix: MIX,
    seed: step + 2,
    ids,
  });
  for (const [status, count] of Object.entries(result.failed)) failed[status] = (failed[status] ?? 0) + count;
  // What one step leaves the next takes away, so that the graph keeps its size.
  for (const { id } of made) await client.nodes.delete(id, 1);
  made = result.made;
  samples.push(await sample(server));
}
await stopListening();
await server.stop();
await run(folder, MAIN, ['verify', '--data', dataDir]);

const kept = samples.slice(Math.floor(samples.length * WARM_UP));
const verdicts = [
  growthOf('RSS, MB', ({ rssMb }) => rssMb),
  growthOf('heap, MB', ({ heapMb }) => heapMb),
  ...(['descriptors', 'handles'] as const).map((name) => {
    const values = kept.map((one) => one[name]);
    const growth = (values.at(-1) ?? 0) - (values[0] ?? 0);
    return {
      row: [name, values[0] ?? NaN, values.at(-1) ?? NaN, growth, `at most ${MOST_HANDLES}`],
      isFlat: growth <= MOST_HANDLES,
    };
  }),
];
console.log(
  table(
    ['', 'first', 'last', 'growth by the line', 'limit'],
    verdicts.map(({ row }) => row),
  ),
);
console.log(
  `\nOf ${samples.length} samples, ${STEP_S} s apart, the first ${WARM_UP * 100} % do not count. Failed requests: ${JSON.stringify(failed)}. \`brain2 verify\` finds nothing wrong.`,
);
if (verdicts.some(({ isFlat }) => !isFlat)) {
  console.error('It is not flat.');
  process.exitCode = 1;
}

/** With no request under way, but for its own. */
async function sample({ url }: Server): Promise<Sample> {
  const text = await (await fetch(new URL('/metrics', url))).text();
  const value = (name: string) => Number(new RegExp(`^${name} (.+)$`, 'm').exec(text)?.[1]);
  return {
    minutes: minutesNow(),
    rssMb: value('process_resident_memory_bytes') / 2 ** 20,
    heapMb: value('nodejs_heap_size_used_bytes') / 2 ** 20,
    descriptors: value('process_open_fds'),
    handles: value('nodejs_active_handles_total'),
  };
}

function growthOf(name: string, of: (one: Sample) => number) {
  const values = kept.map(of);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const time = kept.map((one) => one.minutes);
  const middle = time.reduce((sum, value) => sum + value, 0) / time.length;
  const slope =
    time.reduce((sum, at, index) => sum + (at - middle) * (values[index]! - mean), 0) /
    time.reduce((sum, at) => sum + (at - middle) ** 2, 0);
  const growth = slope * ((time.at(-1) ?? 0) - (time[0] ?? 0));
  const most = mean * MOST_GROWTH;
  return {
    row: [
      name,
      (values[0] ?? NaN).toFixed(0),
      (values.at(-1) ?? NaN).toFixed(0),
      `${growth.toFixed(1)} (${slope.toFixed(2)} a minute)`,
      `at most ${most.toFixed(1)}`,
    ],
    isFlat: growth <= most,
  };
}
