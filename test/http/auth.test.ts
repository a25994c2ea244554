import { describe, expect, it } from 'vitest';
import type { NewToken, Token } from '../../src/api/v2-tokens.ts';
import type { Graph } from '../../src/api/v2.ts';
import { instant, ownerId, type NodeId, type OwnerId } from '../../src/domain/values.ts';
import { operatorCredential } from '../../src/http/auth/operator.ts';
import { finishCutOff, type InBackground } from '../../src/server/upkeep.ts';
import { Store } from '../../src/storage/store.ts';
import { onTable, storedRows } from '../support/stored.ts';
import { dataFolder, newBrain, SLEEP, type Client } from './client.ts';

const ADA = ownerId('ada');
const BOB = ownerId('bob');
const START = Date.parse('2026-03-01T12:00:00Z');

const bearer = (secret: string | null) => ({ authorization: `Bearer ${secret}` });

/** A Brain2 that asks for tokens, with a clock of its own. */
async function tokenBrain(folder = dataFolder()) {
  const clock = { nowMs: START };
  const client = await newBrain(folder, { settings: { auth: 'token' }, nowMs: () => clock.nowMs });
  const create = (owner: string, body: object = { name: 'test' }) =>
    client.send<NewToken>('POST', '/tokens', body, operator(client, owner));
  const secretOf = async (owner: string, scope: 'read' | 'write' | 'admin' = 'write') =>
    (await create(owner, { name: 'test', scopes: [scope] })).body.secret;
  return { client, clock, create, secretOf };
}

const operator = ({ brain }: Client, owner: string) =>
  bearer(operatorCredential(brain.folder.operatorKey, owner));

