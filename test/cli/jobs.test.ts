import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import yazl from 'yazl';
import { afterAll, expect, it, onTestFinished } from 'vitest';
import { connectBrain } from '../../src/client/client.ts';
import { brain2, startServer } from './brain2.ts';

const data = mkdtempSync(join(tmpdir(), 'brain2-jobs-'));
afterAll(() => rmSync(data, { recursive: true, force: true }));

it('shows what became of an import, what was kept out and what is not as it should be', async () => {
  const zip = new yazl.ZipFile();
  const files = { 'a.md': 'See\n[[nowhere]].', 'b.md': '\0', 'c.md': 'tea' };
  for (const [path, content] of Object.entries(files)) zip.addBuffer(Buffer.from(content), path);
  zip.end();
  const server = await startServer(data);
  onTestFinished(async () => void (await server.stop()));
  const { http } = connectBrain({ url: server.url });
  const sent = await http.imports.create(
    { zip: zip.outputStream as AsyncIterable<Buffer> },
    { collection: 'v' },
  );
  await http.jobs.wait(sent.id);
  await brain2(['export'], { data });
  const list = (await brain2(['jobs', 'list'], { data })).stdout.replaceAll(
    /[0-9a-f-]{36}  [\d-]{10} [\d:]{5}  /g,
    '',
  );
  expect(list).toBe('export as ndjson: done, 2 of 2\nimport of v: done, 3 of 3, 1 failed\n');
  const { code, stdout } = await brain2(['jobs', 'show', sent.id], { data });
  expect(code).toBe(5);
  expect(stdout.split('\n').slice(-3, -1)).toEqual([
    'not imported: v/b.md  not text: a NUL byte at 0',
    'warning: v/a.md:2  no note answers to the link "nowhere"',
  ]);
  expect(JSON.parse((await brain2(['jobs', 'show', sent.id, '--json'], { data })).stdout)).toMatchObject({
    failedItems: [{ key: 'v/b.md' }],
    warnedItems: [{ key: 'v/a.md', details: { warnings: [{ code: 'broken_link', line: 2 }] } }],
  });
});
