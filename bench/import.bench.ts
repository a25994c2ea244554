#!/usr/bin/env node
// node bench/import.bench.ts [--notes N] [--repeats N]
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import MiniSearch from 'minisearch';
import { goal, median, numbers, percentile, table } from './figures.ts';
import type { Stage } from './import-stages.ts';
import { machine } from './machine.ts';
import { syntheticVault, writeVault, type SyntheticVault } from './make-vault.ts';
import { MAIN, run, temporaryFolder } from './processes.ts';

const STAGES = fileURLToPath(new URL('./import-stages.ts', import.meta.url));
const GOALS_S: Readonly<Record<number, number>> = { 1_000: 1.5, 10_000: 6 };
const STAGE_NAMES: readonly Stage[] = ['read', 'open', 'store', 'links', 'close'];
const GOAL_RSS_MB = 600;

const { notes, repeats } = numbers({ notes: 0, repeats: 3 });
const folder = temporaryFolder();
const sizes = notes > 0 ? [notes] : Object.keys(GOALS_S).map(Number);

console.log(`## Import of a folder\n\n${machine()}\n`);
console.log(
  '`brain2 import` of a synthetic vault of Markdown into an empty data folder: the whole process, from its start to ' +
    'its end, every note durable and linked. The files were written just before, so the disk cache holds them.\n',
);
const rows: (string | number)[][] = [];
const stageRows: (string | number)[][] = [];
for (const size of sizes) {
  const vault = syntheticVault(size);
  const path = join(folder, `vault-${size}`);
  writeVault(path, vault);
  rows.push(await wholeRow(path, vault));
  stageRows.push(await stageRow(path, size));
  stageRows.push(floorRow(path, vault));
}
console.log(
  table(['notes', 'characters a note', 'whole process, s', 'CPU, s', 'peak RSS, MB', 'edges', 'goals'], rows),
);
console.log(
  '\nWhere the time goes: the same import in one process, without the start of it. The floor reads the same files and ' +
    'stores each in a row of raw `node:sqlite`, in one transaction, synced; MiniSearch indexes the same texts in ' +
    'memory, linking nothing and storing nothing.\n',
);
console.log(table(['notes', ...STAGE_NAMES.map((name) => `${name}, ms`), 'sum, ms'], stageRows));

async function wholeRow(path: string, vault: SyntheticVault): Promise<(string | number)[]> {
  const size = vault.notes.length;
  const runs: { wallMs: number; cpuMs: number; peakRssMb: number; edges: number }[] = [];
  for (let at = 0; at < repeats; at++) {
    const dataDir = join(folder, `data-${size}-${at}`);
    const { stdout, ...usage } = await run(folder, MAIN, ['import', path, '--data', dataDir, '--json']);
    const { summary } = JSON.parse(stdout) as { summary: { notes: number; edges: number } };
    if (summary.notes !== size) throw new Error(`${summary.notes} of ${size} notes were stored`);
    runs.push({ ...usage, edges: summary.edges });
  }
  const wallS = runs.map((each) => each.wallMs / 1_000);
  const rss = runs.map((each) => each.peakRssMb);
  const mostS = GOALS_S[size];
  return [
    size,
    Math.round(vault.characters / size),
    median(wallS, 2),
    median(
      runs.map((each) => each.cpuMs / 1_000),
      2,
    ),
    median(rss),
    runs[0]?.edges ?? 0,
    [
      ...(mostS === undefined ? [] : [goal(percentile(wallS, 0.5), mostS, 's')]),
      goal(percentile(rss, 0.5), GOAL_RSS_MB, 'MB'),
    ].join(', '),
  ];
}

async function stageRow(path: string, size: number): Promise<(string | number)[]> {
  const { stdout } = await run(folder, STAGES, [path, join(folder, `stages-${size}`)]);
  const stages = JSON.parse(stdout) as Record<Stage, number>;
  const times = STAGE_NAMES.map((name) => Math.round(stages[name] ?? 0));
  return [size, ...times, times.reduce((sum, time) => sum + time, 0)];
}

function floorRow(path: string, { notes: all }: SyntheticVault): (string | number)[] {
  const started = performance.now();
  const texts = readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'));
  const read = performance.now();
  const database = new DatabaseSync(join(folder, `floor-${all.length}.sqlite`));
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE note (body TEXT); BEGIN');
  const insert = database.prepare('INSERT INTO note VALUES (?)');
  for (const text of texts) insert.run(text);
  database.exec('COMMIT');
  database.close();
  const stored = performance.now();
  const search = new MiniSearch<{ id: number }>({ fields: ['title', 'text'] });
  search.addAll(all.map(({ title, text }, id) => ({ id, title, text })));
  const indexed = performance.now();
  const [readMs, storeMs] = [Math.round(read - started), Math.round(stored - read)];
  const miniSearchMs = Math.round(indexed - stored);
  return [`floor of ${all.length}`, readMs, '', storeMs, `MiniSearch ${miniSearchMs}`, '', readMs + storeMs];
}
