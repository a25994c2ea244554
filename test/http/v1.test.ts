import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type * as api from '../../src/api/v1.ts';
import type { Category, Graph, LinkedNode } from '../../src/api/v2.ts';
import { newBrain, SLEEP, type Client } from './client.ts';

const NOBODY = '01900000-0000-7000-8000-000000000000';

/** The calls of an old client. */
function v1Of({ sendRoot }: Client) {
  const send = <T = api.ErrorBody>(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown) =>
    sendRoot<T>(method, `/api/v1${path}`, body);
  const want = async <T>(
    status: number,
    method: 'GET' | 'POST' | 'PUT',
    path: string,
    body?: unknown,
  ): Promise<T> => {
    const answer = await send<T>(method, path, body);
    if (answer.status !== status) throw new Error(`answered ${answer.status}: ${answer.text}`);
    return answer.body;
  };
  return {
    send,
    get: <T>(path: string) => want<T>(200, 'GET', path),
    create: (content: string, more: object = {}) =>
      want<api.Node>(201, 'POST', '/nodes', { content, ...more }),
    category: (title: string) => want<api.Category>(201, 'POST', '/categories', { title }),
    post: <T>(path: string, body?: unknown) => want<T>(200, 'POST', path, body),
    put: <T>(path: string, body: unknown) => want<T>(200, 'PUT', path, body),
    assign: (category: string, nodeId: string) =>
      want<{ message: string }>(200, 'POST', `/categories/${category}/nodes`, { nodeId }),
  };
}

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
    const statuses = answers.map(({ status }) => status).sort();
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

/** Notes on two subjects, those of the first in a category. */
async function twoSubjects(brain: Client) {
  const { create, category, assign } = v1Of(brain);
  const health = await category('Health');
  const baking = await category('Baking');
  const sleep = await create(SLEEP.sleep.content, { title: 'Sleep' });
  const melatonin = await create(SLEEP.melatonin.content, { title: 'Melatonin' });
  const bread = await create(SLEEP.bread.content, { title: 'Sourdough' });
  await assign(health.id, sleep.nodeId);
  await assign(baking.id, bread.nodeId);
  return { health, baking, sleep, melatonin, bread };
}

describe('the categories that v1 suggests', () => {
  const NIGHT = 'Evening light delays melatonin, sleep and the circadian rhythm; deep sleep restores memory.';
  const suggest = async (brain: Client, content: string) =>
    (await v1Of(brain).post<api.Suggestions>('/categories/suggest', { content })).suggestions;

  it('are those of related notes, with their place in the tree, and nothing is stored', async () => {
    const brain = await newBrain();
    const { health, melatonin } = await twoSubjects(brain);
    const sleeping = await brain.post<Category>('/categories', { title: 'Nights', parentId: health.id });
    const { melatonin } = {
      melatonin: (await v1Of(brain).get<api.NodeList>('/nodes?search=hormone')).nodes[0],
    };
    await v1Of(brain).assign(sleeping.id, melatonin?.nodeId ?? '');
    const before = await brain.get<Graph>('/graph');
    const found = await suggest(brain, NIGHT);
    expect(found.map(({ name, level, parentId }) => ({ name, level, parentId }))).toEqual(
      expect.arrayContaining([
        { name: 'Nights', level: 1, parentId: health.id },
        { name: 'Health', level: 0, parentId: undefined },
      ]),
    );
    expect(found.map(({ name }) => name)).not.toContain('Baking');
    for (const { confidence, reason } of found) {
      expect([confidence > 0, confidence <= 1]).toEqual([true, true]);
      expect(reason).toMatch(/related note/);
    }
    expect(found.map(({ confidence }) => confidence)).toEqual(
      found.map(({ confidence }) => confidence).toSorted((a, b) => b - a),
    );
    expect(await brain.get('/graph')).toEqual(before);
  });

  it('are the terms that the text shares with its related notes, where these are in none', async () => {
    const brain = await newBrain();
    await v1Of(brain).create(SLEEP.sleep.content, { title: 'Sleep' });
    await v1Of(brain).create(SLEEP.melatonin.content);
    const found = await suggest(brain, NIGHT);
    expect(found.length).toBeGreaterThan(0);
    const words = `${SLEEP.sleep.content} ${SLEEP.melatonin.content}`.toLowerCase();
    for (const { name, level } of found)
      expect([words.includes(name.toLowerCase()), level]).toEqual([true, 0]);
  });

  it('are none in an empty graph', async () => {
    expect(await suggest(await newBrain(), NIGHT)).toEqual([]);
  });
});

