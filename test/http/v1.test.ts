import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type * as api from '../../src/api/v1.ts';
import type { Graph, LinkedNode } from '../../src/api/v2.ts';
import { newBrain, SLEEP } from './client.ts';
import { v1Of } from './v1-client.ts';

const NOBODY = '01900000-0000-7000-8000-000000000000';

/** Follows nextToken to the end. */
async function everyPage(
  get: <T>(path: string) => Promise<T>,
  query: string,
): Promise<readonly api.NodeList[]> {
  const pages: api.NodeList[] = [];
  let token: string | undefined;
  do {
    const page: api.NodeList = await get(
      `/nodes?${query}${token === undefined ? '' : `&nextToken=${token}`}`,
    );
    pages.push(page);
    token = page.nextToken;
  } while (token !== undefined);
  return pages;
}

describe('the list of notes of v1', () => {
  it('is every note where no page is asked for, however many there are', async () => {
    const brain = await newBrain();
    const { get } = v1Of(brain);
    await brain.importNotes(Array.from({ length: 620 }, (_, i) => ({ key: `k${i}`, content: `note ${i}` })));
    const all = await get<api.NodeList>('/nodes');
    expect([all.nodes.length, all.total, all.hasMore, all.nextToken]).toEqual([620, 620, false, undefined]);
    expect(new Set(all.nodes.map(({ nodeId }) => nodeId)).size).toBe(620);
  });

  it('has by pages, in every order and in a search, the same notes as at once', async () => {
    const brain = await newBrain();
    const { get, create, put } = v1Of(brain);
    const titles = ['b', 'A', 'note 10', 'note 9', undefined, 'é', 'a', 'A'];
    const made: api.Node[] = [];
    for (const [i, title] of titles.entries())
      made.push(await create(`walnut number ${i}`, { ...(title !== undefined && { title }), tags: [] }));
    await put(`/nodes/${made[2]?.nodeId}`, { content: 'walnut changed' });
    for (const search of ['', '&search=walnut']) {
      for (const sortBy of ['', '&sortBy=createdAt', '&sortBy=updatedAt', '&sortBy=title']) {
        for (const direction of ['', '&sortDirection=asc', '&sortDirection=desc']) {
          const query = `${sortBy}${direction}${search}`.slice(1);
          const all = await get<api.NodeList>(`/nodes?${query}`);
          const pages = await everyPage(get, `limit=3&${query}`);
          expect([query, pages.flatMap(({ nodes }) => nodes)]).toEqual([query, all.nodes]);
          expect(pages.map(({ total, hasMore }) => [total, hasMore])).toEqual([
            [8, true],
            [8, true],
            [8, false],
          ]);
        }
      }
    }
    const titled = await get<api.NodeList>('/nodes?sortBy=title');
    expect(titled.nodes.map(({ title }) => title)).toEqual([
      'a',
      'A',
      'A',
      'b',
      'é',
      'note 9',
      'note 10',
      undefined,
    ]);
    const changed = await get<api.NodeList>('/nodes?sortBy=updatedAt&limit=1');
    expect(changed.nodes.map(({ nodeId }) => nodeId)).toEqual([made[2]?.nodeId]);
  });

  it('counts no archived note, and has 20 on a page that a token alone asks for', async () => {
    const brain = await newBrain();
    const { get } = v1Of(brain);
    const made = await Promise.all(
      Array.from({ length: 24 }, (_, i) => brain.create({ content: `note ${i}` })),
    );
    await brain.patch(made[0]?.id ?? '', { archived: true });
    const first = await get<api.NodeList>('/nodes?limit=1');
    const second = await get<api.NodeList>(`/nodes?nextToken=${first.nextToken}`);
    expect([first.total, second.nodes.length, second.hasMore]).toEqual([23, 20, true]);
  });

  it('takes no token of another list', async () => {
    const brain = await newBrain();
    const { get, create, send } = v1Of(brain);
    await create('one walnut');
    await create('two walnuts');
    const { nextToken } = await get<api.NodeList>('/nodes?limit=1&sortBy=title');
    expect(nextToken).toBeDefined();
    for (const other of [
      '',
      'sortBy=title&sortDirection=desc',
      'sortBy=title&search=walnut',
      'search=walnut',
    ]) {
      const answer = await send('GET', `/nodes?limit=1&nextToken=${nextToken}&${other}`);
      expect([other, answer.status]).toEqual([other, 400]);
    }
  });
});

