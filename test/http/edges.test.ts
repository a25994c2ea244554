import { describe, expect, it } from 'vitest';
import type { Page } from '../../src/api/common.ts';
import type { Edge, Explanation, Node } from '../../src/api/v2.ts';
import { ifMatch, newBrain, SLEEP, type Client } from './client.ts';

const NOBODY = '01900000-0000-7000-8000-000000000000';

/** Two notes, and the automatic edge between them. */
async function linkedPair({ create }: Client) {
  const a = await create(SLEEP.melatonin);
  const b = await create(SLEEP.sleep);
  const edge = b.edges[0];
  if (!edge) throw new Error('the two notes are not linked');
  return { a, b, edge };
}

async function strangers({ create }: Client) {
  return [await create({ content: 'alpha' }), await create({ content: 'omega' })] as const;
}

describe('the edges of a note', () => {
  it('come by pages in the order of their making, also while others are made', async () => {
    const brain = await newBrain();
    const [hub, ...leaves] = await Promise.all(
      Array.from({ length: 6 }, (_, at) => brain.create({ content: `word${at}` })),
    );
    const id = hub?.id ?? '';
    const made: string[] = [];
    for (const [at, leaf] of leaves.entries()) {
      const ends = at % 2 === 0 ? { sourceId: id, targetId: leaf.id } : { sourceId: leaf.id, targetId: id };
      made.push((await brain.connect(ends)).id);
    }
    const first = await brain.send<Page<Edge>>('GET', `/nodes/${id}/edges?limit=3`);
    expect(first.body.items.map((edge) => edge.id)).toEqual(made.slice(0, 3));
    const { next } = first.body.page;
    expect(first.headers['link']).toBe(`</api/v2/nodes/${id}/edges?limit=3&cursor=${next}>; rel="next"`);
    const other = await brain.create({ content: 'yet another' });
    made.push((await brain.connect({ sourceId: other.id, targetId: id })).id);
    const second = await brain.send<Page<Edge>>('GET', `/nodes/${id}/edges?limit=3&cursor=${next}`);
    expect(second.body.items.map((edge) => edge.id)).toEqual(made.slice(3));
    expect(second.body.page).toEqual({ next: null, hasMore: false });
    const elsewhere = await brain.send('GET', `/nodes/${other.id}/edges?limit=3&cursor=${next}`);
    expect([elsewhere.status, elsewhere.body.code]).toEqual([400, 'malformed']);
  });
});

