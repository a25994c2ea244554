import { describe, expect, it } from 'vitest';
import type { Page } from '../../src/api/common.ts';
import type { Category, Node } from '../../src/api/v2.ts';
import { ifMatch, newBrain, type Client } from './client.ts';

const NOBODY = '01900000-0000-7000-8000-000000000000';

const make = ({ post }: Client, title: string, parentId: string | null = null) =>
  post<Category>('/categories', { title, parentId });

const listed = async ({ get }: Client) => (await get<{ items: Category[] }>('/categories')).items;

describe('the list of categories', () => {
  it('comes by pages in the order of the tree, also while others are made and titles change', async () => {
    const brain = await newBrain();
    const health = await make(brain, 'Health');
    const rest = await make(brain, 'Rest', health.id);
    await make(brain, 'Sleep', rest.id);
    await make(brain, 'Art');
    await make(brain, 'Work');
    const whole = (await listed(brain)).map(({ title }) => title);
    expect(whole).toEqual(['Art', 'Health', 'Rest', 'Sleep', 'Work']);
    expect((await brain.all<Category>('/categories', { limit: '2' })).map(({ title }) => title)).toEqual(
      whole,
    );

    const first = await brain.send<Page<Category>>('GET', '/categories?limit=3');
    expect(first.headers['link']).toContain('rel="next"');
    const { next } = first.body.page;
    await make(brain, 'Biology'); // before the cursor: of the page that was given already
    await make(brain, 'Travel');
    const second = await brain.send<Page<Category>>('GET', `/categories?limit=3&cursor=${next}`);
    expect(second.body.items.map(({ title }) => title)).toEqual(['Sleep', 'Travel', 'Work']);
    expect(second.body.page).toEqual({ next: null, hasMore: false });

    for (const path of [`/edges?cursor=${next}`, `/categories?cursor=${next?.slice(0, -2)}AA`])
      expect([path, (await brain.send('GET', path)).body.code]).toEqual([path, 'malformed']);
  });
});

describe('a category', () => {
  it('is created, read, changed by a merge patch under If-Match, and deleted', async () => {
    const brain = await newBrain();
    const input = { title: ' Health ', description: 'body', color: '#AABBCC', icon: 'heart' };
    const created = await brain.send<Category>('POST', '/categories', input);
    expect(created.status).toBe(201);
    const { id } = created.body;
    expect(created.headers['location']).toBe(`/api/v2/categories/${id}`);
    expect(created.body).toMatchObject({
      title: 'Health',
      description: 'body',
      color: '#aabbcc',
      icon: 'heart',
      level: 0,
      parentId: null,
      noteCount: 0,
      aiGenerated: false,
      version: 1,
    });
    const patch = (body: object, headers = {}) =>
      brain.send<Category>('PATCH', `/categories/${id}`, body, headers);
    expect((await patch({ title: 'x' })).status).toBe(428);
    const done = await patch({ color: null, icon: null }, ifMatch(1));
    expect(done.body).toMatchObject({
      title: 'Health',
      description: 'body',
      color: null,
      icon: null,
      version: 2,
    });
    expect((await patch({ title: 'x' }, ifMatch(1))).status).toBe(412);
    expect(await brain.get(`/categories/${id}`)).toEqual(done.body);
    await brain.drop(`/categories/${id}`, 2);
    expect((await brain.send('GET', `/categories/${id}`)).status).toBe(404);
  });

  it('that breaks rules is told all of them', async () => {
    const { send } = await newBrain();
    const shape = await send('POST', '/categories', { title: '', color: 'red', icon: '' });
    expect(shape.body.errors?.map((e) => e.pointer).sort()).toEqual(['/color', '/icon', '/title']);
    const parent = await send('POST', '/categories', { title: 'x', parentId: NOBODY });
    expect([parent.status, parent.body.errors?.[0]]).toMatchObject([
      422,
      { pointer: '/parentId', code: 'not_found' },
    ]);
  });

  it('of an id that is unknown or none is 404', async () => {
    const { send } = await newBrain();
    for (const id of [NOBODY, 'x']) {
      const answers = [
        await send('GET', `/categories/${id}`),
        await send('PATCH', `/categories/${id}`, { title: 'x' }, ifMatch('*')),
        await send('DELETE', `/categories/${id}`, undefined, ifMatch('*')),
        await send('POST', `/categories/${id}/move`, { parentId: null }, ifMatch('*')),
        await send('GET', `/categories/${id}/nodes`),
        await send('POST', `/categories/${id}/nodes`, { nodeIds: [NOBODY] }),
        await send('POST', `/categories/${id}/nodes/remove`, { nodeIds: [NOBODY] }),
        await send('DELETE', `/categories/${id}/nodes/${NOBODY}`),
      ];
      expect(answers.map((a) => a.status)).toEqual(answers.map(() => 404));
    }
  });
});

