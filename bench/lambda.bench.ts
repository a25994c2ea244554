#!/usr/bin/env node
// node bench/lambda.bench.ts [--repeats N] [--notes N]
// What a cold start costs: the functions as `npm run build:lambda` makes them, and the index of an owner from its snapshot.
import { execFileSync } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { LinkIndex } from '../src/linking/link-index.ts';
import { startDynamo } from '../test/support/dynamo.ts';
import { median, numbers, table } from './figures.ts';
import { machine } from './machine.ts';
import { syntheticVault } from './make-vault.ts';

const FUNCTIONS = ['http', 'socket', 'outbox', 'repair', 'beat', 'upkeep', 'jobs'];
const { repeats, notes } = numbers({ repeats: 7, notes: 50_000 });
const folder = join(import.meta.dirname, '..', 'dist', 'lambda');
if (!existsSync(folder)) throw new Error('make the functions first: npm run build:lambda');

const dynamo = await startDynamo();
const env = {
  AWS_ENDPOINT_URL_DYNAMODB: dynamo.endpoint,
  AWS_REGION: 'eu-west-1',
  AWS_ACCESS_KEY_ID: 'bench',
  AWS_SECRET_ACCESS_KEY: 'bench',
  BRAIN2_TABLE: await dynamo.newTable(),
  BRAIN2_AUTH: 'token',
  BRAIN2_EVENT_BUS: 'bus',
  BRAIN2_SOCKET_ENDPOINT: 'http://127.0.0.1:9/test',
  BRAIN2_SNAPSHOT_BUCKET: 'bucket',
};

console.log(`## Functions\n\n${machine()}\n`);
console.log(
  `The module of each is imported by a fresh process, ${repeats} times: until its handler is there, and the processor's ` +
    'time for that. The floor is an empty module. Sizes are of what a start reads and of all that is uploaded, without source maps.\n',
);
const rows = [['floor', ...startOf('data:text/javascript,'), '', ''], ...FUNCTIONS.map(rowOf)];
await dynamo.stop();
console.log(table(['function', 'start, ms', 'CPU, ms', 'index.mjs, KB', 'all, KB'], rows));

console.log(
  "\nThe index of an owner: its snapshot, and the processor's time until it can be asked. Memory is the most that a " +
    'process of its own has held, once it has opened the snapshot, and once it has packed it again as upkeep does; the ' +
    `floor, which has read the code alone, holds ${peakMb(memoryScript('')).toFixed(0)} MB.\n`,
);
const sizes = [1_000, 10_000, 50_000].filter((count) => count <= notes);
console.log(
  table(
    [
      'notes',
      'snapshot, MB',
      'zstd, MB',
      'pack, ms',
      'unpack, ms',
      'open, ms',
      'made anew, ms',
      'opened, MB of memory',
      'packed again, MB of memory',
    ],
    sizes.map(indexRow),
  ),
);

function rowOf(name: string): (string | number)[] {
  const files = globSync(join(folder, name, '*.mjs'));
  const kb = (paths: readonly string[]) =>
    Math.round(paths.reduce((sum, path) => sum + statSync(path).size, 0) / 1024);
  const entry = join(folder, name, 'index.mjs');
  return [name, ...startOf(entry), kb([entry]), kb(files)];
}

function startOf(entry: string): readonly string[] {
  const script = `const before = performance.now(); const cpu = process.cpuUsage(); await import(${JSON.stringify(entry)});
    const { user, system } = process.cpuUsage(cpu);
    console.log(JSON.stringify([performance.now() - before, (user + system) / 1000])); process.exit();`;
  const runs = Array.from(
    { length: repeats },
    () =>
      JSON.parse(
        execFileSync(process.execPath, ['--input-type=module', '-e', script], { env }).toString(),
      ) as [number, number],
  );
  return [median(runs.map(([wall]) => wall)), median(runs.map(([, cpu]) => cpu))];
}

function indexRow(count: number): (string | number)[] {
  const index = new LinkIndex();
  const filled = timed(() => {
    for (const [at, { title, text, tags }] of syntheticVault(count).notes.entries())
      index.put({ id: String(at), title, aliases: [], tags, text, version: 1 });
  });
  const bytes = index.serialize();
  const packed = timed(() => zstdCompressSync(bytes));
  const unpacked = timed(() => new Uint8Array(zstdDecompressSync(packed.value)));
  const opened = timed(() => LinkIndex.deserialize(unpacked.value));
  const mb = (length: number) => (length / 2 ** 20).toFixed(1);
  const times = [packed, unpacked, opened, filled].map(({ ms }) => ms.toFixed(0));
  const scratch = mkdtempSync(join(tmpdir(), 'brain2-bench-'));
  const file = join(scratch, 'index.zst');
  writeFileSync(file, packed.value);
  const memory = [
    openScript(file),
    `${openScript(file)} zstdCompressSync(Buffer.concat([index.serialize()]));`,
  ];
  const peaks = memory.map((script) => peakMb(memoryScript(script)).toFixed(0));
  rmSync(scratch, { recursive: true });
  return [count, mb(bytes.length), mb(packed.value.length), ...times, ...peaks];
}

/** As `src/aws/snapshot-bucket.ts` reads it. */
function openScript(file: string): string {
  return `const index = LinkIndex.deserialize(new Uint8Array(zstdDecompressSync(readFileSync(${JSON.stringify(file)}))));`;
}

function memoryScript(work: string): string {
  const module = join(import.meta.dirname, '..', 'src', 'linking', 'link-index.ts');
  return `import { readFileSync } from 'node:fs'; import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
    import { LinkIndex } from ${JSON.stringify(module)};
    ${work} console.log(process.resourceUsage().maxRSS);`;
}

function peakMb(script: string): number {
  return Number(execFileSync(process.execPath, ['--input-type=module', '-e', script])) / 1_024;
}

function timed<T>(work: () => T): { readonly value: T; readonly ms: number } {
  const before = process.cpuUsage();
  const value = work();
  const { user, system } = process.cpuUsage(before);
  return { value, ms: (user + system) / 1000 };
}