describe('an edge that a person draws', () => {
  it('is created accepted, human and manual with weight 1, and read back with 304 when known', async () => {
    const brain = await newBrain();
    const [a, b] = await strangers(brain);
    const created = await brain.send<Edge>('POST', '/edges', { sourceId: a.id, targetId: b.id });
    expect(created.status).toBe(201);
    expect(created.headers['location']).toBe(`/api/v2/edges/${created.body.id}`);
    expect(created.headers['etag']).toBe('"1"');
    expect(created.body).toMatchObject({
      sourceId: a.id,
      targetId: b.id,
      type: 'manual',
      weight: 1,
      origin: 'human',
      status: 'accepted',
      reasons: [],
      version: 1,
    });
    expect(await brain.get(`/edges/${created.body.id}`)).toEqual(created.body);
    const known = await brain.send('GET', `/edges/${created.body.id}`, undefined, { 'if-none-match': '"1"' });
    expect([known.status, known.text]).toEqual([304, '']);
  });

  it('is refused to itself, to a note that is not there, and outside of the weights 0 to 1', async () => {
    const brain = await newBrain();
    const [a, b] = await strangers(brain);
    const cases: [object, string][] = [
      [{ sourceId: a.id, targetId: a.id }, '/targetId'],
      [{ sourceId: a.id, targetId: NOBODY }, '/targetId'],
      [{ sourceId: NOBODY, targetId: a.id }, '/sourceId'],
      [{ sourceId: 'x', targetId: a.id }, '/sourceId'],
      [{ targetId: a.id }, '/sourceId'],
      [{ sourceId: a.id, targetId: b.id, weight: 1.001 }, '/weight'],
      [{ sourceId: a.id, targetId: b.id, weight: -0.001 }, '/weight'],
      [{ sourceId: a.id, targetId: b.id, weight: '1' }, '/weight'],
      [{ sourceId: a.id, targetId: b.id, type: 'friend' }, '/type'],
      [{ sourceId: a.id, targetId: b.id, origin: 'auto' }, '/origin'],
    ];
    for (const [body, pointer] of cases) {
      const answer = await brain.send('POST', '/edges', body);
      expect([body, answer.status, answer.body.errors?.[0]?.pointer]).toEqual([body, 422, pointer]);
    }
    expect(await brain.all('/edges')).toEqual([]);
    for (const weight of [0, 1]) {
      const type = weight === 0 ? 'manual' : 'reference';
      expect((await brain.connect({ sourceId: a.id, targetId: b.id, weight, type })).weight).toBe(weight);
    }
  });

  it('stands once for a pair and type, in whichever direction', async () => {
    const brain = await newBrain();
    const [a, b] = await strangers(brain);
    const first = await brain.connect({ sourceId: a.id, targetId: b.id });
    for (const body of [
      { sourceId: a.id, targetId: b.id },
      { sourceId: b.id, targetId: a.id },
    ]) {
      const again = await brain.send('POST', '/edges', body);
      expect([again.status, again.body.code, again.body.details]).toEqual([
        409,
        'conflict',
        { edgeId: first.id },
      ]);
    }
    await brain.connect({ sourceId: b.id, targetId: a.id, type: 'reference' });
    expect(await brain.edgesOf(a.id)).toHaveLength(2);
  });

  it('is changed and deleted only under If-Match, and cannot be rejected', async () => {
    const brain = await newBrain();
    const [a, b] = await strangers(brain);
    const { id } = await brain.connect({ sourceId: a.id, targetId: b.id });
    const patch = (body: object, headers = {}) => brain.send<Edge>('PATCH', `/edges/${id}`, body, headers);
    expect((await patch({ weight: 0.5 })).status).toBe(428);
    expect((await patch({ weight: 2 }, ifMatch(1))).status).toBe(422);
    expect((await patch({}, ifMatch(1))).status).toBe(422);
    expect((await patch({ status: 'rejected' }, ifMatch(1))).status).toBe(409);
    const done = await patch({ weight: 0.5 }, ifMatch(1));
    expect([done.status, done.body.weight, done.headers['etag']]).toEqual([200, 0.5, '"2"']);
    const stale = await brain.send('DELETE', `/edges/${id}`, undefined, ifMatch(1));
    expect([stale.status, stale.body.details?.['currentVersion']]).toEqual([412, 2]);
    await brain.drop(`/edges/${id}`, 2);
    expect((await brain.send('GET', `/edges/${id}`)).status).toBe(404);
    await brain.connect({ sourceId: a.id, targetId: b.id }); // the pair is free again
  });

  it('is never touched by editing, archiving or restoring its notes', async () => {
    const brain = await newBrain();
    const { a, b } = await linkedPair(brain);
    const mine = await brain.connect({ sourceId: a.id, targetId: b.id, weight: 0.25 });
    const reference = await brain.connect({ sourceId: b.id, targetId: a.id, type: 'reference' });
    await brain.patch(a.id, { title: 'Bread', content: SLEEP.bread.content });
    await brain.patch(b.id, { title: null, content: 'nothing in common', tags: ['x'] });
    await brain.patch(b.id, { archived: true });
    await brain.patch(b.id, { archived: false, content: SLEEP.sleep.content });
    expect(await brain.get(`/edges/${mine.id}`)).toEqual(mine);
    expect(await brain.get(`/edges/${reference.id}`)).toEqual(reference);
  });
});

