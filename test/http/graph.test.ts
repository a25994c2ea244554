import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type {
  Changes,
  Edge,
  Graph,
  LinkedNode,
  Neighbors,
  NodeSummary,
  Related,
  SearchHit,
} from '../../src/api/v2.ts';
import { ifMatch, newBrain, SLEEP } from './client.ts';

interface SearchPage {
  readonly items: readonly SearchHit[];
  readonly page: { readonly next: string | null; readonly hasMore: boolean };
}

const LINES = { accept: 'application/x-ndjson' };

describe('the graph', () => {
  it('is every note without its content and every edge in force, at one position of the log', async () => {
    const { create, get, send } = await newBrain();
    const empty = await get<Graph>('/graph');
    expect(empty).toMatchObject({ seq: 0, nodes: [], edges: [] });
    const a = await create(SLEEP.melatonin);
    const b = await create(SLEEP.sleep);
    const graph = await get<Graph>('/graph');
    expect(graph.nodes.map((n) => n.id).sort()).toEqual([a.id, b.id].sort());
    expect(graph.edges).toEqual(b.edges);
    for (const node of graph.nodes) expect(node).not.toHaveProperty('content');
    const { epoch, seq } = await get<Changes>('/changes');
    expect([graph.epoch, graph.seq]).toEqual([epoch, seq]);
    await send('PATCH', `/edges/${b.edges[0]?.id}`, { status: 'rejected' }, { 'if-match': '*' });
    expect((await get<Graph>('/graph')).edges).toEqual([]);
  });

  it('has an ETag of its position and representation, and is 304 while that stands', async () => {
    const { create, send } = await newBrain();
    await create({ content: 'one' });
    const tags: string[] = [];
    for (const headers of [{}, LINES]) {
      const whole = await send('GET', '/graph', undefined, headers);
      const etag = whole.headers['etag'] ?? '';
      expect([whole.status, whole.headers['vary']]).toEqual([200, 'Accept']);
      const known = await send('GET', '/graph', undefined, { ...headers, 'if-none-match': etag });
      expect([known.status, known.text, known.headers['etag']]).toEqual([304, '', etag]);
      tags.push(etag);
    }
    expect(tags[0]).not.toBe(tags[1]);
    await create({ content: 'two' });
    const later = await send<Graph>('GET', '/graph', undefined, { 'if-none-match': tags[0] ?? '' });
    expect([later.status, later.body.nodes.length]).toEqual([200, 2]);
  });

  it('comes as lines on request: the position, then the same notes and edges', async () => {
    const { create, get, send } = await newBrain();
    await create(SLEEP.melatonin);
    await create(SLEEP.sleep);
    const whole = await get<Graph>('/graph');
    const answer = await send('GET', '/graph', undefined, LINES);
    expect(answer.headers['content-type']).toBe('application/x-ndjson');
    const lines = answer.text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines[0]).toEqual({ position: { epoch: whole.epoch, seq: whole.seq } });
    expect(lines.flatMap((line) => line['node'] ?? [])).toEqual(whole.nodes);
    expect(lines.flatMap((line) => line['edge'] ?? [])).toEqual(whole.edges);
  });

  it('never holds an edge without its ends, nor another position than its own, while writers are at work', async () => {
    const { create, drop, get } = await newBrain();
    const state = { writing: true };
    const write = async () => {
      const ids: string[] = [];
      for (let i = 0; i < 40; i++) {
        ids.push((await create({ title: `Sleep ${i}`, content: SLEEP.sleep.content })).id);
        if (i % 3 === 2) await drop(`/nodes/${ids.shift()}`);
      }
    };
    const writer = write().finally(() => (state.writing = false));
    let reads = 0;
    while (state.writing) {
      await setImmediate(); // requests in process never let go of the event loop by themselves
      const graph = await get<Graph>('/graph');
      const ids = new Set(graph.nodes.map((n) => n.id));
      expect(graph.edges.filter((e) => !ids.has(e.sourceId) || !ids.has(e.targetId))).toEqual([]);
      const log = await get<Changes>('/changes?limit=1000');
      const created = log.items.filter((c) => c.seq <= graph.seq && c.type === 'node.created').length;
      const deleted = log.items.filter((c) => c.seq <= graph.seq && c.type === 'node.deleted').length;
      expect([log.hasMore, graph.nodes.length]).toEqual([false, created - deleted]);
      reads += 1;
    }
    await writer;
    expect(reads).toBeGreaterThan(2);
  });
});

