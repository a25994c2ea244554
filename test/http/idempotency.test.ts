import { describe, expect, it, onTestFinished } from 'vitest';
import type { Category, Changes, Edge, Graph, LinkedNode } from '../../src/api/v2.ts';
import type { LinkerRun } from '../../src/api/v2-linker.ts';
import type { Job } from '../../src/api/v2-jobs.ts';
import type { NewToken } from '../../src/api/v2-tokens.ts';
import { idempotency } from '../../src/http/idempotency.ts';
import type { PlacedCategory } from '../../src/services/categories.ts';
import type { Keep } from '../../src/services/receipts.ts';
import { SqliteTable } from '../../src/storage/embedded/sqlite-table.ts';
import { listening } from '../faults/server-process.ts';
import { STORE } from '../support/place.ts';
import { dataFolder, ifMatch, newBrain, SLEEP, type Answer, type Client } from './client.ts';

const START = Date.parse('2026-03-01T12:00:00Z');
const HOUR_MS = 3600 * 1000;

const keyed = (key: string) => ({ 'idempotency-key': key });

/** What of an answer is the same when it is given again. */
const told = ({ status, headers, text }: Answer<unknown>) => ({
  status,
  text,
  type: headers['content-type'],
  etag: headers['etag'],
  location: headers['location'],
});

const isReplay = ({ headers }: Answer<unknown>) => headers['idempotency-replayed'] === 'true';

/** A request of every POST route that has an effect. */
async function posts(
  client: Client,
): Promise<readonly (readonly [string, object | undefined, Record<string, string>?])[]> {
  const [a, b] = [await client.create(SLEEP.sleep), await client.create(SLEEP.bread)];
  const c = await client.create({ title: 'to go' });
  const runOf = async (body: object) => {
    const { id } = await client.post<LinkerRun>('/linker/runs', body, 202);
    await client.brain.services.jobs.idle();
    return id;
  };
  const [dry, applied] = [await runOf({}), await runOf({ dryRun: false })];
  const job = await client.post<Job>('/exports', { format: 'ndjson' }, 202);
  await client.brain.services.jobs.idle();
  const [x, y] = [
    await client.post<Category>('/categories', { title: 'X' }),
    await client.post<Category>('/categories', { title: 'Y' }),
  ];
  return [
    ['/nodes', SLEEP.melatonin],
    ['/nodes/preview-links', SLEEP.melatonin],
    ['/nodes/bulk', { mode: 'partial', items: [SLEEP.melatonin, { title: '' }] }],
    ['/nodes/bulk/patch', { mode: 'atomic', items: [{ id: a.id, title: 'Night' }] }],
    ['/nodes/bulk/delete', { mode: 'atomic', items: [{ id: c.id }] }],
    ['/edges', { sourceId: a.id, targetId: b.id }],
    ['/categories', { title: 'Z', description: 'new' }],
    [`/categories/${x.id}/move`, { parentId: y.id }, ifMatch(x.version)],
    [`/categories/${x.id}/nodes`, { nodeIds: [a.id, b.id] }],
    [`/categories/${x.id}/nodes/remove`, { nodeIds: [a.id] }],
    ['/linker/runs', { dryRun: false }],
    [`/linker/runs/${dry}/apply`, undefined],
    [`/linker/runs/${applied}/revert`, undefined],
    ['/exports', { format: 'ndjson' }],
    [`/jobs/${job.id}/cancel`, {}],
  ];
}

