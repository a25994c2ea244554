import { describe, expect, it } from 'vitest';
import type { LinkerRun } from '../../src/api/v2-linker.ts';
import type { Job } from '../../src/api/v2-jobs.ts';
import type { NewToken } from '../../src/api/v2-tokens.ts';
import type { Category, Edge, Graph, LinkedNode } from '../../src/api/v2.ts';
import { operatorCredential } from '../../src/http/auth/operator.ts';
import { dataFolder, newBrain, type Client } from './client.ts';
import { tableCalls } from './table-calls.ts';

/** In every text of the first owner, and in nothing that the second one sends. */
const MARKER = 'zanzibarium';

type Headers = Readonly<Record<string, string>>;

/** A graph of the first owner with one thing of each kind, and what a second owner has to send. */
async function twoOwners() {
  const client = await newBrain(dataFolder(), { settings: { auth: 'token' } });
  const as = async (owner: string): Promise<Headers> => {
    const operator = {
      authorization: `Bearer ${operatorCredential(client.brain.folder.operatorKey, owner)}`,
    };
    const body = { name: `of ${owner}`, scopes: ['admin'] };
    const { secret } = (await client.send<NewToken>('POST', '/tokens', body, operator)).body;
    return { authorization: `Bearer ${secret}` };
  };
  const [ada, bob] = [await as('ada'), await as('bob')];
  const theirs = await fill(client, ada, MARKER);
  const own = await fill(client, bob, 'pistachio');
  return { client, ada, bob, theirs, own };
}

async function fill({ send, brain }: Client, headers: Headers, word: string) {
  const post = async <T>(path: string, body: object) => (await send<T>('POST', path, body, headers)).body;
  const text = `${word} grows near the harbour, where ${word} is traded`;
  const node = await post<LinkedNode>('/nodes', {
    title: `${word} one`,
    content: text,
    tags: [word],
    source: { kind: 'api', key: word },
  });
  const other = await post<LinkedNode>('/nodes', {
    title: `${word} two`,
    content: text,
    aliases: [`${word} too`],
  });
  const edge = await post<Edge>('/edges', { sourceId: node.id, targetId: other.id });
  const category = await post<Category>('/categories', { title: word, description: word });
  await post(`/categories/${category.id}/nodes`, { nodeIds: [node.id] });
  const token = await post<NewToken>('/tokens', { name: word });
  const run = await post<LinkerRun>('/linker/runs', {});
  const job = await post<Job>('/exports', { format: 'markdown' });
  const file = await post<Job>('/exports', { format: 'ndjson' });
  await brain.services.jobs.idle();
  return {
    nodes: node.id,
    otherId: other.id,
    edges: edge.id,
    categories: category.id,
    tokens: token.id,
    linker: run.id,
    jobs: job.id,
    exports: file.id,
  };
}

type Ids = Awaited<ReturnType<typeof fill>>;

