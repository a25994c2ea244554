import { execFile } from 'node:child_process';
import { globSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { VERSION } from '../../src/server/version.ts';
import { listeningBrain } from '../realtime/server.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'brain2-package-'));
const installed = join(folder, 'node_modules/brain2');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

beforeAll(async () => {
  await run(process.execPath, [join(root, 'scripts/build-package.ts')]);
  const { stdout } = await run('npm', ['pack', './dist', '--json', '--pack-destination', folder], {
    cwd: root,
  });
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
  mkdirSync(installed, { recursive: true });
  // As npm lays it out, without a registry: dependencies of the clone stand in for those that npm would install.
  await run('tar', ['-xzf', join(folder, filename), '-C', installed, '--strip-components=1']);
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  for (const name of ['commander', 'typebox'])
    symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name));
});

test('what is packed can be imported where it is installed: brain2/client, without a dependency', async () => {
  const { client, url } = await listeningBrain();
  await client.create({ title: 'before' });
  writeFileSync(
    join(folder, 'use.js'),
    `import { connectBrain, ApiError, RealtimeError } from 'brain2/client';
     const brain = connectBrain({ url: ${JSON.stringify(url)} });
     for await (const item of brain.events({ from: { epoch: '', seq: 0 } })) {
       console.log(JSON.stringify([item.kind, item.event.type, item.position.seq]));
       if (item.position.seq === 1) await brain.http.nodes.create({ content: 'after' });
       if (item.position.seq === 2) break;
     }
     const failed = await brain.http.nodes.get('nothing').catch((error) => error instanceof ApiError);
     console.log(JSON.stringify(failed));
     process.exit();`,
  );
  const { stdout } = await run(process.execPath, [join(folder, 'use.js')], { cwd: folder });
  expect(
    stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown),
  ).toEqual([['event', 'node.created', 1], ['event', 'node.created', 2], true]);
});

test('the types of brain2/client are those of the clone', async () => {
  writeFileSync(
    join(folder, 'typed.ts'),
    `import { connectBrain, type RealtimeItem } from 'brain2/client';
     const brain = connectBrain({ url: 'http://127.0.0.1:4321' });
     export const items: AsyncIterable<RealtimeItem<{ epoch: string; seq: number }>> = brain.events();
     // @ts-expect-error a filter has no such part
     brain.events({ filter: { type: 'node.*' } });`,
  );
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const options = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', '--target', 'es2024'];
  const types = ['--types', 'node', '--typeRoots', join(root, 'node_modules/@types')];
  const paths = [join(folder, 'typed.ts')];
  const { stdout } = await run(process.execPath, [tsc, ...options, ...types, ...paths], { cwd: folder });
  expect(stdout).toBe('');
});

test('the notes of the demo come with it', () => {
  const paths = (folder: string) => globSync('**/*.md', { cwd: join(folder, 'demo') }).toSorted();
  expect(paths(installed)).toEqual(paths(root));
  expect(paths(installed).length).toBeGreaterThan(100);
});

test('its command runs, with the dependencies beside it', async () => {
  const main = join(installed, 'src/cli/main.js');
  const { stdout } = await run(process.execPath, [main, '--version']);
  expect(stdout.trim()).toBe(VERSION);
});
