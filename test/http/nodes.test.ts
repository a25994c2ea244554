import { describe, expect, it } from 'vitest';
import type { Edge, LinkedNode, Neighbors, Node, SearchHit } from '../../src/api/v2.ts';
import { ifMatch, newBrain, SLEEP } from './client.ts';

const NOBODY = '01900000-0000-7000-8000-000000000000';

describe('one note', () => {
  it('is created at version 1 with its place and ETag, and read back as it was given', async () => {
    const { send, get } = await newBrain();
    const input = { title: 'Sleep', content: 'a\r\nb', tags: ['Health', 'health'], aliases: ['Rest'] };
    const created = await send<LinkedNode>('POST', '/nodes', input);
    expect(created.status).toBe(201);
    expect(created.headers['etag']).toBe('"1"');
    expect(created.headers['location']).toBe(`/api/v2/nodes/${created.body.id}`);
    expect(created.headers['api-version']).toBe('2');
    const read = await get<Node>(`/nodes/${created.body.id}`);
    expect({ ...read, edges: [] }).toEqual(created.body);
    expect(read).toMatchObject({
      title: 'Sleep',
      label: 'Sleep',
      content: 'a\nb',
      tags: ['Health'],
      aliases: ['Rest'],
      format: 'markdown',
      archived: false,
      categories: [],
      source: { kind: 'api' },
      version: 1,
    });
  });

  it('is answered with 304 and its ETag when the caller has it, and whole when not', async () => {
    const { create, patch, send } = await newBrain();
    const { id } = await create({ content: 'one' });
    for (const known of ['"1"', 'W/"1"', '"7", "1"', '*']) {
      const answer = await send('GET', `/nodes/${id}`, undefined, { 'if-none-match': known });
      expect([known, answer.status, answer.text, answer.headers['etag']]).toEqual([known, 304, '', '"1"']);
    }
    await patch(id, { content: 'two' });
    const fresh = await send<Node>('GET', `/nodes/${id}`, undefined, { 'if-none-match': '"1"' });
    expect([fresh.status, fresh.body.content, fresh.headers['etag']]).toEqual([200, 'two', '"2"']);
  });

  it('takes a merge patch: absent stays, null empties, in both content types', async () => {
    const { create, send } = await newBrain();
    const { id } = await create({ title: 'T', content: 'text', tags: ['a'], aliases: ['b'] });
    const first = await send<LinkedNode>('PATCH', `/nodes/${id}`, { tags: null }, ifMatch(1));
    expect(first.body).toMatchObject({ title: 'T', content: 'text', tags: [], aliases: ['b'], version: 2 });
    expect(first.headers['etag']).toBe('"2"');
    const second = await send<LinkedNode>(
      'PATCH',
      `/nodes/${id}`,
      { title: null, aliases: null, format: 'text' },
      { ...ifMatch(2), 'content-type': 'application/merge-patch+json' },
    );
    expect(second.body).toMatchObject({
      title: '',
      content: 'text',
      aliases: [],
      format: 'text',
      version: 3,
    });
    const blank = await send('PATCH', `/nodes/${id}`, { content: null }, ifMatch(3));
    expect([blank.status, blank.body.errors?.[0]?.code]).toEqual([422, 'blank']);
  });

  it('stays at its version when a patch changes nothing', async () => {
    const { create, patch, get } = await newBrain();
    const { id } = await create({ title: 'T', content: 'text' });
    const same = await patch(id, { title: 'T' }, 1);
    expect(same.version).toBe(1);
    expect((await get<{ seq: number }>('/changes')).seq).toBe(1);
  });

  it('is changed and deleted only under If-Match: 428 without, 412 with the current version, * for any', async () => {
    const { create, send, patch } = await newBrain();
    const { id } = await create({ content: 'one' });
    await patch(id, { content: 'two' });
    for (const [method, body] of [
      ['PATCH', { content: 'x' }],
      ['DELETE', undefined],
    ] as const) {
      const without = await send(method, `/nodes/${id}`, body);
      expect([without.status, without.body.code]).toEqual([428, 'version_required']);
      const stale = await send(method, `/nodes/${id}`, body, ifMatch(1));
      expect([stale.status, stale.body.code]).toEqual([412, 'stale']);
      expect(stale.body.details).toMatchObject({ currentVersion: 2 });
      const unreadable = await send(method, `/nodes/${id}`, body, { 'if-match': 'two' });
      expect([unreadable.status, unreadable.body.code]).toEqual([400, 'malformed']);
    }
    expect((await send<Node>('GET', `/nodes/${id}`)).body.content).toBe('two');
    expect((await send('PATCH', `/nodes/${id}`, { content: 'x' }, ifMatch('*'))).status).toBe(200);
    expect((await send('DELETE', `/nodes/${id}`, undefined, ifMatch(3))).status).toBe(204);
    expect((await send('GET', `/nodes/${id}`)).status).toBe(404);
  });

  it('of an id that is unknown, or no id at all, is 404 in every method', async () => {
    const { send } = await newBrain();
    for (const id of [NOBODY, 'x', '%00', 'a'.repeat(300)]) {
      const answers = [
        await send('GET', `/nodes/${id}`),
        await send('PATCH', `/nodes/${id}`, { title: 'x' }, ifMatch('*')),
        await send('DELETE', `/nodes/${id}`, undefined, ifMatch('*')),
        await send('GET', `/nodes/${id}/edges`),
        await send('GET', `/nodes/${id}/related`),
        await send('GET', `/nodes/${id}/neighbors`),
      ];
      expect(answers.map((a) => [a.status, a.body.code])).toEqual(answers.map(() => [404, 'not_found']));
    }
  });

  it('of a source key that another note has is refused with the id of that note', async () => {
    const { create, send } = await newBrain();
    const source = { kind: 'api', key: 'books/1' } as const;
    const { id } = await create({ content: 'one', source });
    const second = await send('POST', '/nodes', { content: 'two', source });
    expect([second.status, second.body.code, second.body.details]).toEqual([409, 'conflict', { nodeId: id }]);
  });
});

