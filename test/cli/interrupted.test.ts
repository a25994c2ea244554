import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Job } from '../../src/api/v2-jobs.ts';
import { brain2, start, startServer, type Ended } from './brain2.ts';

// Enough that no command is done before the signal comes, which is sent as soon as its work is seen.
const NOTES = 1_500;
const WORDS = 'melatonin circadian clock light evening sleep dark morning tide moon bread oven'.split(' ');

const root = mkdtempSync(join(tmpdir(), 'brain2-interrupted-'));
const data = join(root, 'data');
beforeAll(async () => {
  const lines = Array.from({ length: NOTES }, (_, at) => {
    const words = Array.from(
      { length: 300 },
      (_word, place) => WORDS[(at * 7 + place * place) % WORDS.length],
    );
    return JSON.stringify({ id: `n${at}`, title: `Note ${at}`, text: `${words.join(' ')} w${at % 90}` });
  });
  writeFileSync(join(root, 'notes.ndjson'), lines.join('\n'));
  await brain2(['import', join(root, 'notes.ndjson')], { data });
}, 60_000);
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Sends Ctrl-C to a command once its work is under way. */
async function interrupted(
  args: readonly string[],
  isUnderWay: () => boolean | Promise<boolean>,
): Promise<Ended> {
  const child = start(args, { data });
  const said = Promise.all([text(child.stdout!), text(child.stderr!)]);
  while (child.exitCode === null && !(await isUnderWay())) await turn();
  child.kill('SIGINT');
  const [stdout, stderr] = await said;
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return { code: child.exitCode, stdout, stderr };
}

async function jobs(): Promise<readonly Job[]> {
  const { stdout } = await brain2(['jobs', 'list', '--json'], { data });
  return (JSON.parse(stdout) as { readonly items: readonly Job[] }).items;
}

const blobs = join(data, 'blobs', 'local');
const blobsThere = (): number => (existsSync(blobs) ? readdirSync(blobs).length : 0);

describe('Ctrl-C', () => {
  it.each(['out.ndjson', 'out.zip'])('leaves nothing of an export to %s, and no job', async (name) => {
    const before = blobsThere();
    const ended = await interrupted(['export', join(root, name)], () => blobsThere() > before);
    expect(ended).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('stopped') as string,
    });
    expect(readdirSync(root).filter((file) => file.startsWith('out'))).toEqual([]);
    expect((await jobs()).filter(({ endedAt }) => endedAt === null)).toEqual([]);
  });

  it('ends a relink that works on the store itself, and the next one is not in its way', async () => {
    const wal = join(data, 'brain2.sqlite-wal');
    const ended = await interrupted(['relink', '--apply'], () => existsSync(wal));
    expect(ended).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('stopped') as string,
    });
    expect((await jobs()).filter(({ endedAt }) => endedAt === null)).toEqual([]);
    expect(await brain2(['relink'], { data })).toMatchObject({ code: 0 });
  });

  it('leaves a relink to the server that runs it, and says where to see it', async () => {
    const server = await startServer(data);
    onTestFinished(async () => void (await server.stop()));
    const running = async () => {
      const answer = await fetch(`${server.url}/api/v2/jobs?kind=relink&status=running`);
      return ((await answer.json()) as { readonly items: readonly Job[] }).items.length > 0;
    };
    const ended = await interrupted(['relink'], running);
    const [job] = await jobs();
    expect(ended).toMatchObject({ code: 1, stdout: '' });
    expect(ended.stderr).toContain(`npx brain2 --data ${data} jobs show ${job?.id}`);
    expect(job).toMatchObject({ kind: 'relink', cancelling: false });
  });

  it('leaves no part of a backup', async () => {
    const path = join(root, 'backup.sqlite');
    const ended = await interrupted(['backup', path], () => existsSync(`${path}.partial`));
    expect(ended).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('stopped') as string,
    });
    expect(readdirSync(root).filter((file) => file.includes('.partial'))).toEqual([]);
  });
});
