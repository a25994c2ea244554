import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Page } from '../../src/api/common.ts';
import type { Node } from '../../src/api/v2.ts';
import { newBrain, type Answer } from './client.ts';

const NOBODY = '01900000-0000-7000-8000-000000000000';
type NodePage = Page<Node>;

describe('the list of notes', () => {
  it('pages by cursor without a gap or a repeat while notes are inserted and deleted', async () => {
    const { create, send, drop } = await newBrain();
    const ids: string[] = [];
    for (let i = 0; i < 9; i++) ids.push((await create({ content: `note ${i}` })).id);
    const seen: string[] = [];
    let path: string | undefined = '/nodes?limit=2&sort=createdAt';
    for (let page = 0; path !== undefined; page++) {
      const answer: Answer<NodePage> = await send<NodePage>('GET', path);
      seen.push(...answer.body.items.map((node) => node.id));
      if (page === 0) await drop(`/nodes/${ids[1]}`); // the one that the cursor stands on
      if (page < 2) ids.push((await create({ content: `later ${page}` })).id);
      const link: string | undefined = /^<\/api\/v2(.*)>; rel="next"$/.exec(
        answer.headers['link'] ?? '',
      )?.[1];
      expect(link !== undefined).toBe(answer.body.page.hasMore);
      expect(answer.body.page.next === null).toBe(!answer.body.page.hasMore);
      path = link;
    }
    expect(seen).toEqual(ids);
  });

  it('says that there is more only when there is', async () => {
    const { create, get } = await newBrain();
    for (let i = 0; i < 4; i++)
      await create({ content: `note ${i}`, ...(i % 2 === 0 && { tags: ['even'] }) });
    for (const query of ['limit=4', 'limit=2&tag=even']) {
      const { page } = await get<{ page: Page<Node>['page'] }>(`/nodes?${query}`);
      expect([query, page]).toEqual([query, { next: null, hasMore: false }]);
    }
  });

  it('refuses a cursor that was made up, changed, or taken from another list or filter', async () => {
    const { create, get, send } = await newBrain();
    for (let i = 0; i < 3; i++) await create({ content: `note ${i}`, tags: ['t'] });
    const { page } = await get<{ page: { next: string } }>('/nodes?limit=1');
    const tampered = page.next.slice(0, -2) + (page.next.endsWith('AA') ? 'BB' : 'AA');
    const requests = [
      `/nodes?cursor=made-up`,
      `/nodes?cursor=${tampered}`,
      `/nodes?tag=t&cursor=${page.next}`,
      `/nodes?sort=createdAt&cursor=${page.next}`,
      `/edges?cursor=${page.next}`,
      `/search?q=note&cursor=${page.next}`,
    ];
    for (const path of requests) {
      const answer = await send('GET', path);
      expect([path, answer.status, answer.body.code]).toEqual([path, 400, 'malformed']);
    }
    expect((await send('GET', `/nodes?limit=2&cursor=${page.next}`)).status).toBe(200);
  });

  it('is sorted both ways by creation and by last change', async () => {
    const { create, patch, all } = await newBrain();
    const [a, b, c] = [
      await create({ content: 'a' }),
      await create({ content: 'b' }),
      await create({ content: 'c' }),
    ];
    let last = b.updatedAt;
    // The clock has milliseconds: change it until the change is later than the others.
    while (last <= c.updatedAt)
      last = (await patch(b.id, { content: `b ${last} ${Math.random()}` })).updatedAt;
    const order = async (sort: string) => (await all<Node>('/nodes', { sort, limit: '1' })).map((n) => n.id);
    expect(await order('createdAt')).toEqual([a.id, b.id, c.id]);
    expect(await order('-createdAt')).toEqual([c.id, b.id, a.id]);
    expect((await order('updatedAt')).at(-1)).toBe(b.id);
    expect((await order('-updatedAt'))[0]).toBe(b.id);
    expect((await order('-updatedAt')).toReversed()).toEqual(await order('updatedAt'));
  });

  it('is filtered by tag in any case, category, time of change and archive', async () => {
    const { create, patch, post, all } = await newBrain();
    const tagged = await create({ content: 'tagged', tags: ['Sleep Lab'] });
    const other = await create({ content: 'other', tags: ['Sleep'] });
    const archived = await create({ content: 'archived', tags: ['sleep lab'] });
    await patch(archived.id, { archived: true });
    const category = await post<{ id: string }>('/categories', { title: 'C' });
    await post(`/categories/${category.id}/nodes`, { nodeIds: [other.id, archived.id] }, 200);
    const ids = async (query: Record<string, string>) =>
      (await all<Node>('/nodes', { sort: 'createdAt', limit: '1', ...query })).map((n) => n.id);
    for (const tag of ['sleep lab', 'SLEEP LAB', '#Sleep lab', ' sleep  lab ']) {
      expect([tag, await ids({ tag })]).toEqual([tag, [tagged.id]]);
    }
    expect(await ids({ tag: 'sleep lab', archived: 'true' })).toEqual([archived.id]);
    expect(await ids({ category: category.id })).toEqual([other.id]);
    expect(await ids({ category: category.id, tag: 'sleep' })).toEqual([other.id]);
    expect(await ids({ category: NOBODY })).toEqual([]);
    expect(await ids({ updatedSince: '2100-01-01T00:00:00Z' })).toEqual([]);
    for (const sort of ['createdAt', '-createdAt', 'updatedAt', '-updatedAt']) {
      const { updatedAt } = (await all<Node>('/nodes', { category: category.id }))[0] as Node;
      const since = await ids({ updatedSince: updatedAt, sort });
      expect([sort, since.includes(other.id)]).toEqual([sort, true]);
    }
  });

  it('has what was imported in the order of its times, which are UTC without a zone, wherever the server is', async () => {
    vi.stubEnv('TZ', 'America/New_York');
    onTestFinished(() => void vi.unstubAllEnvs());
    expect(new Date('2026-01-01T00:00:00').getUTCHours()).toBe(5);
    const { importNotes, all } = await newBrain();
    await importNotes([
      { key: 'a', content: 'a', createdAt: '2026-01-01T10:00:00' },
      { key: 'b', content: 'b', createdAt: '2026-01-01T12:00:00Z' },
    ]);
    const listed = await all<Node>('/nodes', { sort: 'createdAt' });
    expect(listed.map(({ createdAt }) => createdAt.slice(11, 16))).toEqual(['10:00', '12:00']);
  });

  it('by the time of a change holds what changed since, that instant included, in both orders', async () => {
    const { importNotes, all } = await newBrain();
    const years = [2001, 2002, 2003, 2004];
    await importNotes(
      years.map((year) => ({ key: `${year}`, content: `of ${year}`, updatedAt: `${year}-06-01T00:00:00Z` })),
    );
    const since = async (sort: string) =>
      (await all<Node>('/nodes', { sort, limit: '1', updatedSince: '2003-06-01T00:00:00Z' })).map(
        (n) => n.source.key,
      );
    expect(await since('updatedAt')).toEqual(['2003', '2004']);
    expect(await since('-updatedAt')).toEqual(['2004', '2003']);
  });

  it('refuses an unknown filter, a value out of range and a sort that it has not, and says what it takes', async () => {
    const { create, send } = await newBrain();
    const { id } = await create({ content: 'x' });
    const cases: [string, string, string][] = [
      ['/nodes?tags=x', '/tags', 'did you mean tag?'],
      ['/nodes?limit=0', '/limit', '>= 1'],
      ['/nodes?limit=201', '/limit', '<= 200'],
      ['/nodes?limit=many', '/limit', 'integer'],
      ['/nodes?limit=1&limit=2', '/limit', 'integer'],
      ['/nodes?sort=title', '/sort', '"-updatedAt"'],
      ['/nodes?archived=perhaps', '/archived', 'boolean'],
      ['/nodes?updatedSince=yesterday', '/updatedSince', 'date'],
      ['/nodes?category=x', '/category', 'pattern'],
      ['/nodes?tag=x&sort=updatedAt', '/sort', 'createdAt'],
      [`/nodes/${id}?fields=title`, '/fields', 'not known'],
      ['/graph?format=ndjson', '/format', 'not known'],
      ['/categories?sort=title', '/sort', 'not known'],
    ];
    for (const [path, pointer, says] of cases) {
      const { status, body } = await send('GET', path);
      expect([path, status, body.errors?.[0]?.pointer]).toEqual([path, 422, pointer]);
      expect(body.detail).toContain(says);
    }
  });
});
