#!/usr/bin/env node
// Runs the benches one by one: node bench/run.ts [--save]
// With --save the tables are written to bench/results/<date>.md, to be committed with what changed them.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { VERSION } from '../src/server/version.ts';

const BENCHES = ['import', 'create', 'bulk', 'search', 'restart', 'http', 'chain'] as const;

const { values } = parseArgs({ options: { save: { type: 'boolean', default: false } } });
const date = new Date().toISOString().slice(0, 10);
let report = `# Figures of ${date}, Brain2 ${VERSION}\n`;
for (const bench of BENCHES) {
  report += `\n${await outputOf(join(import.meta.dirname, `${bench}.bench.ts`))}`;
}
if (values.save) {
  const folder = join(import.meta.dirname, 'results');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${date}.md`), report);
}

/** Shows the output as it comes, and gives it. Throws when the bench fails. */
async function outputOf(script: string): Promise<string> {
  const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (piece: Buffer) => {
    output += piece.toString();
    process.stdout.write(piece);
  });
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${script} ended with ${code}`);
  return output;
}