describe('categorising by rule', () => {
  const categoriesOf = async (brain: Client, id: string) =>
    (await v1Of(brain).get<{ categories: api.AssignedCategory[] }>(`/nodes/${id}/categories`)).categories;

  it('puts a note where its tags and its related notes say, and leaves what people said', async () => {
    const brain = await newBrain();
    const { melatonin, sleep, health, baking } = await twoSubjects(brain);
    const { post, put } = v1Of(brain);
    await put(`/nodes/${melatonin.nodeId}`, { content: SLEEP.melatonin.content, tags: ['baking'] });
    const answer = await post<{ categories: api.AssignedCategory[] }>(
      `/nodes/${melatonin.nodeId}/categories`,
    );
    expect(answer.categories.map(({ id, method, confidence }) => [id, method, confidence < 1])).toEqual([
      [baking.id, 'rule-based', true],
      [health.id, 'rule-based', true],
    ]);
    expect(await categoriesOf(brain, melatonin.nodeId)).toEqual(answer.categories);
    await post(`/nodes/${sleep.nodeId}/categories`);
    expect((await categoriesOf(brain, sleep.nodeId))[0]).toMatchObject({
      id: health.id,
      method: 'manual',
      confidence: 1,
    });
  });

  it('takes back what no longer holds, and changes nothing the second time', async () => {
    const brain = await newBrain();
    const { melatonin } = await twoSubjects(brain);
    const { post, put, get } = v1Of(brain);
    await post(`/nodes/${melatonin.nodeId}/categories`);
    const once = await get<api.Node>(`/nodes/${melatonin.nodeId}`);
    await post(`/nodes/${melatonin.nodeId}/categories`);
    expect(await get(`/nodes/${melatonin.nodeId}`)).toEqual(once);
    await put(`/nodes/${melatonin.nodeId}`, { content: 'Zebras graze on the savanna.', title: 'Zebras' });
    await post(`/nodes/${melatonin.nodeId}/categories`);
    expect(await categoriesOf(brain, melatonin.nodeId)).toEqual([]);
  });
});

describe('a rebuild of the categories', () => {
  it('merges siblings of one title with all that is in and below them', async () => {
    const brain = await newBrain();
    const { category, create, assign, post, get } = v1Of(brain);
    const [first, second] = [await category('Work'), await category(' work ')];
    const under = (title: string, parentId: string) =>
      brain.post<Category>('/categories', { title, parentId });
    const [inbox, twin] = [await under('Inbox', first.id), await under('INBOX', second.id)];
    const deep = await under('Deep', twin.id);
    const notes = await Promise.all(Array.from({ length: 40 }, (_, i) => create(`errand number ${i}`)));
    await Promise.all(notes.map(({ nodeId }) => assign(second.id, nodeId)));
    await assign(first.id, notes[0]?.nodeId ?? '');
    await assign(twin.id, notes[1]?.nodeId ?? '');
    expect(await post('/categories/rebuild')).toMatchObject({
      categoriesProcessed: 5,
      categoriesMerged: 2,
      hierarchiesCreated: 0,
    });
    const { categories, hierarchy } = await get<api.Hierarchy>('/categories/hierarchy');
    expect(categories.map(({ id, noteCount }) => [id, noteCount])).toEqual([
      [first.id, 40],
      [inbox.id, 1],
      [deep.id, 0],
    ]);
    expect(hierarchy).toEqual({ [first.id]: [inbox.id], [inbox.id]: [deep.id] });
  });

  it('puts a category below the smallest that has all of its notes and more', async () => {
    const brain = await newBrain();
    const { category, create, assign, post, get } = v1Of(brain);
    const [all, some, few] = [await category('All'), await category('Some'), await category('Few')];
    const notes = await Promise.all(Array.from({ length: 5 }, (_, i) => create(`errand number ${i}`)));
    for (const [i, { nodeId }] of notes.entries()) {
      await assign(all.id, nodeId);
      if (i < 3) await assign(some.id, nodeId);
      if (i < 2) await assign(few.id, nodeId);
    }
    expect(await post('/categories/rebuild')).toMatchObject({ hierarchiesCreated: 2, categoriesMerged: 0 });
    expect((await get<api.Hierarchy>('/categories/hierarchy')).hierarchy).toEqual({
      [all.id]: [some.id],
      [some.id]: [few.id],
    });
    expect(await post('/categories/rebuild')).toMatchObject({ hierarchiesCreated: 0, categoriesMerged: 0 });
  });

  it('categorises what nobody has, and done again changes nothing', async () => {
    const brain = await newBrain();
    const { melatonin, health, sleep } = await twoSubjects(brain);
    const { post, get } = v1Of(brain);
    expect(await post('/categories/rebuild')).toMatchObject({
      message: 'Of 2 categories 0 were merged and 0 put below another; 1 notes were categorised anew',
    });
    const { memories } = await get<{ memories: api.Node[] }>(`/categories/${health.id}/nodes`);
    expect(memories.map(({ nodeId }) => nodeId)).toEqual([sleep.nodeId, melatonin.nodeId]);
    const before = await brain.get<Graph>('/graph');
    await post('/categories/rebuild');
    expect(await brain.get('/graph')).toEqual(before);
  });

  it('leaves the categories that an import gave', async () => {
    const brain = await newBrain();
    const { post, get } = v1Of(brain);
    await brain.importNotes([
      { key: 'a', ...SLEEP.sleep, category: ['Folder'] },
      { key: 'b', ...SLEEP.bread, category: ['Folder'] },
    ]);
    const before = await get('/categories');
    await post('/categories/rebuild');
    expect(await get('/categories')).toEqual(before);
  });
});

