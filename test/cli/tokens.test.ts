import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { NewToken, Token } from '../../src/api/v2-tokens.ts';
import { brain2, startServer } from './brain2.ts';

const root = mkdtempSync(join(tmpdir(), 'brain2-tokens-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const env = { BRAIN2_AUTH: 'token' };

describe('brain2 token', () => {
  it('makes, lists and revokes beside a running server and without one, with the same outcome', async () => {
    const data = join(root, 'both');
    const alone = await brain2(['token', 'create', '--owner', 'ada', '--scope', 'admin'], { data, env });
    expect([alone.code, alone.stdout]).toEqual([0, expect.stringMatching(/^b2t_[\w-]{43}\n$/)]);
    expect(alone.stderr).toMatch(/^Token [0-9a-f-]{36} for ada: cli, admin, until \d{4}-\d\d-\d\d\n/);
    const server = await startServer(data, [], env);
    try {
      expect(statSync(join(data, 'operator.key')).mode & 0o777).toBe(0o600);
      const args = ['token', 'create', '--owner', 'ada', '--name', 'phone', '--expires', 'never', '--json'];
      const beside = JSON.parse((await brain2(args, { data })).stdout) as NewToken;
      expect(beside).toMatchObject({
        owner: 'ada',
        name: 'phone',
        scopes: ['write'],
        expiresAt: null,
      });
      const statusOf = async (secret: string | null) =>
        (await fetch(`${server.url}/api/v2/graph`, { headers: { authorization: `Bearer ${secret}` } }))
          .status;
      expect([
        await statusOf(alone.stdout.trim()),
        await statusOf(beside.secret),
        await statusOf('x'),
      ]).toEqual([200, 200, 401]);
      const listed = JSON.parse(
        (await brain2(['token', 'list', '--owner', 'ada', '--json'], { data })).stdout,
      ) as { items: Token[] };
      expect(listed.items.map(({ name }) => name).sort()).toEqual(['cli', 'phone']);
      expect(JSON.stringify(listed)).not.toContain('b2t_');
      expect((await brain2(['token', 'revoke', beside.id, '--owner', 'ada'], { data })).code).toBe(0);
      expect([await statusOf(alone.stdout.trim()), await statusOf(beside.secret)]).toEqual([200, 401]);
      expect((await brain2(['token', 'revoke', beside.id, '--owner', 'ada'], { data })).code).toBe(3);
      expect((await brain2(['token', 'list', '--owner', 'bob'], { data })).stderr).toBe(
        'bob has no token.\n',
      );
    } finally {
      await server.stop();
    }
    expect(existsSync(join(data, 'operator.key'))).toBe(false);
    const left = await brain2(['token', 'list', '--owner', 'ada'], { data, env });
    expect(left.stdout).toMatch(/^[0-9a-f-]{36}  cli, admin, until [\d-]+\n$/);
  });

  it('gives the token with which every command works, and without which none does', async () => {
    const data = join(root, 'commands');
    const secret = (await brain2(['token', 'create', '--owner', 'ada'], { data, env })).stdout.trim();
    const withToken = { data, env: { ...env, BRAIN2_TOKEN: secret } };
    const refused = await brain2(['add', 'a thought'], { data, env });
    expect([refused.code, refused.stdout]).toEqual([1, '']);
    expect(refused.stderr).toContain('Set BRAIN2_TOKEN, or give --token; `brain2 token create` makes one.');
    expect((await brain2(['add', '--title', 'Alone', 'a thought'], withToken)).code).toBe(0);
    const server = await startServer(data, [], env);
    try {
      expect(server.banner()).toMatch(/Auth +token/);
      expect((await brain2(['search', 'thought'], { data })).code).toBe(1);
      expect((await brain2(['search', 'thought', '--token', secret], { data })).stdout).toContain('Alone');
      const doctor = await brain2(['doctor', '--json'], withToken);
      expect([doctor.code, doctor.stdout.includes(secret), doctor.stdout.includes('(hidden)')]).toEqual([
        0,
        false,
        true,
      ]);
    } finally {
      await server.stop();
    }
  });

  it.each([
    [['token', 'create', '--scope', 'all'], 'Allowed choices are read, write, admin'],
    [['token', 'create', '--expires', '0'], 'number of days, or never'],
    [['token', 'create', '--owner', 'a#b'], 'an owner is 1 to 128'],
    [['token', 'revoke'], 'missing required argument'],
  ])('refuses %j and says why', async (args, told) => {
    const { code, stderr } = await brain2(args, { data: join(root, 'refused'), env });
    expect([code, stderr]).toEqual([2, expect.stringContaining(told)]);
  });
});
