import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import type { LinkerRun } from '../../src/api/v2-linker.ts';
import { brain2, startServer } from './brain2.ts';

const data = mkdtempSync(join(tmpdir(), 'brain2-relink-'));
afterAll(() => rmSync(data, { recursive: true, force: true }));

const NOTES = [
  ['Sleep', 'Melatonin tells the circadian clock that it is dark.'],
  ['Light', 'Blue light in the evening holds melatonin back and shifts the circadian clock.'],
  ['Bread', 'Flour, water, salt and a sourdough starter; steam in the oven.'],
  ['Oven', 'Steam in the oven makes the crust of a sourdough bread.'],
  ['Night', 'At night the circadian clock lets melatonin rise, and sleep follows.'],
] as const;

it('says what would change, applies it, and takes it back, without a server and beside one', async () => {
  for (const [title, text] of NOTES) await brain2(['add', '--title', title, text], { data });
  const dry = await brain2(['relink'], { data });
  expect(dry.code).toBe(0);
  expect(dry.stdout).toMatch(/^ +\d+ would be added\n/);
  expect(dry.stdout).toMatch(/\n +\d+ stay as they are\n$/);
  const plan = JSON.parse((await brain2(['relink', '--json'], { data })).stdout) as LinkerRun;
  const server = await startServer(data);
  const applied = await brain2(['relink', '--apply', plan.id, '--json'], { data });
  const run = JSON.parse(applied.stdout) as LinkerRun;
  const { added, removed, changed } = plan.result!;
  expect(run).toMatchObject({
    of: plan.id,
    status: 'done',
    result: { added, removed, changed, otherwise: 0 },
  });
  const back = await brain2(['relink', '--revert', run.id], { data });
  expect(back).toMatchObject({ code: 0, stdout: expect.stringContaining('taken away') as string });
  expect(await brain2(['relink', '--revert', run.id], { data })).toMatchObject({ code: 4 });
  expect(await brain2(['relink', '--dry-run', '--apply'], { data })).toMatchObject({ code: 2 });
  await server.stop();
});
