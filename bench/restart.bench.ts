#!/usr/bin/env node
// node bench/restart.bench.ts [--notes N] [--repeats N] [--writes N]
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { goal, median, numbers, percentile, table } from './figures.ts';
import { machine } from './machine.ts';
import { query, seeded, syntheticVault } from './make-vault.ts';
import { prepared } from './prepared.ts';
import { startBrain2, startServer, temporaryFolder, type Server } from './processes.ts';

const FLOOR = fileURLToPath(new URL('./floor-server.ts', import.meta.url));
const GOAL_S = 1;
const GOAL_EMPTY_S = 2;

const { notes, repeats, writes } = numbers({ notes: 10_000, repeats: 5, writes: 100 });
const folder = temporaryFolder();

console.log(`## Start and restart\n\n${machine()}\n`);
console.log(
  `From the start of the process until it listens, and until it has answered a first search of two words, with ${notes} ` +
    `notes. After kill -9, which comes right after ${writes} notes were created, the database's log is recovered and the ` +
    'index takes the tail of the log; without its file the index is read anew from the notes. The floor is the start ' +
    'of a bare `node:http` server that opens a database. The disk cache holds the files.\n',
);

const { dataDir, vault } = await prepared(folder, notes);
const random = seeded(4);
const more = syntheticVault(writes * repeats, 2).notes.values();

interface Start {
  readonly listeningMs: number;
  readonly answeredMs: number;
}

async function answered(server: Server, path: string): Promise<Start> {
  const answer = await fetch(new URL(path, server.url));
  await answer.text();
  if (!answer.ok) throw new Error(`${path} was answered with ${answer.status}`);
  return { listeningMs: server.listeningMs, answeredMs: performance.now() - server.startedAt };
}

async function searched(server: Server): Promise<Start> {
  return answered(server, `/api/v2/search?q=${encodeURIComponent(query('two words', vault, random))}`);
}

/** Prepares, starts and measures, so many times; `end` leaves things as the next start is to find them. */
async function repeated(prepare: () => Promise<void> | void, begin: () => Promise<Start>): Promise<Start[]> {
  const starts: Start[] = [];
  for (let at = 0; at < repeats; at++) {
    await prepare();
    starts.push(await begin());
  }
  return starts;
}

async function startSearchStop(dir = dataDir): Promise<Start> {
  const server = await startBrain2(folder, dir);
  const start = await searched(server);
  await server.stop();
  return start;
}

async function writeAndKill(): Promise<void> {
  const server = await startBrain2(folder, dataDir);
  for (let at = 0; at < writes; at++) {
    const { title, text } = more.next().value ?? { title: `more ${at}`, text: 'more' };
    const body = JSON.stringify({ title, content: text });
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(new URL('/api/v2/nodes', server.url), { method: 'POST', headers, body });
    if (!answer.ok) throw new Error(`a note was refused: ${await answer.text()}`);
    await answer.body?.cancel();
  }
  await server.kill();
}

const empty = join(folder, 'empty');
const cases: readonly (readonly [string, number, Start[]])[] = [
  [
    'empty folder',
    GOAL_EMPTY_S,
    await repeated(
      () => rmSync(empty, { recursive: true, force: true }),
      () => startSearchStop(empty),
    ),
  ],
  ['after a clean stop', GOAL_S, await repeated(() => {}, startSearchStop)],
  ['after kill -9', GOAL_S, await repeated(writeAndKill, startSearchStop)],
  [
    'without the file of the index',
    NaN,
    await repeated(() => rmSync(join(dataDir, 'index'), { recursive: true, force: true }), startSearchStop),
  ],
  ['floor', NaN, await repeated(() => {}, startFloor)],
];

async function startFloor(): Promise<Start> {
  const server = await startServer(folder, FLOOR, []);
  const start = await answered(server, '/');
  await server.stop();
  return start;
}

console.log(
  table(
    ['start', 'listening, s', 'first search answered, s', 'goal'],
    cases.map(([name, mostS, starts]) => {
      const listening = starts.map((start) => start.listeningMs / 1_000);
      const answeredS = starts.map((start) => start.answeredMs / 1_000);
      const met = Number.isNaN(mostS) ? '' : goal(percentile(answeredS, 0.5), mostS, 's');
      return [name, median(listening, 2), median(answeredS, 2), met];
    }),
  ),
);