describe('search', () => {
  it('ranks the note that is about it first, and highlights what was searched for', async () => {
    const { create, get } = await newBrain();
    const a = await create({
      title: 'Circadian rhythm',
      content: `${'filler words before it. '.repeat(10)}\nThe circadian rhythm, circadian clock.`,
    });
    const b = await create(SLEEP.sleep);
    await create(SLEEP.bread);
    const { items } = await get<SearchPage>('/search?q=circadian');
    expect(items.map((hit) => hit.node.id)).toEqual([a.id, b.id]);
    expect(items[0]?.score).toBeGreaterThan(items[1]?.score ?? 0);
    for (const { snippet, node } of items) {
      expect(snippet.highlights.length).toBeGreaterThan(0);
      for (const [start = 0, end = 0] of snippet.highlights)
        expect(snippet.text.slice(start, end).toLowerCase()).toBe('circadian');
      expect(node).not.toHaveProperty('content');
    }
    expect((await get<SearchPage>('/search?q=circadain')).items.map((hit) => hit.node.id)).toContain(a.id);
    expect((await get<SearchPage>('/search?q=circ')).items).toHaveLength(2);
    expect(await get<SearchPage>('/search?q=zebra')).toEqual({
      items: [],
      page: { next: null, hasMore: false },
    });
  });

  it('highlights stay true slices in texts whose case or letters have other lengths', async () => {
    const { create, get } = await newBrain();
    await create({ content: 'İstanbul\n\tİİ 😀 the Bosphorus ferry; bosphorus 🚢 again' });
    const { items } = await get<SearchPage>('/search?q=bosphorus');
    const { text = '', highlights = [] } = items[0]?.snippet ?? {};
    expect(highlights.length).toBeGreaterThan(0);
    for (const [start = 0, end = 0] of highlights)
      expect(text.slice(start, end).toLowerCase()).toBe('bosphorus');
  });

  it('highlights whole words, in whatever form each note has them', async () => {
    const { create, get } = await newBrain();
    await create({ content: `Restart the cart, ${'and wait '.repeat(30)}for art: ART.` });
    await create({ content: 'Arts of the one elephant. 서울에서 만나요' });
    await create({ content: 'Elephants, and a [link](https://elephant.example)' });
    const found = async (q: string) => {
      const { items } = await get<SearchPage>(`/search?q=${encodeURIComponent(q)}`);
      return items
        .flatMap(({ snippet }) => snippet.highlights.map(([a, b]) => snippet.text.slice(a, b)))
        .sort();
    };
    expect(await found('art')).toEqual(['ART', 'Arts', 'art']);
    expect(await found('elephant')).toEqual(['Elephants', 'elephant']);
    expect(await found('서울에서')).toEqual(['서울에서']);
  });

  it('a snippet is cut between letters, also between those of two units', async () => {
    const { create, get } = await newBrain();
    await create({ content: `${'🚢'.repeat(50)}.bosphorus ${'🚢'.repeat(200)}` });
    await create({ content: `bosphorus  ${'🚢'.repeat(200)}` });
    const { items } = await get<SearchPage>('/search?q=bosphorus');
    expect(items.map(({ snippet }) => snippet.text.replaceAll('🚢', ''))).toEqual(
      expect.arrayContaining(['.bosphorus ', 'bosphorus  ']),
    );
  });

  it('is filtered by tag and category, and pages through its ranking without gap or repeat', async () => {
    const { create, get, all, post } = await newBrain();
    const category = await post<{ id: string }>('/categories', { title: 'C' });
    const notes = [];
    for (let i = 0; i < 7; i++)
      notes.push(await create({ content: `melatonin ${'x '.repeat(i)}`, tags: i % 2 === 0 ? ['Even'] : [] }));
    await post(`/categories/${category.id}/nodes`, { nodeIds: [notes[1]?.id, notes[2]?.id] }, 200);
    const ids = async (query: Record<string, string>) =>
      (await all<SearchHit>('/search', { q: 'melatonin', limit: '2', ...query })).map((hit) => hit.node.id);
    const every = await ids({});
    expect(every.toSorted()).toEqual(notes.map((n) => n.id).sort());
    expect((await ids({ tag: '#even' })).sort()).toEqual(
      notes
        .filter((_, i) => i % 2 === 0)
        .map((n) => n.id)
        .sort(),
    );
    expect(await ids({ category: category.id, tag: 'even' })).toEqual([notes[2]?.id]);
    const first = await get<SearchPage>(`/search?q=melatonin&category=${category.id}&limit=2`);
    expect([first.items.length, first.page.hasMore]).toEqual([2, false]);
  });

  it('goes on after the last note of a page while others come before it, and where that note is gone', async () => {
    const { create, get, send } = await newBrain();
    for (let i = 0; i < 4; i++) await create({ content: `melatonin ${'x '.repeat(i)}` });
    const { items: ranking } = await get<SearchPage>('/search?q=melatonin');
    const page = (cursor?: string | null) =>
      get<SearchPage>(`/search?q=melatonin&limit=1${cursor ? `&cursor=${cursor}` : ''}`);
    const first = await page();
    await create({ title: 'Melatonin', content: 'melatonin' });
    const second = await page(first.page.next);
    await send('DELETE', `/nodes/${second.items[0]?.node.id}`, undefined, ifMatch('*'));
    const third = await page(second.page.next);
    const fourth = await page(third.page.next);
    const seen = [first, second, third, fourth].flatMap(({ items }) => items.map(({ node }) => node.id));
    expect(seen).toEqual(ranking.map(({ node }) => node.id));
    expect(fourth.page.hasMore).toBe(false);
  });

  it('without a query, or with an unknown filter, is an error', async () => {
    const { send } = await newBrain();
    for (const [path, pointer] of [
      ['/search', '/q'],
      ['/search?q=', '/q'],
      [`/search?q=${'x'.repeat(1001)}`, '/q'],
      ['/search?q=x&categroy=y', '/categroy'],
      ['/search?q=x&category=y', '/category'],
    ] as const) {
      const { status, body } = await send('GET', path);
      expect([path.slice(0, 40), status, body.errors?.[0]?.pointer]).toEqual([
        path.slice(0, 40),
        422,
        pointer,
      ]);
    }
  });
});