describe('the list of edges', () => {
  it('is filtered by note, type, origin, status and weight, and paged without gap or repeat', async () => {
    const brain = await newBrain();
    const { a, b, edge } = await linkedPair(brain);
    const others = [];
    for (let i = 0; i < 5; i++) others.push(await brain.create({ content: `word${i}` }));
    const drawn = [];
    for (const [i, other] of others.entries())
      drawn.push(await brain.connect({ sourceId: a.id, targetId: other.id, weight: i / 10 }));
    const ids = async (query: Record<string, string>) =>
      (await brain.all<Edge>('/edges', { limit: '2', ...query })).map((e) => e.id).sort();
    const every = [edge.id, ...drawn.map((e) => e.id)].sort();
    expect(await ids({})).toEqual(every);
    expect(await ids({ node: a.id })).toEqual(every);
    expect(await ids({ node: b.id })).toEqual([edge.id]);
    expect(await ids({ type: 'related' })).toEqual([edge.id]);
    expect(await ids({ origin: 'human' })).toEqual(drawn.map((e) => e.id).sort());
    expect(await ids({ status: 'proposed' })).toEqual([edge.id]);
    expect(await ids({ minWeight: '0.3', origin: 'human' })).toEqual([drawn[3]?.id, drawn[4]?.id]);
    await brain.send('PATCH', `/edges/${edge.id}`, { status: 'rejected' }, ifMatch('*'));
    expect(await ids({})).toEqual(drawn.map((e) => e.id).sort());
    expect(await ids({ status: 'rejected' })).toEqual([edge.id]);
    expect((await brain.send('GET', `/edges?node=${NOBODY}`)).status).toBe(404);
  });
});

describe('an automatic edge', () => {
  it('that is accepted is kept as it is, whatever becomes of the texts', async () => {
    const brain = await newBrain();
    const { a, edge } = await linkedPair(brain);
    const accepted = await brain.send<Edge>('PATCH', `/edges/${edge.id}`, { status: 'accepted' }, ifMatch(1));
    expect([accepted.status, accepted.body.status]).toEqual([200, 'accepted']);
    await brain.patch(a.id, { title: 'Bread', content: SLEEP.bread.content });
    expect(await brain.get(`/edges/${edge.id}`)).toEqual(accepted.body);
  });

  it('that nobody decided on goes when the text no longer asks for it', async () => {
    const brain = await newBrain();
    const { a, b, edge } = await linkedPair(brain);
    await brain.patch(b.id, { title: 'Bread', content: SLEEP.bread.content });
    expect(await brain.edgesOf(a.id)).toEqual([]);
    expect((await brain.send('GET', `/edges/${edge.id}`)).status).toBe(404);
  });

  /** Both ways in which a person can say no. */
  const refusals: [string, (brain: Client, edge: Edge) => Promise<unknown>][] = [
    [
      'rejected',
      (brain, { id }) => brain.send('PATCH', `/edges/${id}`, { status: 'rejected' }, ifMatch('*')),
    ],
    ['deleted', (brain, { id }) => brain.drop(`/edges/${id}`)],
  ];
  for (const [name, refuse] of refusals) {
    it(`that is ${name} is not proposed again when either note is edited a little`, async () => {
      const brain = await newBrain();
      const { a, b, edge } = await linkedPair(brain);
      await refuse(brain, edge);
      expect(await brain.edgesOf(a.id)).toEqual([]);
      const first = await brain.patch(a.id, { content: `${SLEEP.melatonin.content} Truly.` });
      const second = await brain.patch(b.id, { content: `${SLEEP.sleep.content} Truly.`, tags: ['night'] });
      expect([first.edges, second.edges, await brain.edgesOf(a.id)]).toEqual([[], [], []]);
      await brain.patch(b.id, { archived: true });
      await brain.patch(b.id, { archived: false });
      expect(await brain.edgesOf(a.id)).toEqual([]);
      const related = await brain.get<{ items: { nodeId: string; edgeId?: string }[] }>(
        `/nodes/${a.id}/related`,
      );
      expect(related.items.map(({ nodeId, edgeId }) => [nodeId, edgeId])).toEqual([[b.id, undefined]]);
    });

    it(`that is ${name} is proposed again once one of the texts changes materially`, async () => {
      const brain = await newBrain();
      const { a, b, edge } = await linkedPair(brain);
      await refuse(brain, edge);
      const rewritten =
        'Jet lag passes when a traveller takes melatonin at the new bedtime; flights eastward are harder, and the circadian rhythm of sleep moves an hour a day.';
      const patched = await brain.patch(b.id, { title: 'Jet lag', content: rewritten });
      expect(patched.edges).toMatchObject([{ origin: 'auto', status: 'proposed' }]);
      expect(await brain.edgesOf(a.id)).toEqual(patched.edges);
    });
  }

  it('that was rejected can be taken back', async () => {
    const brain = await newBrain();
    const { a, edge } = await linkedPair(brain);
    const set = (status: Edge['status']) =>
      brain.send<Edge>('PATCH', `/edges/${edge.id}`, { status }, ifMatch('*'));
    await set('rejected');
    expect((await set('proposed')).body.status).toBe('proposed');
    expect((await brain.edgesOf(a.id)).map((e) => e.id)).toEqual([edge.id]);
    await brain.patch(a.id, { content: `${SLEEP.melatonin.content} Truly.` });
    expect((await brain.edgesOf(a.id)).map((e) => e.id)).toEqual([edge.id]);
  });
});