describe('a note of v1', () => {
  it('keeps limits of its own, and shows what v2 stores beyond them', async () => {
    const brain = await newBrain();
    const { send, get } = v1Of(brain);
    const status = async (body: object) => (await send('POST', '/nodes', body)).status;
    expect(
      await status({ content: 'x'.repeat(10_000), title: 'x'.repeat(200), tags: Array.from('abcdefghij') }),
    ).toBe(201);
    expect(await status({ content: 'x'.repeat(10_001) })).toBe(400);
    expect(await status({ content: 'x', title: 'x'.repeat(201) })).toBe(400);
    expect(await status({ content: 'x', tags: Array.from('abcdefghijk') })).toBe(400);
    expect(await status({ content: ' ' })).toBe(400);
    const large = await brain.create({ title: 'x'.repeat(500), content: 'y'.repeat(20_000) });
    expect(await get<api.Node>(`/nodes/${large.id}`)).toMatchObject({
      title: 'x'.repeat(500),
      content: 'y'.repeat(20_000),
      version: 0,
    });
    for (const n of [1, 2]) await brain.create({ title: `${'漢'.repeat(499)}${n}` });
    const pages = await everyPage(get, 'limit=1&sortBy=title');
    expect(pages.map(({ nodes }) => nodes.length)).toEqual([1, 1, 1, 1]);
    const { elements } = await get<api.GraphData>('/graph-data');
    expect(elements.map(({ data }) => data).find(({ id }) => id === `node-${large.id}`)).toEqual({
      id: `node-${large.id}`,
      label: 'x'.repeat(100),
    });
  });

  it('is one and the same in both versions, with its version one less and its neighbours as the edges in force', async () => {
    const brain = await newBrain();
    const { create, get, put } = v1Of(brain);
    const sleep = await create(SLEEP.sleep.content, { title: 'Sleep' });
    const melatonin = await create(SLEEP.melatonin.content, { title: 'Melatonin' });
    expect((await get<api.ConnectedNode>(`/nodes/${sleep.nodeId}`)).edges).toEqual([melatonin.nodeId]);
    const changed = await put<{ version: number }>(`/nodes/${melatonin.nodeId}`, {
      content: SLEEP.bread.content,
      title: 'Bread',
    });
    expect(changed.version).toBe(1);
    expect(await brain.get<LinkedNode>(`/nodes/${melatonin.nodeId}`)).toMatchObject({
      title: 'Bread',
      version: 2,
    });
    expect((await get<api.ConnectedNode>(`/nodes/${sleep.nodeId}`)).edges).toEqual([]); // computed anew
    const [edges, graph] = [await get<api.GraphData>('/graph-data'), await brain.get<Graph>('/graph')];
    expect(edges.elements).toHaveLength(graph.nodes.length + graph.edges.length);
  });

  it('is changed by one of many who read the same version, and the others hear of a conflict', async () => {
    const brain = await newBrain();
    const { create, send, get } = v1Of(brain);
    const { nodeId } = await create('a thought');
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        send('PUT', `/nodes/${nodeId}`, { content: `thought ${i}`, version: 0 }),
      ),
    );
    const statuses = answers.map(({ status }) => status).sort((a, b) => a - b);
    expect(statuses).toEqual([200, ...Array.from({ length: 19 }, () => 409)]);
    expect(answers.find(({ status }) => status === 409)?.body).toEqual({
      error: 'the note is at version 1; read it again',
    });
    expect(await get<api.Node>(`/nodes/${nodeId}`)).toMatchObject({ version: 1 });
  });

  it('is deleted with many others at once', async () => {
    const brain = await newBrain();
    const { create, post, get } = v1Of(brain);
    const made = await Promise.all(Array.from({ length: 99 }, (_, i) => create(`note ${i}`)));
    const nodeIds = [...made.map(({ nodeId }) => nodeId), NOBODY];
    expect(await post('/nodes/bulk-delete', { nodeIds })).toEqual({
      deletedCount: 99,
      failedNodeIds: [NOBODY],
      message: '99 of 100 notes were deleted',
    });
    expect(await get('/nodes')).toEqual({ nodes: [], total: 0, hasMore: false });
  });
});

describe('whatever is sent to v1', () => {
  it('is answered by a success or by {error} and nothing else', async () => {
    const { sendRoot } = await newBrain();
    const path = fc.constantFrom(
      '/nodes',
      '/nodes/x',
      `/nodes/${NOBODY}`,
      '/categories',
      '/categories/suggest',
      '/x',
    );
    const field = fc.constantFrom('content', 'title', 'tags', 'nodeIds', 'nodeId', 'version', 'x');
    const body = fc.option(fc.dictionary(field, fc.jsonValue({ maxDepth: 2 }), { maxKeys: 4 }));
    const method = fc.constantFrom(
      'GET' as const,
      'POST' as const,
      'PUT' as const,
      'DELETE' as const,
      'PATCH' as const,
    );
    await fc.assert(
      fc.asyncProperty(method, path, body, async (how, where, what) => {
        const answer = await sendRoot<api.ErrorBody>(how, `/api/v1${where}`, what ?? undefined);
        expect(answer.status).toBeLessThan(500);
        if (answer.status < 400) return;
        expect(Object.keys(answer.body)).toEqual(['error']);
        expect(answer.body.error).toMatch(/./);
        expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
      }),
      { numRuns: 200 },
    );
  });
});