describe('what is near a note', () => {
  it('neighbors are found up to three edges away, strongest first, above a weight, and through no archived note', async () => {
    const { create, connect, get, patch } = await newBrain();
    const ids: string[] = [];
    for (const word of ['alpha', 'bravo', 'charlie', 'delta', 'echo'])
      ids.push((await create({ content: word })).id);
    const at = (index: number): string => ids[index] ?? '';
    await connect({ sourceId: at(0), targetId: at(1), weight: 0.5 });
    await connect({ sourceId: at(2), targetId: at(1), weight: 0.5 });
    await connect({ sourceId: at(2), targetId: at(3), weight: 1 });
    await connect({ sourceId: at(0), targetId: at(4), weight: 0.9 });
    const near = async (query: string) =>
      (await get<Neighbors>(`/nodes/${at(0)}/neighbors?${query}`)).items.map(
        ({ node, distance, strength }) => [ids.indexOf(node.id), distance, strength],
      );
    expect(await near('')).toEqual([
      [4, 1, 0.9],
      [1, 1, 0.5],
    ]);
    expect(await near('depth=3')).toEqual([
      [4, 1, 0.9],
      [1, 1, 0.5],
      [2, 2, 0.25],
      [3, 3, 0.25],
    ]);
    expect(await near('depth=3&minWeight=0.6')).toEqual([[4, 1, 0.9]]);
    expect(await near('depth=3&limit=3')).toEqual([
      [4, 1, 0.9],
      [1, 1, 0.5],
      [2, 2, 0.25],
    ]);
    const { edges } = await get<Neighbors>(`/nodes/${at(0)}/neighbors?depth=2`);
    expect(edges).toHaveLength(3);
    await patch(at(1), { archived: true });
    expect(await near('depth=3')).toEqual([[4, 1, 0.9]]);
  });

  it('related notes are the ranking of the engine, with reasons, and the edge where one is in force', async () => {
    const { create, get, send } = await newBrain();
    const a = await create(SLEEP.melatonin);
    await create(SLEEP.bread);
    const b = await create(SLEEP.sleep);
    const { items } = await get<Related>(`/nodes/${a.id}/related?limit=1`);
    expect(items).toMatchObject([{ nodeId: b.id, title: 'Sleep', edgeId: b.edges[0]?.id }]);
    expect(items[0]?.reasons.length).toBeGreaterThan(0);
    expect((await send('GET', `/nodes/${a.id}/related?limit=51`)).status).toBe(422);
  });

  it('a preview says what would be linked and why, and stores nothing', async () => {
    const { create, get, post, send } = await newBrain();
    const a = await create(SLEEP.melatonin);
    const before = await get<Graph>('/graph');
    const { items } = await post<Related>('/nodes/preview-links', SLEEP.sleep, 200);
    expect(items).toMatchObject([{ nodeId: a.id, title: 'Melatonin' }]);
    expect(items[0]?.reasons.map((r) => r.term.toLowerCase())).toContain('melatonin');
    expect(await get<Graph>('/graph')).toEqual(before);
    expect((await get<SearchPage>('/search?q=restores')).items).toEqual([]);
    const stored = await create(SLEEP.sleep);
    expect([stored.edges[0]?.sourceId, stored.edges[0]?.targetId]).toContain(a.id);
    expect((await send('POST', '/nodes/preview-links', { content: '' })).status).toBe(422);
  });
});

