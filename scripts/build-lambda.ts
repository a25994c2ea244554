// Makes dist/lambda/<function>/, each folder one function as AWS takes it: npm run build:lambda
// One module a function, all it imports in it, minified, for Node 24 on arm64.
import { cpSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { build, type Plugin } from 'esbuild';

const root = join(import.meta.dirname, '..');
const out = join(root, 'dist', 'lambda');
const ENTRIES = globSync('src/aws/*-entry.ts', { cwd: root }).toSorted();
/** Read at run time by the pages of docs, as they lie in the clone. */
const READ_BY_HTTP = ['docs', 'src/http/docs/assets'];
/** Loaded only by settings that a function does not take: an exporter of traces, pretty logs, metrics for a scraper. */
const LEFT_OUT = ['@opentelemetry/*', 'pino-pretty', 'prom-client'];

/** A module that asks for its own place is told the one that it has in the clone, below the folder of the function. */
const places: Plugin = {
  name: 'places',
  setup({ onLoad }) {
    onLoad({ filter: /[/\\]src[/\\].*\.ts$/ }, ({ path }) => {
      const place = `new URL(${JSON.stringify(relative(root, path))}, import.meta.url).href`;
      return { contents: readFileSync(path, 'utf8').replaceAll('import.meta.url', place), loader: 'ts' };
    });
  },
};

/** Packages that are not modules ask for `require`. */
const REQUIRE =
  "import { createRequire as _require } from 'node:module'; const require = _require(import.meta.url);";

rmSync(out, { recursive: true, force: true });
for (const entry of ENTRIES) {
  const name = basename(entry, '-entry.ts');
  const folder = join(out, name);
  const { metafile } = await build({
    entryPoints: [join(root, entry)],
    outdir: folder,
    entryNames: 'index',
    outExtension: { '.js': '.mjs' },
    chunkNames: 'chunk-[hash]',
    bundle: true,
    splitting: true, // what is imported when it is needed stays a file of its own, which a start does not read
    minify: true,
    keepNames: true, // errors are known by them
    sourcemap: 'linked',
    sourcesContent: false,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    conditions: ['module', 'import', 'node'],
    external: LEFT_OUT,
    banner: { js: REQUIRE },
    plugins: [places],
    metafile: true,
    logLevel: 'warning',
    legalComments: 'none',
  });
  if (name === 'http')
    for (const path of READ_BY_HTTP) cpSync(join(root, path), join(folder, path), { recursive: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}\n');
  const bytes = Object.entries(metafile.outputs)
    .filter(([path]) => path.endsWith('.mjs'))
    .reduce((sum, [, output]) => sum + output.bytes, 0);
  console.log(`${name}: ${Math.round(bytes / 1024)} KB`);
}