describe('an Idempotency-Key', () => {
  it('makes each POST be done once, and answered the same again, also after a restart', async () => {
    const folder = dataFolder();
    const client = await newBrain(folder);
    const requests = await posts(client);
    const first = [];
    for (const [path, body, headers] of requests) {
      first.push(await client.send('POST', path, body, { ...headers, ...keyed('one') }));
      await client.brain.services.jobs.idle(); // runs of the linker are one at a time
    }
    const after = await client.get<Graph>('/graph');
    const again = [];
    for (const [path, body, headers] of requests)
      again.push(await client.send('POST', path, body, { ...headers, ...keyed('one') }));
    expect(first.map((answer) => answer.status)).toEqual([
      201, 200, 207, 200, 200, 201, 201, 200, 200, 200, 202, 202, 202, 202, 200,
    ]);
    expect(first.map(isReplay)).toEqual(first.map(() => false));
    expect(again.map(isReplay)).toEqual(again.map(() => true));
    expect(again.map(told)).toEqual(first.map(told));
    await client.close();
    const reopened = await newBrain(folder);
    for (const [at, [path, body, headers]] of requests.entries()) {
      const answer = await reopened.send('POST', path, body, { ...headers, ...keyed('one') });
      expect([isReplay(answer), told(answer)]).toEqual([true, told(first[at]!)]);
    }
    expect(await reopened.get<Graph>('/graph')).toEqual(after);
  });

  it('is taken, or refused by name, by every POST route of v2', async () => {
    const client = await newBrain();
    const routes = client.brain.app.routeTable.filter(
      ({ method, url }) => method === 'POST' && url.startsWith('/api/v2/'),
    );
    const tried = [
      ...(await posts(client)).map(([path]) => path),
      '/tokens',
      '/imports',
      '/ws/tickets',
      '/nodes/bulk/get',
    ];
    const patterns = tried.map((path) => `/api/v2${path.replace(/[0-9a-f-]{36}/, ':id')}`);
    expect(routes.map(({ url }) => url).sort()).toEqual(patterns.sort());
    const telling = routes.filter(({ schema }) => schema.takes?.includes('idempotency-key'));
    expect(telling.map(({ url }) => url)).toEqual(
      routes.map(({ url }) => url).filter((url) => !/\/(imports|tickets|bulk\/get)$/.test(url)),
    );
    const refused = await client.send('POST', '/imports?collection=x', '{}', {
      'content-type': 'application/x-ndjson',
      ...keyed('one'),
    });
    expect([refused.status, refused.body.code]).toEqual([422, 'invalid']);
    const ticket = await client.send('POST', '/ws/tickets', {}, keyed('one'));
    expect([ticket.status, ticket.body.code]).toEqual([422, 'invalid']);
    const read = await client.send('POST', '/nodes/bulk/get', { ids: ['x'] }, keyed('one'));
    expect([read.status, read.body.errors?.[0]?.code]).toEqual([422, 'not_taken']);
  });

  it('does not bring back the secret of a token, which is kept nowhere', async () => {
    const client = await newBrain();
    const make = () => client.send<NewToken>('POST', '/tokens', { name: 'once' }, keyed('one'));
    const [first, second] = [await make(), await make()];
    expect(second.body).toEqual({ ...first.body, secret: null });
    expect([first.body.secret?.slice(0, 4), isReplay(second)]).toEqual(['b2t_', true]);
    expect((await client.get<{ items: unknown[] }>('/tokens')).items).toHaveLength(1);
  });

  it('sent fifty times at once has one effect and fifty equal answers', async () => {
    const client = await newBrain();
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => client.send<LinkedNode>('POST', '/nodes', SLEEP.sleep, keyed('same'))),
    );
    expect(new Set(answers.map((answer) => JSON.stringify(told(answer)))).size).toBe(1);
    expect(answers.filter(isReplay)).toHaveLength(49);
    const changes = await client.get<Changes>('/changes');
    expect(changes.items.map(({ type }) => type)).toEqual(['node.created']);
  });

  it('with another body is refused, and what was done stays', async () => {
    const client = await newBrain();
    await client.send('POST', '/nodes', SLEEP.sleep, keyed('k'));
    const other = await client.send('POST', '/nodes', SLEEP.bread, keyed('k'));
    expect([other.status, other.body.code, other.body.retryable]).toEqual([422, 'key_reused', false]);
    expect((await client.get<Graph>('/graph')).nodes).toHaveLength(1);
  });

  it('is of one path and one owner: the same elsewhere is another one', async () => {
    const client = await newBrain();
    const node = await client.send('POST', '/nodes', { title: 'x' }, keyed('k'));
    const category = await client.send('POST', '/categories', { title: 'x' }, keyed('k'));
    expect([node.status, category.status, isReplay(category)]).toEqual([201, 201, false]);
  });

  it('is not used up by a request that was refused', async () => {
    const client = await newBrain();
    const { id } = await client.create(SLEEP.sleep);
    const edge = { sourceId: id, targetId: '0190a7c4-5b3e-7c2a-9f10-3d2b8e6a1c55' };
    expect((await client.send('POST', '/edges', edge, keyed('k'))).status).toBe(422);
    expect((await client.send('POST', '/nodes', { nothing: 1 }, keyed('k'))).status).toBe(422);
    const target = await client.create(SLEEP.bread);
    const done = await client.send<Edge>('POST', '/edges', { ...edge, targetId: target.id }, keyed('k'));
    expect([done.status, isReplay(done)]).toEqual([201, false]);
  });

  /** On DynamoDB there is nothing to do: it removes by itself what has expired, some time. */
  function sweepOf(folder: string, nowMs: () => number): () => Promise<number> {
    if (STORE === 'dynamodb') return async () => 0;
    const table = new SqliteTable({ path: `${folder}/brain2.sqlite`, nowSeconds: () => nowMs() / 1000 });
    onTestFinished(() => table.close());
    return () => table.sweep();
  }

  it('is kept for a day, and swept after it', async () => {
    const folder = dataFolder();
    let nowMs = START;
    const client = await newBrain(folder, { nowMs: () => nowMs });
    const send = () => client.send<LinkedNode>('POST', '/nodes', { title: 'x' }, keyed('k'));
    const first = await send();
    const sweep = sweepOf(folder, () => nowMs);
    nowMs = START + 24 * HOUR_MS - 1_000;
    expect(await sweep()).toBe(0);
    expect(told(await send())).toEqual(told(first));
    nowMs = START + 24 * HOUR_MS;
    const second = await send();
    expect([second.status, isReplay(second)]).toEqual([201, false]);
    expect(second.body.id).not.toBe(first.body.id);
    nowMs = START + 48 * HOUR_MS;
    expect([await sweep(), await sweep()]).toEqual(STORE === 'sqlite' ? [1, 0] : [0, 0]);
  });

  it.each(['"quoted"', 'bare', '"with blanks"', 'x'.repeat(255)])('may be written %s', async (key) => {
    const client = await newBrain();
    const send = () => client.send('POST', '/categories', { title: 'x' }, keyed(key));
    expect([isReplay(await send()), isReplay(await send())]).toEqual([false, true]);
  });

  it.each(['', '""', 'a b', 'x'.repeat(256), 'ä', '"open', '"a"b"'])('may not be written %j', async (key) => {
    const client = await newBrain();
    const { status, body } = await client.send('POST', '/nodes', { title: 'x' }, keyed(key));
    expect([status, body.code]).toEqual([400, 'malformed']);
  });

  it('holds a note of the greatest size', async () => {
    const client = await newBrain();
    const content = 'x'.repeat(300_000);
    const send = () => client.send<LinkedNode>('POST', '/nodes', { title: 'large', content }, keyed('k'));
    const [first, second] = [await send(), await send()];
    expect([first.status, isReplay(second), told(second)]).toEqual([201, true, told(first)]);
  });
});