describe('a token', () => {
  it('opens the graph of its owner and of nobody else', async () => {
    const { client, secretOf } = await tokenBrain();
    const [ada, bob] = [bearer(await secretOf(ADA)), bearer(await secretOf(BOB))];
    const { body } = await client.send<{ id: string }>('POST', '/nodes', SLEEP.sleep, ada);
    expect((await client.send<Graph>('GET', '/graph', undefined, ada)).body.nodes).toHaveLength(1);
    expect((await client.send<Graph>('GET', '/graph', undefined, bob)).body.nodes).toHaveLength(0);
    expect((await client.send('GET', `/nodes/${body.id}`, undefined, bob)).body.code).toBe('not_found');
  });

  it.each([
    [{}, 'Bearer realm="brain2"'],
    [{ authorization: '' }, 'Bearer realm="brain2", error="invalid_token"'],
    [{ authorization: 'Basic YTpi' }, 'Bearer realm="brain2", error="invalid_token"'],
    [{ authorization: 'Bearer' }, 'Bearer realm="brain2", error="invalid_token"'],
    [{ authorization: 'Bearer b2t_unknown' }, 'Bearer realm="brain2", error="invalid_token"'],
    [{ authorization: 'Bearer b2o_unknown:ada' }, 'Bearer realm="brain2", error="invalid_token"'],
    [{ authorization: 'Bearer b2o_' }, 'Bearer realm="brain2", error="invalid_token"'],
  ])('that is none is refused with 401 and the way to authenticate: %j', async (headers, challenge) => {
    const { client } = await tokenBrain();
    const answer = await client.send('GET', '/graph', undefined, headers);
    expect([answer.status, answer.body.code]).toEqual([401, 'unauthenticated']);
    expect(answer.headers['www-authenticate']).toBe(challenge);
  });

  it('is asked for before anything of the body is read', async () => {
    const { client } = await tokenBrain();
    expect((await client.send('POST', '/nodes', '{')).status).toBe(401);
    expect((await client.send('POST', '/nodes', 'x'.repeat(2 ** 21))).status).toBe(401);
  });

  it('may do what its scope includes, and 403 names the one that is missing', async () => {
    const { client, secretOf } = await tokenBrain();
    const tries = async (scope: 'read' | 'write' | 'admin') => {
      const headers = bearer(await secretOf(ADA, scope));
      return [
        await client.send('GET', '/graph', undefined, headers),
        await client.send('POST', '/nodes/preview-links', SLEEP.sleep, headers),
        await client.send('POST', '/nodes', SLEEP.sleep, headers),
        await client.send('GET', '/tokens', undefined, headers),
        await client.send('POST', '/ws/tickets', undefined, headers),
      ];
    };
    expect((await tries('read')).map((a) => a.status)).toEqual([200, 200, 403, 403, 201]);
    expect((await tries('write')).map((a) => a.status)).toEqual([200, 200, 201, 403, 201]);
    expect((await tries('admin')).map((a) => a.status)).toEqual([200, 200, 201, 200, 201]);
    const [, , refused] = await tries('read');
    expect(refused?.body).toMatchObject({ code: 'forbidden', details: { scope: 'write' } });
    expect(refused?.headers['www-authenticate']).toBe(
      'Bearer realm="brain2", error="insufficient_scope", scope="write"',
    );
  });

  it('ends at its time, also while it is remembered as verified', async () => {
    const { client, clock, create } = await tokenBrain();
    const expiresAt = new Date(START + 5_000).toISOString();
    const headers = bearer((await create(ADA, { name: 'short', expiresAt })).body.secret);
    const status = async () => (await client.send('GET', '/graph', undefined, headers)).status;
    clock.nowMs = START + 4_999;
    expect(await status()).toBe(200);
    clock.nowMs = START + 5_000;
    expect(await status()).toBe(401);
    const listed = await client.send<{ items: Token[] }>('GET', '/tokens', undefined, operator(client, ADA));
    expect(listed.body.items).toMatchObject([{ name: 'short', expiresAt }]);
  });

  it('opens nothing from the moment that it is revoked', async () => {
    const { client, create } = await tokenBrain();
    const { body } = await create(ADA);
    const status = async () => (await client.send('GET', '/graph', undefined, bearer(body.secret))).status;
    expect(await status()).toBe(200);
    const revoked = await client.send('DELETE', `/tokens/${body.id}`, undefined, operator(client, ADA));
    expect(revoked.status).toBe(204);
    expect(await status()).toBe(401);
    expect((await client.send('DELETE', `/tokens/${body.id}`, undefined, operator(client, ADA))).status).toBe(
      404,
    );
  });

  it('is remembered by no request that was under way when it was revoked', async () => {
    const { client, create } = await tokenBrain();
    const { body } = await create(ADA);
    const read = () => client.send('GET', '/graph', undefined, bearer(body.secret));
    await Promise.all([
      read(),
      client.send('DELETE', `/tokens/${body.id}`, undefined, operator(client, ADA)),
      read(),
      read(),
    ]);
    expect((await read()).status).toBe(401);
  });

  it('is known by its hash alone: its secret is in no answer after the first, and nowhere in the store', async () => {
    const folder = dataFolder();
    const { client, create } = await tokenBrain(folder);
    const made = await create(ADA, { name: 'once' });
    const { secret, id } = made.body;
    expect(secret).toMatch(/^b2t_[A-Za-z0-9_-]{43}$/);
    expect(made.headers).toMatchObject({ 'cache-control': 'no-store', location: `/api/v2/tokens/${id}` });
    const one = await client.send<Token>('GET', `/tokens/${id}`, undefined, operator(client, ADA));
    expect(one.text).not.toContain('secret');
    const known = { ...operator(client, ADA), 'if-none-match': one.headers['etag'] ?? '' };
    expect((await client.send('GET', `/tokens/${id}`, undefined, known)).status).toBe(304);
    await client.close();
    const rows = await storedRows(folder);
    expect(JSON.stringify(rows)).not.toContain(secret);
    expect(rows.filter(({ pk }) => pk.startsWith('TOK#'))).toHaveLength(1);
  });

  it('outlives a restart, and the key of the operator does not', async () => {
    const folder = dataFolder();
    const first = await tokenBrain(folder);
    const secret = bearer(await first.secretOf(ADA));
    const key = operator(first.client, ADA);
    await first.client.close();
    const { client } = await tokenBrain(folder);
    expect((await client.send('GET', '/graph', undefined, secret)).status).toBe(200);
    expect((await client.send('GET', '/tokens', undefined, key)).status).toBe(401);
  });

  it.each([
    [{ name: '' }],
    [{ name: 'x'.repeat(101) }],
    [{ name: 'x', scopes: [] }],
    [{ name: 'x', scopes: ['owner'] }],
    [{ name: 'x', expiresAt: '2020-01-01T00:00:00Z' }],
    [{ name: 'x', expiresAt: 'soon' }],
    [{ name: 'x', owner: 'bob' }],
    [{}],
  ])('is not made of %j', async (body) => {
    const { client, create } = await tokenBrain();
    expect((await create(ADA, body)).status).toBe(422);
    const listed = await client.send<{ items: Token[] }>('GET', '/tokens', undefined, operator(client, ADA));
    expect(listed.body.items).toEqual([]);
  });
});