describe('the explanation of an edge', () => {
  it('names the engine, its components and the terms, at places of both texts that hold them', async () => {
    const brain = await newBrain();
    const { a, b, edge } = await linkedPair(brain);
    const explanation = await brain.get<Explanation>(`/edges/${edge.id}/explanation`);
    expect(explanation.engine).toBe(edge.engine);
    expect(explanation.weight).toBeCloseTo(edge.weight, 2);
    expect(explanation.edges.map((e) => e.id)).toEqual([edge.id]);
    const sum = explanation.components.reduce((total, { product }) => total + product, 0);
    expect(sum).toBeCloseTo(explanation.logit, 6);
    const texts = new Map([a, b].map((n: Node) => [n.id, n.content]));
    const slices = (id: string, spans: readonly { start: number; end: number }[]) =>
      spans.map(({ start, end }) => texts.get(id)?.slice(start, end).toLowerCase());
    expect(explanation.matches.map((m) => m.term.toLowerCase())).toContain('circadian');
    for (const match of explanation.matches) {
      const found = [
        ...slices(explanation.source.id, match.source),
        ...slices(explanation.target.id, match.target),
      ];
      expect(found.length).toBeGreaterThan(0);
      const stem = match.term.toLowerCase().replace(/s$/, '');
      for (const slice of found) expect(slice).toContain(stem);
    }
    expect(explanation.source).not.toHaveProperty('content');
  });

  it('is there for two notes without an edge, and not for a note with itself', async () => {
    const brain = await newBrain();
    const { a, b } = await linkedPair(brain);
    const bread = await brain.create(SLEEP.bread);
    expect(await brain.get<Explanation>(`/nodes/${a.id}/related/${bread.id}`)).toMatchObject({ edges: [] });
    expect((await brain.get<Explanation>(`/nodes/${a.id}/related/${b.id}`)).edges).toHaveLength(1);
    expect((await brain.send('GET', `/nodes/${a.id}/related/${a.id}`)).status).toBe(422);
    expect((await brain.send('GET', `/nodes/${a.id}/related/${NOBODY}`)).status).toBe(404);
    expect((await brain.send('GET', `/edges/${NOBODY}/explanation`)).status).toBe(404);
  });
});
