// Makes dist/, which is the package as it is published: npm run build
// Node does not strip types below node_modules, so what is installed has to be JavaScript; the clone runs as it stands.
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');
const COPIED = ['demo', 'docs', 'README.md', 'LICENSE', 'CHANGELOG.md'];

interface Manifest {
  readonly bin: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

/** The same without what is of the clone alone, and with what is started and imported named as it is built. */
function published(manifest: Manifest): object {
  const {
    private: _private,
    scripts: _scripts,
    devDependencies: _dev,
    allowScripts: _allow,
    ...kept
  } = manifest;
  const built = (path: string) => path.replace(/\.ts$/, '.js');
  return {
    ...kept,
    bin: Object.fromEntries(Object.entries(manifest.bin).map(([name, path]) => [name, built(path)])),
    exports: Object.fromEntries(
      Object.entries(manifest.exports).map(([name, path]) => [
        name,
        path.endsWith('.ts') ? { types: path.replace(/\.ts$/, '.d.ts'), default: built(path) } : path,
      ]),
    ),
  };
}

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest;
rmSync(dist, { recursive: true, force: true });
const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');
execFileSync(process.execPath, [tsc, '-p', join(root, 'tsconfig.build.json')], { stdio: 'inherit' });
for (const path of COPIED) cpSync(join(root, path), join(dist, path), { recursive: true });
const publishedManifest = published(manifest);
writeFileSync(join(dist, 'package.json'), `${JSON.stringify(publishedManifest, undefined, 2)}\n`);
chmodSync(join(dist, manifest.bin['brain2']!.replace(/\.ts$/, '.js')), 0o755);