describe('what the categories tell', () => {
  it('follows from the notes: what is active, what grows, what belongs together, what is missing', async () => {
    const brain = await newBrain();
    const { health, baking, melatonin, bread } = await twoSubjects(brain);
    const { get, assign, create } = v1Of(brain);
    const hormones = await v1Of(brain).category('Hormones');
    const empty = await v1Of(brain).category('Empty');
    await assign(hormones.id, melatonin.nodeId);
    const alone = await create('Zebras graze on the savanna.');
    const before = await get<api.Insights>('/categories/insights');
    expect(before.suggestedConnections).toEqual([]); // they are connected
    expect(
      before.mostActiveCategories.map(({ categoryId, recentChanges }) => [categoryId, recentChanges]),
    ).toEqual([hormones, baking, health].map(({ id }) => [id, 1]));
    expect(
      before.categoryGrowthTrends.map(({ categoryId, trend, periods }) => [
        categoryId,
        trend,
        periods.length,
      ]),
    ).toEqual([baking, health, hormones].map(({ id }) => [id, 'growing', 6]));
    for (const { periods } of before.categoryGrowthTrends)
      expect(periods.map(({ created }) => created)).toEqual([0, 0, 0, 0, 0, 1]);
    const gaps = before.knowledgeGaps.map(({ kind, categoryId, nodeId }) => [kind, categoryId ?? nodeId]);
    expect(gaps).toEqual([
      ...[baking, empty, health, hormones].map(({ id }) => ['few-notes', id]),
      ['unconnected-note', alone.nodeId],
      ['unconnected-note', bread.nodeId],
    ]);
  });

  it('suggests no connection that there is or that was rejected', async () => {
    const brain = await newBrain();
    const { sleep, melatonin } = await twoSubjects(brain);
    const { get, assign, category } = v1Of(brain);
    await assign((await category('Hormones')).id, melatonin.nodeId);
    const suggested = async () => (await get<api.Insights>('/categories/insights')).suggestedConnections;
    expect(await suggested()).toEqual([]);
    const [edge] = await brain.edgesOf(sleep.nodeId);
    const rejected = await brain.send(
      'PATCH',
      `/edges/${edge?.id}`,
      { status: 'rejected' },
      { 'if-match': '*' },
    );
    expect(rejected.status).toBe(200);
    expect(await suggested()).toEqual([]);
    await brain.drop(`/edges/${edge?.id}`);
    expect(await suggested()).toEqual([]);
  });

  it('suggests the most related notes of different categories that the engine kept no edge for', async () => {
    const brain = await newBrain();
    const [one, two] = ['One', 'Two'];
    await brain.importNotes(
      Array.from({ length: 30 }, (_, i) => ({
        key: `k${i}`,
        title: `Note ${i}`,
        content: `${SLEEP.sleep.content} Also ${i}.`,
        category: [i % 2 === 0 ? one : two],
      })),
    );
    const { get } = v1Of(brain);
    const { suggestedConnections } = await get<api.Insights>('/categories/insights');
    expect(suggestedConnections).toHaveLength(10);
    const strengths = suggestedConnections.map(({ strength }) => strength);
    expect(strengths).toEqual(strengths.toSorted((a, b) => b - a));
    for (const { source, target, reason } of suggestedConnections) {
      expect(source.categoryIds).not.toEqual(target.categoryIds);
      expect(
        (await brain.edgesOf(source.nodeId)).flatMap((edge) => [edge.sourceId, edge.targetId]),
      ).not.toContain(target.nodeId);
      expect(reason).toMatch(/^both are about ./);
    }
  });
});