/** Bodies by route, made of ids; a new route that takes one must be added here. */
const BODIES: Readonly<Record<string, (ids: Ids) => unknown>> = {
  'POST /api/v2/nodes': () => ({ title: 'x', content: 'near the harbour' }),
  'POST /api/v2/nodes/preview-links': () => ({
    title: 'x',
    content: `near the harbour, ${MARKER.slice(0, 4)}`,
  }),
  'POST /api/v2/nodes/bulk': () => ({
    mode: 'partial',
    items: [{ title: 'x', content: 'near the harbour' }],
  }),
  'POST /api/v2/nodes/bulk/get': (ids) => ({ ids: [ids.nodes, ids.otherId] }),
  'POST /api/v2/nodes/bulk/patch': (ids) => ({
    mode: 'partial',
    items: [{ id: ids.nodes, content: 'taken over' }],
  }),
  'POST /api/v2/nodes/bulk/delete': (ids) => ({ mode: 'atomic', items: [{ id: ids.otherId }] }),
  'PATCH /api/v2/nodes/:id': () => ({ content: 'taken over' }),
  'POST /api/v2/edges': (ids) => ({ sourceId: ids.nodes, targetId: ids.otherId }),
  'PATCH /api/v2/edges/:id': () => ({ status: 'rejected' }),
  'POST /api/v2/categories': (ids) => ({ title: 'x', parentId: ids.categories }),
  'PATCH /api/v2/categories/:id': () => ({ title: 'taken over' }),
  'POST /api/v2/categories/:id/move': () => ({ parentId: null }),
  'POST /api/v2/categories/:id/nodes': (ids) => ({ nodeIds: [ids.nodes] }),
  'POST /api/v2/categories/:id/nodes/remove': (ids) => ({ nodeIds: [ids.nodes] }),
  'POST /api/v2/imports': () => '{"key":"x","title":"x","content":"near the harbour"}',
  'POST /api/v2/linker/runs': () => ({ dryRun: false }),
  'POST /api/v2/linker/runs/:id/apply': () => undefined,
  'POST /api/v2/linker/runs/:id/revert': () => undefined,
  'POST /api/v2/exports': () => ({ format: 'ndjson' }),
  'POST /api/v2/jobs/:id/cancel': () => ({}),
  'POST /api/v2/tokens': () => ({ name: 'x' }),
  'POST /api/v2/ws/tickets': () => ({}),
  'POST /api/v1/nodes': () => ({ content: 'near the harbour' }),
  'PUT /api/v1/nodes/:id': () => ({ content: 'taken over' }),
  'POST /api/v1/nodes/bulk-delete': (ids) => ({ nodeIds: [ids.nodes] }),
  'POST /api/v1/nodes/:id/categories': () => ({}),
  'POST /api/v1/categories': () => ({ title: 'x' }),
  'PUT /api/v1/categories/:id': () => ({ title: 'taken over' }),
  'POST /api/v1/categories/:id/nodes': (ids) => ({ nodeId: ids.nodes }),
  'POST /api/v1/categories/suggest': () => ({ content: 'near the harbour' }),
  'POST /api/v1/categories/rebuild': () => ({}),
};
/** Queries that name something of the owner, or would find it. */
const QUERIES: Readonly<Record<string, (ids: Ids) => readonly string[]>> = {
  'GET /api/v2/nodes': (ids) => [`?category=${ids.categories}`, '?sort=updatedAt'],
  'GET /api/v2/edges': (ids) => [`?node=${ids.nodes}`],
  'GET /api/v2/graph/path': (ids) => [`?from=${ids.nodes}&to=${ids.otherId}`],
  'GET /api/v2/search': (ids) => ['?q=harbour', `?q=harbour&category=${ids.categories}`],
  'POST /api/v2/imports': () => ['?collection=x&prune=true'],
};

const urlOf = (pattern: string, ids: Ids): string => {
  const kind = (pattern.split('/')[3] ?? '') as keyof Ids;
  return pattern
    .replace(':otherId', ids.otherId)
    .replace(':nodeId', ids.nodes)
    .replace(':id', ids[kind] ?? '');
};

/** Ids that nobody has. */
const NONE: Ids = {
  nodes: '0190a7c4-5b3e-7c2a-9f10-3d2b8e6a1c51',
  otherId: '0190a7c4-5b3e-7c2a-9f10-3d2b8e6a1c52',
  edges: '0190a7c4-5b3e-7c2a-9f10-3d2b8e6a1c53',
  categories: '0190a7c4-5b3e-7c2a-9f10-3d2b8e6a1c54',
  tokens: '0190a7c4-5b3e-7c2a-9f10-3d2b8e6a1c55',
  linker: '0190a7c4-5b3e-7c2a-9f10-3d2b8e6a1c56',
  jobs: '0190a7c4-5b3e-7c2a-9f10-3d2b8e6a1c57',
  exports: '0190a7c4-5b3e-7c2a-9f10-3d2b8e6a1c58',
};

const anonymous = (text: string, ids: Ids): string =>
  Object.entries(ids).reduce((left, [kind, id]) => left.replaceAll(id, `ID of ${kind}`), text);