describe('a body that is not a note', () => {
  it('with an unknown field is refused, naming the field that was meant', async () => {
    const { send } = await newBrain();
    const answer = await send('POST', '/nodes', { titel: 'x', content: 'y' });
    expect(answer.status).toBe(422);
    expect(answer.body.errors).toMatchObject([{ pointer: '/titel', code: 'unknown_field' }]);
    expect(answer.body.errors?.[0]?.message).toContain('did you mean title?');
    const odd = await send('POST', '/nodes', { 'a/b~c': 'x' });
    expect(odd.body.errors?.[0]?.pointer).toBe('/a~1b~0c');
  });

  it('is told every rule that it breaks at once, each under its JSON pointer', async () => {
    const { send } = await newBrain();
    const shape = await send('POST', '/nodes', { title: 1, tags: ['ok', 2], content: false });
    expect(shape.body.errors?.map((e) => e.pointer).sort()).toEqual(['/content', '/tags/1', '/title']);
    const rules = await send('POST', '/nodes', {
      title: 'a\u0000b',
      content: 'half \ud83d',
      tags: ['ok', 'x'.repeat(150)],
      source: { kind: 'api', key: '\u0000' },
    });
    expect(rules.status).toBe(422);
    expect(rules.body.errors?.map((e) => e.pointer).sort()).toEqual([
      '/content',
      '/source/key',
      '/tags/1',
      '/title',
    ]);
  });

  it('is told which rule of a field that may also be null it breaks', async () => {
    const { create, send } = await newBrain();
    const { id } = await create({ content: 'x' });
    const body = { title: 'x'.repeat(501), tags: ['ok', ''], aliases: 7, archived: 'yes' };
    const { body: problem } = await send('PATCH', `/nodes/${id}`, body, ifMatch('*'));
    expect(problem.errors?.map(({ pointer, code }) => `${pointer} ${code}`).sort()).toEqual([
      '/aliases enum',
      '/archived type',
      '/tags/1 minLength',
      '/title maxLength',
    ]);
    expect(problem.errors?.find((e) => e.pointer === '/aliases')?.message).toBe(
      'aliases must be one of array, null',
    );
  });

  it('is told at most a hundred broken rules, however many it breaks', async () => {
    const { send } = await newBrain();
    const answer = await send('POST', '/nodes', { tags: Array.from({ length: 100_000 }, () => 1) });
    expect(answer.status).toBe(422);
    expect(answer.body.errors?.length).toBeLessThanOrEqual(100);
    expect(answer.text.length).toBeLessThan(50_000);
  });

  it('is 400 where it cannot be read, 415 in another type, 413 above a megabyte', async () => {
    const { send } = await newBrain();
    const cases: [unknown, string, number, string][] = [
      ['{"title":', 'application/json', 400, 'malformed'],
      ['', 'application/json', 400, 'malformed'],
      ['{"__proto__":{"title":"x"}}', 'application/json', 400, 'malformed'],
      [Buffer.from([0x7b, 0xff, 0xfe, 0x7d]), 'application/json', 400, 'malformed'],
      ['title=x', 'application/x-www-form-urlencoded', 415, 'unsupported_media_type'],
      ['a thought', 'text/plain', 415, 'unsupported_media_type'],
      ['{}', 'application/x-ndjson', 415, 'unsupported_media_type'],
      [JSON.stringify({ content: 'x'.repeat(1024 * 1024) }), 'application/json', 413, 'too_large'],
    ];
    for (const [body, type, status, code] of cases) {
      const answer = await send('POST', '/nodes', body, { 'content-type': type });
      expect([type, answer.status, answer.body.code]).toEqual([type, status, code]);
    }
    const form = await send('POST', '/nodes', 'title=x', { 'content-type': 'text/plain' });
    expect(form.body.detail).toContain('application/json');
  });

  it('that is missing is said to be missing', async () => {
    const { send } = await newBrain();
    expect(await send('POST', '/exports')).toMatchObject({
      status: 422,
      body: { detail: 'a body is required' },
    });
  });

  it('of a content above 300,000 bytes is refused, and one of that size is kept to the letter', async () => {
    const { send, get } = await newBrain();
    const over = await send('POST', '/nodes', { content: 'é'.repeat(150_001) });
    expect([over.status, over.body.errors?.[0]?.pointer]).toEqual([422, '/content']);
    const content = 'é'.repeat(150_000);
    const { body } = await send<LinkedNode>('POST', '/nodes', { content });
    expect((await get<Node>(`/nodes/${body.id}`)).content).toBe(content);
  });
});

