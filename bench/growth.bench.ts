#!/usr/bin/env node
// node bench/growth.bench.ts [--most N]   up to 10,000 notes; with BRAIN2_BENCH_LONG up to 100,000
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ms, numbers, table } from './figures.ts';
import type { Part } from './growth-size.ts';
import { machine } from './machine.ts';
import { run, temporaryFolder } from './processes.ts';

const SIZES = [1_000, 3_000, 10_000, 30_000, 100_000];
const ONE_SIZE = fileURLToPath(new URL('./growth-size.ts', import.meta.url));
/** Asked of it: all that is done once a note together. */
const GOAL_EXPONENT = 1.15;

const { most } = numbers({ most: process.env['BRAIN2_BENCH_LONG'] === undefined ? 10_000 : 100_000 });
const folder = temporaryFolder();

console.log(`## Growth\n\n${machine()}\n`);
console.log(
  'Graphs of rising size, without HTTP: all of its notes imported and linked in one process, then opened and asked in ' +
    'another; restart is until the first search is answered, with the loading of the program. The exponent is that of the power of n that fits the column best: 0 does not grow, 1 grows as the ' +
    `notes do, 2 is that of all pairs. What is done for all notes is to stay below ${GOAL_EXPONENT}.\n`,
);

interface Size extends Part {
  readonly notes: number;
  /** Of the import. */
  readonly peakRssMb: number;
}

const sizes: Size[] = [];
for (const notes of SIZES.filter((each) => each <= most)) {
  const part = async (name: 'build' | 'ask') => {
    const { stdout, peakRssMb } = await run(folder, ONE_SIZE, [
      join(folder, `data-${notes}`),
      String(notes),
      name,
    ]);
    return { ...(JSON.parse(stdout) as Part), peakRssMb };
  };
  const [built, asked] = [await part('build'), await part('ask')];
  sizes.push({ ...asked, notes, peakRssMb: built.peakRssMb, ms: { ...built.ms, ...asked.ms } });
}

const names = Object.keys(sizes[0]?.ms ?? {});
const row = (name: string, of: (size: (typeof sizes)[number]) => number): (string | number)[] => [
  name,
  ...sizes.map((size) => ms(of(size))),
  exponent(sizes.map((size) => [size.notes, of(size)])),
];
console.log(
  table(
    ['', ...sizes.map(({ notes }) => `${notes} notes`), 'exponent'],
    [
      ...names.map((name) => row(`${name}, ms`, (size) => size.ms[name] ?? NaN)),
      row('import, ms a note', (size) => (size.ms['import'] ?? NaN) / size.notes),
      row('edges', (size) => size.edges),
      row('memory when open, MB', (size) => size.rssMb),
      row('peak memory of the import, MB', (size) => size.peakRssMb),
    ],
  ),
);
const [first, last] = [sizes[0], sizes.at(-1)];
if (first && last && first !== last) {
  const perNote = ((last.rssMb - first.rssMb) * 1_024) / (last.notes - first.notes);
  console.log(`\nMemory of an open graph a note, from the first size to the last: ${perNote.toFixed(1)} KB.`);
}

/** The slope of the line through the logarithms, by least squares. */
function exponent(points: readonly (readonly [number, number])[]): string {
  if (points.length < 2) return '';
  const logs = points.map(([x, y]) => [Math.log(x), Math.log(y)] as const);
  const mean = (at: 0 | 1): number => logs.reduce((sum, log) => sum + log[at], 0) / logs.length;
  const [meanX, meanY] = [mean(0), mean(1)];
  const slope =
    logs.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0) /
    logs.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  return slope.toFixed(2);
}