describe('the ids of one owner in the hands of another', () => {
  it('are not found on any route, and no answer holds anything of the first', async () => {
    const { client, ada, bob, theirs, own } = await twoOwners();
    const before = (await client.send<Graph>('GET', '/graph', undefined, ada)).body;
    const routes = client.brain.app.routeTable.filter(
      ({ url, schema }) => url.startsWith('/api/v') && !schema.isEventStream, // which does not end
    );
    expect(routes.length).toBeGreaterThan(35);
    const taking = routes.filter(({ method }) => ['POST', 'PATCH', 'PUT'].includes(method));
    const without = taking.map(({ method, url }) => `${method} ${url}`).filter((route) => !BODIES[route]);
    expect(without).toEqual([]);
    for (const { method, url: pattern } of routes) {
      const route = `${method} ${pattern}`;
      const isImport = pattern.endsWith('/imports');
      const body = BODIES[route]?.(theirs);
      for (const query of ['', ...(QUERIES[route]?.(theirs) ?? [])]) {
        const headers = {
          ...bob,
          'if-match': '*',
          ...(isImport && { 'content-type': 'application/x-ndjson' }),
        };
        const answer = await client.sendRoot(method as 'GET', urlOf(pattern, theirs) + query, body, headers);
        const name = `${route}${query}`;
        expect([name, answer.status < 500, answer.status !== 401]).toEqual([name, true, true]);
        const expected = pattern.includes(':') ? 404 : answer.status;
        expect([name, answer.status]).toEqual([name, expected]);
        const all = JSON.stringify([answer.text, answer.headers]);
        expect([name, all.includes(MARKER)]).toEqual([name, false]);
      }
    }
    // Mixed: something of one's own with something of the other's.
    const mixed = { ...own, otherId: theirs.otherId };
    const refusals = [
      await client.send('GET', `/nodes/${own.nodes}/related/${theirs.nodes}`, undefined, bob),
      await client.send('POST', '/edges', { sourceId: own.nodes, targetId: mixed.otherId }, bob),
      await client.send('DELETE', `/categories/${own.categories}/nodes/${theirs.nodes}`, undefined, bob),
      await client.send(
        'POST',
        `/categories/${own.categories}/move`,
        { parentId: theirs.categories },
        { ...bob, 'if-match': '*' },
      ),
    ];
    expect(refusals.map(({ status }) => status)).toEqual([404, 422, 404, 422]);
    expect(refusals.filter(({ text }) => text.includes(MARKER))).toEqual([]);
    expect((await client.send<Graph>('GET', '/graph', undefined, ada)).body).toEqual(before);
    expect((await client.send('GET', '/tokens', undefined, ada)).text).toContain(MARKER);
  });

  it('answer as ids that nobody has: to the letter, but for the ids and the time of the request', async () => {
    const { client, bob, theirs } = await twoOwners();
    const told = async (url: string, ids: Ids) => {
      const { text, status } = await client.sendRoot('GET', urlOf(url, ids), undefined, bob);
      const same = text.replaceAll(/"(correlationId|requestId|timestamp)":"[^"]*"/g, '');
      return [status, anonymous(same, ids)];
    };
    const routes = client.brain.app.routeTable.filter(
      ({ method, url }) => method === 'GET' && url.includes(':'),
    );
    expect(routes.length).toBeGreaterThan(8);
    for (const { url } of routes)
      expect([url, await told(url, theirs)]).toEqual([url, await told(url, NONE)]);
  });

  it('make the store do what ids that nobody has make it do, read for read, so that the time tells nothing', async () => {
    const { client, bob, theirs } = await twoOwners();
    const { taken } = tableCalls();
    const headers = { ...bob, 'if-match': '*' };
    const asked = client.brain.app.routeTable.flatMap(({ method, url }) => {
      const route = `${method} ${url}`;
      const of = (ids: Ids) => {
        const body = BODIES[route]?.(ids);
        return ['', ...(QUERIES[route]?.(ids) ?? [])].map((query) => ({
          url: urlOf(url, ids) + query,
          body,
        }));
      };
      return of(theirs)
        .map((theirsAsked, at) => ({ route, method, theirsAsked, noneAsked: of(NONE)[at] }))
        .filter(({ theirsAsked, noneAsked }) => JSON.stringify(theirsAsked) !== JSON.stringify(noneAsked));
    });
    expect(asked.length).toBeGreaterThan(40);
    const counts = new Map<string, number>();
    for (const { route, method, theirsAsked, noneAsked } of asked) {
      const work = async (one: typeof noneAsked, ids: Ids) => {
        taken();
        const { status } = await client.sendRoot(method as 'GET', one?.url ?? '', one?.body, headers);
        const calls = taken().map((call) => anonymous(call, ids));
        return { name: `${route} ${status}`, calls };
      };
      await work(noneAsked, NONE); // what is known from then on is asked once
      const [other, none] = [await work(theirsAsked, theirs), await work(noneAsked, NONE)];
      expect(other).toEqual(none);
      counts.set(route, other.calls.length);
    }
    expect(counts.get('GET /api/v2/nodes/:id')).toBe(1);
  });

  it('keys of one are not those of another', async () => {
    const { client, ada, bob } = await twoOwners();
    const send = (headers: Headers, title: string) =>
      client.send<LinkedNode>('POST', '/nodes', { title }, { ...headers, 'idempotency-key': 'same' });
    const [first, second] = [await send(ada, MARKER), await send(bob, 'x')];
    expect([first.status, second.status, second.headers['idempotency-replayed']]).toEqual([
      201,
      201,
      undefined,
    ]);
    expect(second.text).not.toContain(MARKER);
  });

  it('cursors of one are not taken from another', async () => {
    const { client, ada, bob } = await twoOwners();
    const page = await client.send<{ page: { next: string } }>('GET', '/nodes?limit=1', undefined, ada);
    const { next } = page.body.page;
    expect((await client.send('GET', `/nodes?limit=1&cursor=${next}`, undefined, ada)).status).toBe(200);
    const answer = await client.send('GET', `/nodes?limit=1&cursor=${next}`, undefined, bob);
    expect([answer.status, answer.body.code]).toEqual([400, 'malformed']);
  });
});
