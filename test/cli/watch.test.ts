import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, describe, expect, it } from 'vitest';
import { brain2, MAIN, startServer } from './brain2.ts';

const root = mkdtempSync(join(tmpdir(), 'brain2-watch-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** `brain2 watch` as a process of its own, line by line. */
function watch(data: string, args: readonly string[]) {
  const env = { ...process.env, NO_COLOR: '1', BRAIN2_DATA_DIR: data };
  const child = spawn(process.execPath, [MAIN, 'watch', ...args], { env });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    line: async () => (await lines.next()).value as string,
    async stop(): Promise<number | null> {
      const ended = once(child, 'close');
      child.kill('SIGINT');
      await ended;
      return child.exitCode;
    },
  };
}

describe('brain2 watch', () => {
  it('prints what was and what happens, a line each, until Ctrl-C', async () => {
    const data = join(root, 'lines');
    const server = await startServer(data);
    await brain2(['add', '--title', 'Sleep', 'eight hours'], { data });
    const watching = watch(data, ['--since', 'start']);
    expect(await watching.line()).toMatch(/^ +1 {2}\d\d:\d\d:\d\d {2}node\.created +[0-9a-f-]{36} {2}Sleep$/);
    await brain2(['add', '--title', 'Tea', 'at five'], { data });
    expect(await watching.line()).toMatch(/^ +2 .*Tea$/);
    expect(await watching.stop()).toBe(0);
    await server.stop();
  });

  it('goes on where it was when its server was killed, and leaves out nothing that happened meanwhile', async () => {
    const data = join(root, 'killed');
    const first = await startServer(data);
    await brain2(['add', '--title', 'Before', 'the flood'], { data });
    const watching = watch(data, ['--json', '--since', 'start', '--types', 'node.created']);
    const titleOf = async () =>
      (JSON.parse(await watching.line()) as { data: { node: { title: string } } }).data.node.title;
    expect(await titleOf()).toBe('Before');
    await first.stop('SIGKILL');
    await brain2(['add', '--title', 'Meanwhile', 'nobody served'], { data });
    const second = await startServer(data, [], { BRAIN2_PORT: new URL(first.url).port });
    await brain2(['add', '--title', 'After', 'it was there again'], { data });
    expect([await titleOf(), await titleOf()]).toEqual(['Meanwhile', 'After']);
    expect(await watching.stop()).toBe(0);
    await second.stop();
  });

  it('prints one JSON document a line with --json, of the types that are asked for', async () => {
    const data = join(root, 'json');
    const server = await startServer(data);
    await brain2(['add', 'melatonin and the circadian clock'], { data });
    await brain2(['add', 'the circadian clock and melatonin'], { data });
    const watching = watch(data, ['--since', '0', '--json', '--types', 'edge.*,node.deleted']);
    expect(JSON.parse(await watching.line())).toMatchObject({ type: 'edge.created', seq: 3, version: 1 });
    expect(await watching.stop()).toBe(0);
    await server.stop();
  });

  it('says what to start where no server runs, and what is wrong with a type or a position', async () => {
    const data = join(root, 'none');
    const none = await brain2(['watch'], { data });
    expect([none.code, none.stderr]).toEqual([1, expect.stringContaining('brain2 serve')]);
    const server = await startServer(data);
    const type = await brain2(['watch', '--types', 'node.made'], { data });
    expect([type.code, type.stderr]).toEqual([
      2,
      expect.stringContaining('no event is of the type node.made'),
    ]);
    const since = await brain2(['watch', '--since', 'yesterday'], { data });
    expect([since.code, since.stderr]).toEqual([2, expect.stringContaining('not "yesterday"')]);
    await server.stop();
  });
});
