import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** `npm run check:engines`: runs the suite on every engine, and prints which rules hold on which, as Markdown. */

interface Report {
  readonly testResults: readonly {
    readonly assertionResults: readonly {
      readonly ancestorTitles: readonly string[];
      readonly title: string;
      readonly status: string;
    }[];
  }[];
}

const FILES = ['test/conformance', 'test/faults/dynamodb-conformance'];
/** Such as `the table on SQLite`. */
const SUITE = / on (.*)$/;

async function run(): Promise<Report> {
  const folder = mkdtempSync(join(tmpdir(), 'brain2-engines-'));
  const file = join(folder, 'report.json');
  const reporters = ['--reporter=json', `--outputFile.json=${file}`];
  const vitest = spawn('vitest', ['run', ...FILES, ...reporters], { stdio: ['ignore', 'ignore', 'inherit'] });
  await once(vitest, 'exit');
  const report = JSON.parse(readFileSync(file, 'utf8')) as Report;
  rmSync(folder, { recursive: true });
  return report;
}

/** Rule → engine → how many of its tests passed, and how many there are. */
const held = new Map<string, Map<string, { passed: number; all: number }>>();
const engines = new Set<string>();
for (const { ancestorTitles, title, status } of (await run()).testResults.flatMap(
  (file) => file.assertionResults,
)) {
  const engine = SUITE.exec(ancestorTitles[0] ?? '')?.[1];
  const rules = /^\[([^\]]+)\]/.exec(title)?.[1]?.split(' ');
  if (engine === undefined || !rules) continue;
  engines.add(engine);
  for (const rule of rules) {
    const byEngine = held.get(rule) ?? new Map<string, { passed: number; all: number }>();
    const { passed, all } = byEngine.get(engine) ?? { passed: 0, all: 0 };
    byEngine.set(engine, { passed: passed + Number(status === 'passed'), all: all + 1 });
    held.set(rule, byEngine);
  }
}

const names = [...engines].toSorted();
const numberOf = (rule: string): number => Number(rule.slice(2));
console.log(`| rule | ${names.join(' | ')} |\n|---|${'---|'.repeat(names.length)}`);
let failed = 0;
for (const rule of [...held.keys()].toSorted((a, b) => numberOf(a) - numberOf(b))) {
  const cells = names.map((engine) => {
    const { passed, all } = held.get(rule)?.get(engine) ?? { passed: 0, all: 0 };
    failed += all - passed;
    return all === 0 ? '–' : passed === all ? `${all} ✓` : `**${passed} of ${all}**`;
  });
  console.log(`| ${rule} | ${cells.join(' | ')} |`);
}
process.exitCode = failed === 0 && names.length > 0 ? 0 : 1;