describe('without a token', () => {
  it('health is answered, and tells nothing of any owner', async () => {
    const { client, secretOf } = await tokenBrain();
    await client.send('POST', '/nodes', SLEEP.sleep, bearer(await secretOf(ADA)));
    for (const path of ['/livez', '/readyz', '/health']) {
      const { status, text } = await client.sendRoot('GET', path);
      expect([path, status]).toEqual([path, 200]);
      expect(text).not.toMatch(/ada|nodes|notes|seq/);
    }
  });

  it('what is no route is said to be none', async () => {
    const { client } = await tokenBrain();
    expect((await client.sendRoot('GET', '/nowhere')).status).toBe(404);
    expect((await client.send('PUT', '/graph')).status).toBe(405);
  });

  it('every route but those of health, the versions and the documents is closed', async () => {
    const { client } = await tokenBrain();
    const open = ['/', '/livez', '/readyz', '/health', '/api/versions'];
    const isDocument = /^\/docs(\/|$)|^\/api\/v\d\/openapi\.json$/;
    const closed = client.brain.app.routeTable.filter(
      ({ url }) => !open.includes(url) && !isDocument.test(url),
    );
    expect(closed.length).toBeGreaterThan(30);
    for (const { method, url } of closed) {
      const { status } = await client.sendRoot(method as 'GET', url.replaceAll(/:\w+/g, 'x'));
      expect([method, url, status]).toEqual([method, url, 401]);
    }
  });
});

describe('the background', () => {
  it('finishes what was cut off for every owner there is, met or not', async () => {
    const folder = dataFolder();
    const { client, secretOf } = await tokenBrain(folder);
    const made = new Map<OwnerId, NodeId>();
    for (const owner of [ADA, BOB]) {
      const headers = bearer(await secretOf(owner));
      const { body } = await client.send<{ id: NodeId }>('POST', '/nodes', SLEEP.sleep, headers);
      made.set(owner, body.id);
    }
    await client.close();
    const marksOf = (store: Store, owner: OwnerId) => Array.fromAsync(store.read(owner).pending.all());
    await onStore(folder, async (store) => {
      for (const [owner, nodeId] of made)
        await store.write(owner, async (tx) => tx.pending.replace(undefined, { nodeId, kind: 'link' }));
      expect(await marksOf(store, BOB)).toHaveLength(1);
    });
    const { brain, close } = (await tokenBrain(folder)).client;
    expect(brain.services.owners.met()).toEqual([]);
    const stopping = new AbortController();
    const inBackground: InBackground = (owner, work) => {
      stopping.abort();
      return brain.inBackground(owner, work);
    };
    await finishCutOff({ ...brain, inBackground, signal: stopping.signal });
    for (const owner of made.keys()) expect(await marksOf(brain.store, owner)).toHaveLength(1);
    await finishCutOff(brain);
    await close();
    await onStore(folder, async (store) => {
      for (const owner of made.keys()) expect([owner, await marksOf(store, owner)]).toEqual([owner, []]);
    });
  });
});

function onStore(folder: string, work: (store: Store) => Promise<void>): Promise<void> {
  const now = () => instant(START);
  return onTable(folder, (table) =>
    work(new Store({ table, now, newEpoch: () => 'unused', correlationId: () => '-' })),
  );
}