describe('the tree of categories', () => {
  it('is listed parents before children, siblings by title, with levels', async () => {
    const brain = await newBrain();
    const work = await make(brain, 'Work');
    const art = await make(brain, 'Art');
    const mail = await make(brain, 'Mail', work.id);
    await make(brain, 'Inbox', mail.id);
    await make(brain, 'Desk', work.id);
    expect((await listed(brain)).map((c) => `${c.level} ${c.title}`)).toEqual([
      '0 Art',
      '0 Work',
      '1 Desk',
      '1 Mail',
      '2 Inbox',
    ]);
    expect(art.level).toBe(0);
  });

  it('stays three levels deep and without a cycle, also when a subtree moves', async () => {
    const brain = await newBrain();
    const root = await make(brain, 'root');
    const child = await make(brain, 'child', root.id);
    const leaf = await make(brain, 'leaf', child.id);
    const other = await make(brain, 'other');
    const fourth = await brain.send('POST', '/categories', { title: 'x', parentId: leaf.id });
    expect(fourth.body.errors).toMatchObject([{ pointer: '/parentId', code: 'depth' }]);
    const move = (id: string, parentId: string | null) =>
      brain.send<Category>('POST', `/categories/${id}/move`, { parentId }, ifMatch('*'));
    for (const [id, parent, code] of [
      [root.id, leaf.id, 'cycle'],
      [root.id, root.id, 'cycle'],
      [root.id, other.id, 'depth'],
      [child.id, NOBODY, 'not_found'],
    ] as const) {
      const refused = await brain.send('POST', `/categories/${id}/move`, { parentId: parent }, ifMatch('*'));
      expect([refused.status, refused.body.errors?.[0]?.code]).toEqual([422, code]);
    }
    expect((await move(child.id, other.id)).body).toMatchObject({ level: 1, parentId: other.id, version: 2 });
    expect((await brain.get<Category>(`/categories/${leaf.id}`)).level).toBe(2);
    expect((await move(child.id, null)).body).toMatchObject({ level: 0, parentId: null });
    expect((await brain.get<Category>(`/categories/${leaf.id}`)).level).toBe(1);
    const unversioned = await brain.send('POST', `/categories/${leaf.id}/move`, { parentId: null });
    expect(unversioned.status).toBe(428);
  });

  it('is not cut: a category with others below it is not deleted', async () => {
    const brain = await newBrain();
    const root = await make(brain, 'root');
    const child = await make(brain, 'child', root.id);
    const refused = await brain.send('DELETE', `/categories/${root.id}`, undefined, ifMatch('*'));
    expect([refused.status, refused.body.code, refused.body.details]).toEqual([
      409,
      'conflict',
      { children: 1 },
    ]);
    expect((await brain.sendRoot('DELETE', `/api/v1/categories/${root.id}`)).status).toBe(409);
    await brain.drop(`/categories/${child.id}`);
    await brain.drop(`/categories/${root.id}`);
    expect(await listed(brain)).toEqual([]);
  });
});

describe('the notes of a category', () => {
  it('are assigned and removed many at once; those that are not there are named', async () => {
    const brain = await newBrain();
    const category = await make(brain, 'C');
    const [a, b] = [await brain.create({ content: 'a' }), await brain.create({ content: 'b' })];
    const path = `/categories/${category.id}/nodes`;
    const assigned = await brain.post(
      path,
      { nodeIds: [a.id, NOBODY, b.id, a.id, b.id.toUpperCase()], confidence: 0.5 },
      200,
    );
    expect(assigned).toEqual({ changed: 2, notFound: [NOBODY] });
    expect((await brain.get<Category>(`/categories/${category.id}`)).noteCount).toBe(2);
    const node = await brain.get<Node>(`/nodes/${a.id}`);
    expect(node).toMatchObject({
      categories: [{ id: category.id, confidence: 0.5, method: 'manual' }],
      version: 2,
    });
    expect((await brain.all<Node>(path, { limit: '1' })).map((n) => n.id)).toEqual([a.id, b.id]);
    expect(await brain.post(`${path}/remove`, { nodeIds: [a.id, NOBODY] }, 200)).toEqual({
      changed: 1,
      notFound: [NOBODY],
    });
    await brain.drop(`${path}/${b.id}`);
    expect((await brain.get<Category>(`/categories/${category.id}`)).noteCount).toBe(0);
    expect(await brain.all(path)).toEqual([]);
    expect((await brain.send('DELETE', `${path}/${NOBODY}`)).status).toBe(404);
    expect((await brain.send('POST', path, { nodeIds: [] })).status).toBe(422);
  });

  it('stay when the category is deleted, in however many steps, and are in it no more', async () => {
    const brain = await newBrain();
    const category = await make(brain, 'C');
    const nodes = await Promise.all(
      Array.from({ length: 45 }, (_, i) => brain.create({ content: `note ${i}` })),
    );
    await brain.post(`/categories/${category.id}/nodes`, { nodeIds: nodes.map((n) => n.id) }, 200);
    await brain.drop(`/categories/${category.id}`, 1);
    expect((await brain.send('GET', `/categories/${category.id}`)).status).toBe(404);
    const left = await brain.all<Node>('/nodes');
    expect(left).toHaveLength(45);
    expect(left.flatMap((n) => n.categories)).toEqual([]);
  });

  it('are at most sixteen categories each', async () => {
    const brain = await newBrain();
    const note = await brain.create({ content: 'x' });
    const assign = async (i: number) => {
      const { id } = await make(brain, `C${i}`);
      return brain.send('POST', `/categories/${id}/nodes`, { nodeIds: [note.id] });
    };
    for (let i = 0; i < 16; i++) expect((await assign(i)).status).toBe(200);
    const over = await assign(16);
    expect([over.status, over.body.code]).toEqual([409, 'conflict']);
  });
});
