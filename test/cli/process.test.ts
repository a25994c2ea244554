import { createServer } from 'node:net';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { brain2, startServer } from './brain2.ts';

const root = mkdtempSync(join(tmpdir(), 'brain2-cli-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe('the command line', () => {
  it('explains itself and every command', async () => {
    const { code, stdout } = await brain2(['--help']);
    expect(code).toBe(0);
    for (const command of stdout.matchAll(/^  ([a-z]+) .*(?:\[options\]|<|\[)/gm)) {
      if (command[1] === 'help') continue;
      const help = await brain2([command[1] ?? '', '--help']);
      expect(help).toMatchObject({ code: 0, stderr: '' });
      expect(help.stdout).toContain('Examples:\n  $ ');
      expect(help.stdout).toContain('--json');
    }
    expect((await brain2(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it.each([
    [['serch', 'x'], 'Did you mean search?'],
    [['search', 'x', '--limt', '3'], 'Did you mean --limit?'],
    [['search', 'x', '--limit', 'many'], 'whole number from 1 to 100'],
    [['import'], 'missing required argument'],
    [['import', '.', '--categories', 'stars'], 'Allowed choices are folders, frontmatter, none'],
    [['export', '--format', 'markdown'], 'brain2 export DIR'],
  ])('ends with 2 for %j and says why', async (args, told) => {
    const { code, stdout, stderr } = await brain2(args, { data: join(root, 'none') });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(told);
  });

  it('ends with 2 for a wrong setting, naming it', async () => {
    const { code, stderr } = await brain2(['search', 'x'], {
      env: { BRAIN2_PROT: '1', BRAIN2_LOG_LEVEL: 'loud' },
    });
    expect(code).toBe(2);
    expect(stderr).toMatch(/BRAIN2_PROT is not a setting; did you mean BRAIN2_PORT\?/);
    expect(stderr).toContain('BRAIN2_LOG_LEVEL');
    expect((await brain2(['doctor'], { env: { BRAIN2_PROT: '1' } })).code).toBe(1);
  });

  it('tells errors as JSON on stderr with --json, and nothing on stdout', async () => {
    for (const [args, code] of [
      [['show', 'Nothing', '--json'], 'not_found'],
      [['import', join(root, 'nowhere'), '--json'], 'not_found'],
      [['add', '', '--json'], 'invalid'],
      [['search', '--json'], 'usage'],
      [['--json'], 'usage'],
      [['jobs', '--json'], 'usage'],
    ] as const) {
      const { stdout, stderr } = await brain2(args, { data: join(root, 'errors') });
      expect(stdout).toBe('');
      expect(JSON.parse(stderr)).toMatchObject({ error: { code } });
    }
  });

  it('makes no data folder to read from', async () => {
    const data = join(root, 'absent');
    expect(await brain2(['search', 'x'], { data })).toMatchObject({ code: 3, stdout: '' });
    expect((await brain2(['doctor'], { data })).stdout).toMatch(
      /warning +data folder +.* does not exist yet/,
    );
    const foreign = mkdtempSync(join(root, 'foreign-'));
    expect(await brain2(['search', 'x'], { data: foreign })).toMatchObject({ code: 3, stdout: '' });
    expect((await brain2(['doctor'], { data: foreign })).stdout).toMatch(
      /warning +data folder +.* has nothing stored/,
    );
    expect(readdirSync(foreign)).toEqual([]);
  });

  it('takes the text of a note from stdin', async () => {
    const data = join(root, 'stdin');
    const { stdout } = await brain2(['add', '--title', 'Piped', '--json'], { data, input: 'from a pipe\n' });
    expect(JSON.parse(stdout)).toMatchObject({ node: { title: 'Piped', content: 'from a pipe' }, links: [] });
  });

  it('refuses a data folder that cannot be written', { skip: process.getuid?.() === 0 }, async () => {
    const data = join(root, 'readonly');
    await brain2(['add', 'x'], { data });
    chmodSync(data, 0o500);
    expect((await brain2(['add', 'y'], { data })).code).toBe(1);
    chmodSync(data, 0o700);
  });
});

describe('serve', () => {
  it('prints the banner, takes the next free port, and stops on a signal', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const data = join(root, 'served');
    const server = await startServer(data, ['--port', String(port)]);
    expect(new URL(server.url).port).not.toBe(String(port));
    const second = await brain2(['serve'], { data });
    expect(second.code).toBe(4);
    expect(second.stderr).toContain(server.url);
    expect(await server.stop('SIGINT')).toBe(0);
    taken.close();
    const banner = server.banner();
    expect(banner).toContain(`Port ${port} is taken`);
    expect(banner).toMatch(/brain2 \d+\.\d+\.\d+ +data .*served \(new\) +store sqlite +127\.0\.0\.1:\d+/);
    expect(banner).toContain(`API     ${server.url}/api/v2`);
    expect(banner).toMatch(/Your graph is empty\. Next: .*brain2 .*demo {2}\| .*brain2 .*import ~\/notes/);
  });
});
