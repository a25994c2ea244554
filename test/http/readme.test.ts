import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { serveBrain } from './server.ts';

const README = new URL('../../README.md', import.meta.url);
const STANDARD = 'http://127.0.0.1:4321';
const run = promisify(execFile);

/** The blocks of the README that call the API, each a script as one pastes it. */
async function pasted(): Promise<readonly string[]> {
  const blocks = (await readFile(README, 'utf8')).matchAll(/^```\n([^]*?)^```$/gm);
  return [...blocks].map(([, text = '']) => text).filter((text) => text.startsWith('curl'));
}

it('the lines of the README work as they are pasted, and those of v1 show what becomes of it', async () => {
  const { url } = await serveBrain();
  const [inV2 = '', inBoth = '', ...more] = await pasted();
  expect(more).toEqual([]);
  const of = async (script: string) => (await run('sh', ['-ec', script.replaceAll(STANDARD, url)])).stdout;
  const told = await of(inV2);
  expect(told.match(/"title":"Sleep"/g)?.length).toBeGreaterThan(2);
  expect(told).toMatch(/"snippet":.*"epoch":.*"node\.created"/s);
  const [v1 = '', v2 = ''] = (await of(inBoth)).split(/(?=HTTP\/1\.1 )/);
  expect(v1).toMatch(/^HTTP\/1\.1 200 OK/);
  expect(v1).toMatch(/^api-version: 1\r?$/m);
  expect(v1).toMatch(/^deprecation: @\d+\r?$/m);
  expect(v1).toMatch(/^sunset: .*GMT\r?$/m);
  expect(v1).toMatch(/^link: .*rel="deprecation".*<\/api\/v2\/nodes>; rel="successor-version"\r?$/m);
  expect(v2).toMatch(/^HTTP\/1\.1 200 OK/);
  expect(v2).toMatch(/^api-version: 2\r?$/m);
  expect(v2).toMatch(/^content-type: application\/vnd\.brain2\.v2\+json/m);
  expect(v2).not.toMatch(/^deprecation:/m);
});