describe('the log of changes', () => {
  it('numbers every change without a gap, whole, in order, in pages of any size', async () => {
    const { create, patch, drop, connect, get, post } = await newBrain();
    const a = await create(SLEEP.melatonin);
    const b = await create(SLEEP.sleep);
    await patch(a.id, { content: 'changed' });
    const edge = await connect({ sourceId: a.id, targetId: b.id });
    await post('/categories', { title: 'C' });
    await drop(`/edges/${edge.id}`);
    await drop(`/nodes/${b.id}`);
    const whole = await get<Changes>('/changes?limit=1000');
    expect(whole.hasMore).toBe(false);
    expect(whole.items.map((c) => c.seq)).toEqual(whole.items.map((_, i) => i + 1));
    expect(whole.seq).toBe(whole.items.length);
    expect(whole.items[0]).toMatchObject({ type: 'node.created', nodeId: a.id, version: 1 });
    expect(new Set(whole.items.map((c) => c.type))).toContain('edge.created');
    for (const limit of [1, 2, 3]) {
      const paged: Changes['items'] = [];
      let page: Changes = { ...whole, seq: 0, hasMore: true, items: [] };
      while (page.hasMore) {
        page = await get<Changes>(`/changes?epoch=${whole.epoch}&after=${page.seq}&limit=${limit}`);
        paged.push(...page.items);
      }
      expect(paged).toEqual(whole.items);
    }
    expect((await get<Changes>(`/changes?after=${whole.seq}`)).items).toEqual([]);
  });

  it('carries the correlation id of whoever made the change', async () => {
    const { send, get } = await newBrain();
    await send('POST', '/nodes', { content: 'x' }, { 'x-correlation-id': 'mine-1' });
    expect((await get<Changes>('/changes')).items.map((c) => c.correlationId)).toEqual(['mine-1']);
  });

  it('cannot be read on from a position of another epoch, nor from one ahead of it: 410 with where it is', async () => {
    const { create, get, send } = await newBrain();
    await create({ content: 'x' });
    const { epoch, seq } = await get<Changes>('/changes');
    for (const [path, reason] of [
      ['/changes?epoch=another&after=1', 'epoch_changed'],
      [`/changes?epoch=${epoch}&after=${seq + 1}`, 'invalid'],
      [`/changes?after=${seq + 1}`, 'invalid'],
    ] as const) {
      const answer = await send('GET', path);
      expect([path, answer.status, answer.body.code]).toEqual([path, 410, 'position_gone']);
      expect(answer.body.details).toMatchObject({ reason, epoch, seq });
    }
    expect((await send('GET', '/changes?after=-1')).status).toBe(422);
  });

  it('folded gives the edges of the graph', async () => {
    const { create, patch, drop, get, all } = await newBrain();
    const texts = Object.values(SLEEP);
    const notes: LinkedNode[] = [];
    for (let i = 0; i < 9; i++)
      notes.push(await create({ ...texts[i % 3], title: `${texts[i % 3]?.title} ${i}` }));
    await patch(notes[0]?.id ?? '', { content: SLEEP.bread.content });
    await drop(`/nodes/${notes[1]?.id}`);
    const edges = new Set<string>();
    for (const { type, edgeId = '' } of (await get<Changes>('/changes?limit=1000')).items) {
      if (type === 'edge.created') edges.add(edgeId);
      if (type === 'edge.deleted') edges.delete(edgeId);
    }
    expect((await all<Edge>('/edges')).map((e) => e.id).sort()).toEqual([...edges].sort());
    expect(edges.size).toBeGreaterThan(5);
    const nodes: NodeSummary[] = (await get<Graph>('/graph')).nodes;
    expect(nodes).toHaveLength(8);
  });
});
