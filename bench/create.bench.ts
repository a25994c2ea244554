#!/usr/bin/env node
// node bench/create.bench.ts [--notes N] [--rate N] [--seconds N] [--connections N]
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { goal, ms, numbers, percentile, spread, table } from './figures.ts';
import { putLoad, type LoadRequest } from './load.ts';
import { machine } from './machine.ts';
import { syntheticVault } from './make-vault.ts';
import { prepared } from './prepared.ts';
import { cpuMsOf, startReadyBrain2, startServer, temporaryFolder, type Server } from './processes.ts';

const FLOOR = fileURLToPath(new URL('./floor-server.ts', import.meta.url));
const GOAL_P99_MS = 10;
const WARM_UP_S = 2;

const { notes, rate, seconds, connections } = numbers({
  notes: 10_000,
  rate: 100,
  seconds: 20,
  connections: 20,
});
const folder = temporaryFolder();

console.log(`## Create one note\n\n${machine()}\n`);
console.log(
  `POST /api/v2/nodes into a graph of ${notes} notes: ${rate} a second for ${seconds} s after ${WARM_UP_S} s that do not ` +
    `count, on a fixed schedule whether or not the ones before are answered, over ${connections} kept connections from ` +
    'a process of its own. The time is from the moment the request was due until its answer was read: by then the ' +
    'note is durable and linked, and the answer holds its edges. The floor is bare `node:http` with one synced ' +
    'insert of the same body into raw `node:sqlite`; it links nothing.\n',
);

const { dataDir } = await prepared(folder, notes);
const wanted = rate * (seconds + WARM_UP_S);
// Notes of the same topics and words as the stored ones, and none of them stored yet.
const bodies = syntheticVault(wanted, 2).notes.map(({ title, text, tags }) =>
  JSON.stringify({ title, content: text, tags }),
);
const requests = bodies.map((body): LoadRequest => ({ method: 'POST', path: '/api/v2/nodes', body }));

const rows = [
  await measured('Brain2', await startReadyBrain2(folder, dataDir), true),
  await measured('floor', await startServer(folder, FLOOR, [join(folder, 'floor.sqlite')]), false),
];
console.log(
  table(
    [
      'server',
      'p50, ms',
      'p99, ms',
      'worst, ms',
      'failed',
      'sent late, worst, ms',
      'CPU a request, ms',
      'goal p99',
    ],
    rows,
  ),
);

async function measured(name: string, server: Server, hasGoal: boolean): Promise<(string | number)[]> {
  const cpuBefore = cpuMsOf(server.pid);
  const load = { url: server.url, perSecond: rate, connections, requests, warmUp: rate * WARM_UP_S };
  const { latenciesMs, failed, worstLateMs } = await putLoad(folder, load);
  const cpuMs = (cpuMsOf(server.pid) - cpuBefore) / requests.length;
  await server.stop();
  const met = hasGoal ? goal(percentile(latenciesMs, 0.99), GOAL_P99_MS, 'ms') : '';
  return [name, ...spread(latenciesMs), failed, ms(worstLateMs), ms(cpuMs), met];
}
