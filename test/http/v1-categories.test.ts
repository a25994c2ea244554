import { describe, expect, it } from 'vitest';
import type * as api from '../../src/api/v1.ts';
import type { Category, Graph } from '../../src/api/v2.ts';
import { newBrain, SLEEP, type Client } from './client.ts';
import { v1Of } from './v1-client.ts';

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
    await v1Of(brain).assign(sleeping.id, melatonin.nodeId);
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