describe('while the first request of a key is running', () => {
  it('another is told to come back, and gets its answer then', async () => {
    const { brain, sendRoot } = await newBrain();
    const once = idempotency(brain.services.receipts, 0);
    const begun = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    const create = async (keep: Keep<PlacedCategory> | undefined) => {
      begun.resolve();
      await gate.promise;
      return brain.services.categories.create(brain.owner, { title: 'slow' }, keep);
    };
    brain.app.post('/slow', (request, reply) =>
      once({ request, reply }, create, ({ category }) => ({ status: 200, body: { id: category.id } })),
    );
    const post = () => sendRoot('POST', '/slow', {}, keyed('k'));
    const first = post();
    await begun.promise;
    const second = await post();
    expect([second.status, second.body.code, second.headers['retry-after']]).toEqual([
      409,
      'in_progress',
      '1',
    ]);
    gate.resolve();
    const third = [await first, await post()];
    expect(third.map((answer) => [answer.status, isReplay(answer)])).toEqual([
      [200, false],
      [200, true],
    ]);
    expect(await brain.services.categories.list(brain.owner)).toHaveLength(1);
  });
});

describe('a server that is killed', () => {
  it('has, for each key, either both the note and its answer, or neither', async () => {
    const folder = dataFolder();
    const keys = Array.from({ length: 40 }, (_, i) => `note-${i}`);
    const send = (url: string, key: string) =>
      fetch(`${url}/api/v2/nodes`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...keyed(key) },
        body: JSON.stringify({ title: key, content: SLEEP.sleep.content }),
      });
    const server = await listening(folder);
    let answered = 0;
    const sent = keys.map(async (key) => {
      const answer = await send(server.url, key);
      answered += 1;
      return [key, ((await answer.json()) as LinkedNode).id] as const;
    });
    await Promise.race(sent);
    await server.kill();
    const before = new Map(
      (await Promise.allSettled(sent)).flatMap((one) => (one.status === 'fulfilled' ? [one.value] : [])),
    );
    expect(answered).toBeGreaterThan(0);
    const again = await listening(folder);
    for (const key of keys) {
      const answer = await send(again.url, key);
      const { id } = (await answer.json()) as LinkedNode;
      expect(answer.status).toBe(201);
      // What had not been answered may have been stored all the same.
      const told = { replayed: answer.headers.get('idempotency-replayed'), id };
      expect(told).toMatchObject(before.has(key) ? { replayed: 'true', id: before.get(key) } : {});
    }
    const graph = (await (await fetch(`${again.url}/api/v2/graph`)).json()) as Graph;
    expect(graph.nodes.map(({ title }) => title).sort()).toEqual([...keys].sort());
    await again.stop();
  });
});
