#!/usr/bin/env node
// npm run bench [-- NAME...] [-- --write] [-- --long]
// Runs the benches one by one, all of them unless some are named (`create` is bench/create.bench.ts), and prints their
// tables. --write keeps what each found as bench/results/NAME.md and NAME.json, to be committed with what changed it.
// --long goes to sizes that take many minutes.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { VERSION } from '../src/server/version.ts';
import { machineFacts } from './machine.ts';

const SUFFIX = '.bench.ts';
const RESULTS = join(import.meta.dirname, 'results');
const LIMIT_MS = 15 * 60_000;
const LONG_LIMIT_MS = 60 * 60_000;

const all = globSync(`*${SUFFIX}`, { cwd: import.meta.dirname })
  .map((file) => file.slice(0, -SUFFIX.length))
  .toSorted();
const { values, positionals } = parseArgs({
  options: { write: { type: 'boolean', default: false }, long: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const unknown = positionals.filter((name) => !all.includes(name));
if (unknown.length > 0) {
  throw new Error(`no bench is called ${unknown.join(' or ')}; there are ${all.join(', ')}`);
}

const failed: string[] = [];
for (const name of positionals.length > 0 ? positionals : all) {
  const facts = machineFacts();
  try {
    const report = await outputOf(name);
    if (values.write) write(name, report, facts);
  } catch (error) {
    failed.push(name);
    console.error(error instanceof Error ? error.message : error);
  }
  console.log();
}
if (failed.length > 0) {
  console.error(`failed: ${failed.join(', ')}`);
  process.exitCode = 1;
}

/** Shows the output as it comes, and gives it. Throws when the bench fails or does not come to its end. */
async function outputOf(name: string): Promise<string> {
  const script = join(import.meta.dirname, `${name}${SUFFIX}`);
  const child = spawn(process.execPath, ['--expose-gc', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...(values.long && { BRAIN2_BENCH_LONG: '1' }) },
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), values.long ? LONG_LIMIT_MS : LIMIT_MS);
  let output = '';
  child.stdout.on('data', (piece: Buffer) => {
    output += piece.toString();
    process.stdout.write(piece);
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  clearTimeout(timer);
  if (code !== 0) throw new Error(`the bench ${name} ended with ${code ?? signal}`);
  return output;
}

function write(name: string, report: string, machine: ReturnType<typeof machineFacts>): void {
  const takenAt = new Date().toISOString().slice(0, 10);
  const command = `npm run bench -- ${name}${values.long ? ' --long' : ''}`;
  const versions = { brain2: VERSION, sqlite: process.versions['sqlite'], ...peers() };
  const found = { name, takenAt, command, versions, machine, tables: tablesIn(report) };
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(join(RESULTS, `${name}.json`), `${JSON.stringify(found, undefined, 2)}\n`);
  const of = Object.entries(versions).map(([each, version]) => `${each} ${version}`);
  writeFileSync(
    join(RESULTS, `${name}.md`),
    `${report.trimEnd()}\n\nTaken on ${takenAt} with \`${command}\`: ${of.join(', ')}.\n`,
  );
}

/** The installed versions of what is measured or measured against. */
function peers(): Readonly<Record<string, string>> {
  const names = ['fastify', 'ws', 'minisearch', 'socket.io', 'piscina'];
  return Object.fromEntries(
    names.map((name) => {
      const manifest = join(import.meta.dirname, '../node_modules', name, 'package.json');
      return [name, (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version];
    }),
  );
}

/** The tables of a report, each row by the names of its columns. */
function tablesIn(report: string): readonly Readonly<Record<string, string>>[][] {
  const blocks = report
    .split(/\n(?!\|)/)
    .map((block) => block.split('\n').filter((line) => line.startsWith('|')));
  return blocks
    .filter((lines) => lines.length > 2)
    .map((lines) => {
      const [header = [], , ...rows] = lines.map((line) =>
        line
          .split('|')
          .slice(1, -1)
          .map((cell) => cell.trim()),
      );
      return rows.map((row) => Object.fromEntries(row.map((cell, at) => [header[at] || 'row', cell])));
    });
}
