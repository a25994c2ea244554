import { describe, expect, it } from 'vitest';
import type { NewToken } from '../../src/api/v2-tokens.ts';
import type { Job } from '../../src/api/v2-jobs.ts';
import type { Category, Edge } from '../../src/api/v2.ts';
import { ifMatch, newBrain, SLEEP, type Client } from './client.ts';

async function oneOfEach(client: Client) {
  const [a, b] = [await client.create(SLEEP.sleep), await client.create(SLEEP.bread)];
  const edge = await client.connect({ sourceId: a.id, targetId: b.id });
  const category = await client.post<Category>('/categories', { title: 'Health' });
  const { id } = await client.post<NewToken>('/tokens', { name: 'x' });
  return {
    node: `/nodes/${a.id}`,
    edge: `/edges/${edge.id}`,
    category: `/categories/${category.id}`,
    token: `/tokens/${id}`,
  };
}

describe('If-None-Match', () => {
  it('gives 304 without a body for every one thing that can be got, until it changes', async () => {
    const client = await newBrain();
    const job = await client.post<Job>('/exports', { format: 'ndjson' }, 202);
    await client.brain.services.jobs.idle(); // until it is over it changes
    const paths = [...Object.values(await oneOfEach(client)), `/jobs/${job.id}`];
    const table = client.brain.app.routeTable;
    const ofOne = table.filter(({ method, url }) => method === 'GET' && /^\/api\/v2\/\w+\/:id$/.test(url));
    expect(ofOne).toHaveLength(paths.length);
    for (const path of paths) {
      const { headers } = await client.send('GET', path);
      const tag = headers['etag'] ?? '';
      for (const known of [tag, `W/${tag}`, `"other", ${tag}`, '*']) {
        const answer = await client.send('GET', path, undefined, { 'if-none-match': known });
        expect([path, known, answer.status, answer.text, answer.headers['etag']]).toEqual([
          path,
          known,
          304,
          '',
          tag,
        ]);
      }
      const other = await client.send('GET', path, undefined, { 'if-none-match': '"other"' });
      expect([path, other.status]).toEqual([path, 200]);
    }
  });

  it('sees that a category has another note, or another place, though its version is the same', async () => {
    const client = await newBrain();
    const { id } = await client.create(SLEEP.sleep);
    const category = await client.post<Category>('/categories', { title: 'Health' });
    const path = `/categories/${category.id}`;
    const tag = async () => (await client.send('GET', path)).headers['etag'] ?? '';
    const before = await tag();
    await client.post(`${path}/nodes`, { nodeIds: [id] }, 200);
    const after = await tag();
    expect(after).not.toBe(before);
    expect((await client.send('GET', path, undefined, { 'if-none-match': before })).status).toBe(200);
    // To change it, the version is what counts: both tags are of the one.
    const patched = await client.send<Category>('PATCH', path, { title: 'Body' }, { 'if-match': before });
    expect([patched.status, patched.body.version, patched.headers['etag']]).toEqual([200, 2, await tag()]);
    expect((await client.send('PATCH', path, { title: 'Mind' }, { 'if-match': after })).status).toBe(412);
  });
});

describe('a stale change', () => {
  it('is told the current version, and which of its fields are stored with another value', async () => {
    const client = await newBrain();
    const { id, tags } = await client.create({ ...SLEEP.sleep, tags: ['health'] });
    await client.patch(id, { title: 'Slumber' }, 1);
    const change = { title: 'Rest', content: SLEEP.sleep.content, tags, archived: true };
    const refused = await client.send('PATCH', `/nodes/${id}`, change, ifMatch(1));
    expect([refused.status, refused.body.code]).toEqual([412, 'stale']);
    expect(refused.body.details).toEqual({
      currentVersion: 2,
      expectedVersion: 1,
      differing: ['title', 'archived'],
    });
    const again = await client.send('PATCH', `/nodes/${id}`, { title: 'Slumber' }, ifMatch(1));
    expect(again.body.details).toMatchObject({ differing: [] });
    const dropped = await client.send('DELETE', `/nodes/${id}`, undefined, ifMatch(1));
    expect(dropped.body.details).toEqual({ currentVersion: 2, expectedVersion: 1 });
  });

  it('of an edge or a category is told the same', async () => {
    const client = await newBrain();
    const { edge, category } = await oneOfEach(client);
    await client.send<Edge>('PATCH', edge, { weight: 0.3 }, ifMatch(1));
    await client.send<Category>('PATCH', category, { title: 'Body' }, ifMatch(1));
    const answers = [
      await client.send('PATCH', edge, { weight: 0.5, status: 'accepted' }, ifMatch(1)),
      await client.send('PATCH', category, { title: 'Mind', description: '' }, ifMatch(1)),
      await client.send('POST', `${category}/move`, { parentId: null }, ifMatch(1)),
    ];
    expect(answers.map(({ status }) => status)).toEqual([412, 412, 412]);
    expect(answers.map(({ body }) => body.details?.['differing'])).toEqual([['weight'], ['title'], []]);
  });
});
