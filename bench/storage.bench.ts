#!/usr/bin/env node
// node bench/storage.bench.ts [--single N] [--bulk N] [--repeats N]
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { openBrain } from '../src/server/brain.ts';
import { openEngine } from '../src/server/engines.ts';
import { readSettings } from '../src/server/settings.ts';
import { SqliteTable } from '../src/storage/embedded/sqlite-table.ts';
import type { Op, Table } from '../src/storage/table.ts';
import { median, numbers, percentile, spread, table } from './figures.ts';
import { machine } from './machine.ts';
import { syntheticVault, type VaultNote } from './make-vault.ts';
import { temporaryFolder } from './processes.ts';

const { single, bulk, repeats } = numbers({ single: 500, bulk: 1_000, repeats: 3 });
const folder = temporaryFolder();

console.log(`## Storage\n\n${machine()}\n`);
console.log(
  'What the application writes is recorded, and written again: through the embedded table, with its conditions, its ' +
    'checksum of each row and its thread; and by a loop over raw `node:sqlite` that writes the same rows in the same ' +
    'commits, with the same keys, `synchronous = FULL`, on its own thread. One by one: the next commit begins when the ' +
    `one before is durable. ${repeats} times each in turn, the times of all of them.\n`,
);

/** What one call wrote: transactions of a commit. */
type Commit = readonly (readonly Op[])[];

const { notes } = syntheticVault(single + bulk);
const input = ({ title, text, tags }: VaultNote) => ({ title, content: text, tags: [...tags] });

/** All that is written while notes are created, in the commits in which it was. */
async function recorded() {
  const settings = {
    ...readSettings({}, { dataDir: join(folder, 'recorded') }),
    logLevel: 'silent' as const,
  };
  const engine = await openEngine(settings, { nowSeconds: () => Math.floor(Date.now() / 1_000) });
  const commits: Commit[] = [];
  const recording: Table = {
    get: (key) => engine.table.get(key),
    batchGet: (keys) => engine.table.batchGet(keys),
    has: (keys) => engine.table.has(keys),
    query: (pk, options) => engine.table.query(pk, options),
    transact: (transactions) => {
      commits.push(transactions);
      return engine.table.transact(transactions);
    },
    close: () => engine.table.close(),
  };
  const brain = await openBrain(settings, { engine: { ...engine, table: recording }, isAlone: true });
  const post = async (url: string, payload: object): Promise<void> => {
    const headers = { host: 'localhost' };
    const answer = await brain.app.inject({ method: 'POST', url, payload, headers });
    if (answer.statusCode >= 300) throw new Error(`${url} was answered with ${answer.body}`);
  };
  await post('/api/v2/nodes', { content: 'the first' }); // with what comes once
  const before = commits.length;
  for (const note of notes.slice(0, single)) await post('/api/v2/nodes', input(note));
  const afterSingle = commits.length;
  for (let at = single; at < notes.length; at += 1_000) {
    const items = notes.slice(at, at + 1_000).map(input);
    await post('/api/v2/nodes/bulk', { mode: 'partial', items });
  }
  const afterBulk = commits.length;
  await brain.close();
  return {
    begin: commits.slice(0, before),
    single: commits.slice(before, afterSingle),
    bulk: commits.slice(afterSingle, afterBulk),
  };
}

interface Written {
  readonly single: readonly number[];
  readonly bulk: readonly number[];
  readonly cpuMs: number;
}

let files = 0;
const newFile = (): string => join(folder, `written-${files++}.sqlite`);

async function throughTable(all: Awaited<ReturnType<typeof recorded>>): Promise<Written> {
  const engine = new SqliteTable({ path: newFile() });
  const write = async (commits: readonly Commit[]): Promise<number[]> => {
    const times: number[] = [];
    for (const commit of commits) {
      const started = performance.now();
      const { refused } = await engine.transact(commit);
      if (refused) throw new Error('what was recorded was refused');
      times.push(performance.now() - started);
    }
    return times;
  };
  await write(all.begin);
  return measured(
    () => write(all.single),
    () => write(all.bulk),
    () => engine.close(),
  );
}

async function raw(all: Awaited<ReturnType<typeof recorded>>): Promise<Written> {
  const database = new DatabaseSync(newFile());
  database.exec(
    'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE item (pk TEXT NOT NULL, sk TEXT NOT NULL, ' +
      'et TEXT NOT NULL, ver INTEGER, ttl INTEGER, j TEXT NOT NULL, UNIQUE (pk, sk))',
  );
  const put = database.prepare('INSERT OR REPLACE INTO item VALUES (?, ?, ?, ?, ?, ?)');
  const remove = database.prepare('DELETE FROM item WHERE pk = ? AND sk = ?');
  const write = async (commits: readonly Commit[]): Promise<number[]> =>
    commits.map((commit) => {
      const started = performance.now();
      database.exec('BEGIN');
      for (const op of commit.flat()) {
        if ('put' in op) {
          const { pk, sk, et, ver, ttl, j } = op.put;
          put.run(pk, sk, et, ver ?? null, ttl ?? null, j);
        } else if ('del' in op) remove.run(op.del.pk, op.del.sk);
      }
      database.exec('COMMIT');
      return performance.now() - started;
    });
  await write(all.begin);
  return measured(
    () => write(all.single),
    () => write(all.bulk),
    async () => database.close(),
  );
}

async function measured(
  singly: () => Promise<number[]>,
  inBulk: () => Promise<number[]>,
  close: () => Promise<void>,
): Promise<Written> {
  const before = process.cpuUsage();
  const times = { single: await singly(), bulk: await inBulk() };
  const { user, system } = process.cpuUsage(before);
  await close();
  return { ...times, cpuMs: (user + system) / 1_000 };
}

const all = await recorded();
const ways = [
  { name: 'embedded table', write: throughTable, runs: [] as Written[] },
  { name: 'raw `node:sqlite`', write: raw, runs: [] as Written[] },
];
for (let round = 0; round < repeats; round++) for (const { write, runs } of ways) runs.push(await write(all));

const rowsIn = (commits: readonly Commit[]): number =>
  commits.reduce((sum, commit) => sum + commit.flat().length, 0);
const bytesIn = (commits: readonly Commit[]): number =>
  commits
    .flat(2)
    .reduce((sum, op) => sum + ('put' in op ? Buffer.byteLength(op.put.pk + op.put.sk + op.put.j) : 0), 0);
const total = (times: readonly number[]): number => times.reduce((sum, time) => sum + time, 0);

console.log(
  table(
    ['written', 'commits', 'rows', 'MB', 'way', 'commit p50, ms', 'p99, ms', 'worst, ms', 'rows a second'],
    (['single', 'bulk'] as const).flatMap((kind) => {
      const what = kind === 'single' ? `${single} creates, one by one` : `${bulk} in bulks`;
      const [commits, rows] = [all[kind].length, rowsIn(all[kind])];
      return ways.map(({ name, runs }) => {
        const times = runs.flatMap((run) => run[kind]);
        const perSecond = percentile(
          runs.map((run) => (rows * 1_000) / total(run[kind])),
          0.5,
        );
        const mb = (bytesIn(all[kind]) / 1e6).toFixed(1);
        return [what, commits, rows, mb, name, ...spread(times), perSecond.toFixed(0)];
      });
    }),
  ),
);
const cpu = ways.map(({ name, runs }) => {
  const times = runs.map(({ cpuMs }) => cpuMs);
  return `${name} ${median(times)} ms`;
});
console.log(`\nCPU of the whole, median and range: ${cpu.join(', ')}.`);