describe('a linked note', () => {
  it('is answered with the edges in force and their reasons', async () => {
    const { create, patch, edgesOf } = await newBrain();
    const melatonin = await create(SLEEP.melatonin);
    await create(SLEEP.bread);
    expect(melatonin.edges).toEqual([]);
    const sleep = await create(SLEEP.sleep);
    expect(sleep.edges).toHaveLength(1);
    const [edge] = sleep.edges as [Edge];
    expect([edge.sourceId, edge.targetId].sort()).toEqual([melatonin.id, sleep.id].sort());
    expect(edge).toMatchObject({ type: 'related', origin: 'auto', status: 'proposed', version: 1 });
    expect(edge.weight).toBeGreaterThan(0.15);
    expect(edge.reasons.map((r) => r.term.toLowerCase())).toContain('melatonin');
    expect(edge.reasons.reduce((sum, r) => sum + r.contribution, 0)).toBeLessThanOrEqual(1.0001);
    expect(await edgesOf(melatonin.id)).toEqual(sleep.edges);
    const unlike = await patch(sleep.id, {
      title: 'Steam',
      content: 'An oven for sourdough with steam and flour.',
    });
    expect(unlike.edges.map((e) => [e.sourceId, e.targetId].includes(melatonin.id))).not.toContain(true);
  });

  it('that is archived is in no list, search, graph or ranking, and all of it comes back', async () => {
    const { create, patch, get, all, connect } = await newBrain();
    const melatonin = await create(SLEEP.melatonin);
    const sleep = await create(SLEEP.sleep);
    const drawn = await connect({ sourceId: sleep.id, targetId: melatonin.id });
    const seen = async () => ({
      list: (await all<Node>('/nodes')).some((n) => n.id === sleep.id),
      search: (await get<{ items: SearchHit[] }>('/search?q=circadian')).items.some(
        (h) => h.node.id === sleep.id,
      ),
      graph: (await get<{ nodes: Node[] }>('/graph')).nodes.some((n) => n.id === sleep.id),
      graphEdges: (await get<{ edges: Edge[] }>('/graph')).edges.length > 0,
      related:
        (await get<{ items: { nodeId: string }[] }>(`/nodes/${melatonin.id}/related`)).items.length > 0,
      neighbors: (await get<{ items: unknown[] }>(`/nodes/${melatonin.id}/neighbors`)).items.length > 0,
    });
    const there = { list: true, search: true, graph: true, graphEdges: true, related: true, neighbors: true };
    const gone = Object.fromEntries(Object.keys(there).map((key) => [key, false]));
    expect(await seen()).toEqual(there);
    const archived = await patch(sleep.id, { archived: true });
    expect(archived.archived).toBe(true);
    expect(archived.edges.map((e) => e.id)).toEqual([drawn.id]);
    expect(await seen()).toEqual(gone);
    expect((await all<Node>('/nodes', { archived: 'true' })).map((n) => n.id)).toEqual([sleep.id]);
    const later = await create({ title: 'Night', content: SLEEP.sleep.content });
    expect(later.edges.some((e) => [e.sourceId, e.targetId].includes(sleep.id))).toBe(false);
    const restored = await patch(sleep.id, { archived: false });
    expect(await seen()).toEqual(there);
    expect(restored.edges.map((e) => e.origin)).toContain('auto');
  });

  it('that is archived has no automatic edge in force from either side, and gets those of both back', async () => {
    const { create, patch, edgesOf, all, get } = await newBrain();
    const melatonin = await create(SLEEP.melatonin);
    const sleep = await create(SLEEP.sleep);
    await patch(melatonin.id, { content: `${SLEEP.melatonin.content} Truly.` }); // now both texts ask for the edge
    const archived = await patch(sleep.id, { archived: true });
    const unchanged = await patch(melatonin.id, { title: melatonin.title });
    const near = await get<Neighbors>(`/nodes/${sleep.id}/neighbors?depth=2`);
    expect([
      archived.edges,
      unchanged.edges,
      near,
      await edgesOf(melatonin.id),
      await all('/edges'),
      await all('/edges', { node: sleep.id }),
    ]).toEqual([[], [], { items: [], edges: [] }, [], [], []]);
    const { edges } = await patch(sleep.id, { archived: false });
    expect(edges).toHaveLength(1);
    expect(await edgesOf(melatonin.id)).toEqual(edges);
  });

  it('that is deleted takes its edges with it, and is found no more', async () => {
    const { create, drop, get, edgesOf, connect, send } = await newBrain();
    const melatonin = await create(SLEEP.melatonin);
    const sleep = await create(SLEEP.sleep);
    const drawn = await connect({ sourceId: sleep.id, targetId: melatonin.id });
    await drop(`/nodes/${sleep.id}`);
    expect(await edgesOf(melatonin.id)).toEqual([]);
    expect((await send('GET', `/edges/${drawn.id}`)).status).toBe(404);
    expect((await get<{ items: SearchHit[] }>('/search?q=restores')).items).toEqual([]);
    expect((await get<{ edges: Edge[] }>('/graph')).edges).toEqual([]);
  });
});

describe('a method that a path does not take', () => {
  it('is 405 with Allow; a path that is not there is 404', async () => {
    const { send, sendRoot } = await newBrain();
    const cases = [
      ['PUT', '/nodes', 'GET, HEAD, POST'],
      ['DELETE', '/nodes', 'GET, HEAD, POST'],
      ['PUT', `/nodes/${NOBODY}`, 'DELETE, GET, HEAD, PATCH'],
      ['POST', '/graph', 'GET, HEAD'],
    ] as const;
    for (const [method, path, allow] of cases) {
      const answer = await send(method, path, {});
      expect([path, answer.status, answer.headers['allow'], answer.body.code]).toEqual([
        path,
        405,
        allow,
        'method_not_allowed',
      ]);
    }
    expect((await send('GET', '/nothing')).body.code).toBe('not_found');
    expect((await sendRoot('GET', '/nowhere')).status).toBe(404);
  });

  it('HEAD answers what GET would, without a body', async () => {
    const { create, send } = await newBrain();
    const { id } = await create({ content: 'x' });
    const answer = await send('HEAD', `/nodes/${id}`);
    expect([answer.status, answer.text, answer.headers['etag']]).toEqual([200, '', '"1"']);
  });
});
