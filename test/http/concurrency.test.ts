import { describe, expect, it } from 'vitest';
import type { Changes, Edge, Graph, LinkedNode, Node } from '../../src/api/v2.ts';
import { piecesOf } from '../../src/shared/pieces.ts';
import { ifMatch, newBrain, SLEEP } from './client.ts';
import { serveBrain } from './server.ts';

const many = <T>(count: number, make: (index: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => make(index)));

describe('writers at the same time', () => {
  it('fifty creates over sockets are all stored, once, linked, and numbered without a gap', async () => {
    const { url, json } = await serveBrain();
    const answers = await many(50, async (i) => {
      const body = JSON.stringify({ title: `Sleep ${i}`, content: `${SLEEP.sleep.content} number${i}` });
      const answer = await fetch(`${url}/api/v2/nodes`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-correlation-id': `w${i}` },
        body,
      });
      return { status: answer.status, node: (await answer.json()) as LinkedNode };
    });
    expect(answers.map((a) => a.status)).toEqual(answers.map(() => 201));
    const graph = await json<Graph>('/graph');
    expect(graph.nodes.map((n) => n.id).sort()).toEqual(answers.map((a) => a.node.id).sort());
    expect(graph.edges.length).toBeGreaterThan(25);
    const { items } = await json<Changes>('/changes?limit=1000');
    expect(items.map((c) => c.seq)).toEqual(items.map((_, i) => i + 1));
    const created = items.filter((c) => c.type === 'node.created');
    expect(created.map((c) => c.correlationId).sort()).toEqual(answers.map((_, i) => `w${i}`).sort());
    const owners = new Map(created.map((c) => [c.nodeId, c.correlationId]));
    for (const [i, { node }] of answers.entries()) expect(owners.get(node.id)).toBe(`w${i}`);
  });

  it('thirty under If-Match on one note: one wins each version, and no update is lost', async () => {
    const { create, send, get } = await newBrain();
    const { id } = await create({ content: 'log:' });
    const won: number[] = [];
    const append = async (writer: number): Promise<void> => {
      for (;;) {
        const { body } = await send<Node>('GET', `/nodes/${id}`);
        const content = `${body.content} w${writer};`;
        const answer = await send<LinkedNode>('PATCH', `/nodes/${id}`, { content }, ifMatch(body.version));
        if (answer.status === 412) continue;
        expect([answer.status, answer.body.version]).toEqual([200, body.version + 1]);
        won.push(answer.body.version);
        return;
      }
    };
    await many(30, append);
    const node = await get<Node>(`/nodes/${id}`);
    expect(node.version).toBe(31);
    expect(won.sort((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, i) => i + 2));
    for (let writer = 0; writer < 30; writer++) expect(node.content).toContain(` w${writer};`);
  });

  it('of one version, exactly one of many is answered 200 and the others 412', async () => {
    const { create, send } = await newBrain();
    const { id } = await create({ content: 'x' });
    const answers = await many(20, (i) => send('PATCH', `/nodes/${id}`, { content: `by ${i}` }, ifMatch(1)));
    expect(answers.map((a) => String(a.status)).sort()).toEqual([
      '200',
      ...Array.from({ length: 19 }, () => '412'),
    ]);
  });

  it('one source key and one pair are each given to one of many', async () => {
    const { create, send, all } = await newBrain();
    const source = { kind: 'api', key: 'k' };
    const notes = await many(10, (i) => send('POST', '/nodes', { content: `c${i}`, source }));
    expect(notes.map((a) => String(a.status)).sort()).toEqual([
      '201',
      ...Array.from({ length: 9 }, () => '409'),
    ]);
    const [a, b] = [await create({ content: 'alpha' }), await create({ content: 'omega' })];
    const pairs = await many(10, (i) => {
      const [sourceId, targetId] = i % 2 === 0 ? [a.id, b.id] : [b.id, a.id];
      return send('POST', '/edges', { sourceId, targetId });
    });
    expect(pairs.map((p) => String(p.status)).sort()).toEqual([
      '201',
      ...Array.from({ length: 9 }, () => '409'),
    ]);
    expect(await all<Edge>('/edges', { origin: 'human' })).toHaveLength(1);
  });
});

describe('deletion among writers', () => {
  it('of a hub with two hundred edges leaves none, while others connect to it', async () => {
    const { create, connect, send, drop, all, get } = await newBrain();
    const hub = await create({ title: 'hub', content: 'hub' });
    const leaves = await many(220, (i) => create({ content: `leaf${i}` }));
    // Fifty at a time, for a table that takes its time would turn away more.
    for (const some of piecesOf(leaves.slice(0, 200), 50))
      await Promise.all(some.map(({ id }) => connect({ sourceId: hub.id, targetId: id })));
    const [, ...late] = await Promise.all([
      drop(`/nodes/${hub.id}`),
      ...leaves.slice(200).map(({ id }) => send('POST', '/edges', { sourceId: id, targetId: hub.id })),
    ]);
    expect(new Set(late.map((a) => a.status))).toEqual(new Set([422]));
    expect(await all<Edge>('/edges', { limit: '200' })).toEqual([]);
    const graph = await get<Graph>('/graph');
    expect([graph.nodes.length, graph.edges.length]).toEqual([220, 0]);
    let after = 0;
    let alive = 0;
    for (let page: Changes | undefined; page === undefined || page.hasMore; after = page.seq) {
      page = await get<Changes>(`/changes?after=${after}&limit=1000`);
      for (const { type } of page.items)
        alive += type === 'edge.created' ? 1 : type === 'edge.deleted' ? -1 : 0;
    }
    expect(alive).toBe(0);
  });

  it('and edits of one note: the log ends with the deletion, and nothing of it is left', async () => {
    const { create, send, get, all } = await newBrain();
    const others = await many(4, (i) => create({ ...SLEEP.sleep, title: `Sleep ${i}` }));
    const { id } = await create(SLEEP.melatonin);
    const edit = (i: number) =>
      send('PATCH', `/nodes/${id}`, { content: `${SLEEP.sleep.content} ${i}` }, ifMatch('*'));
    const [first, deleted, second] = await Promise.all([
      many(10, edit),
      send('DELETE', `/nodes/${id}`, undefined, ifMatch('*')),
      many(10, (i) => edit(i + 10)),
    ]);
    expect(deleted.status).toBe(204);
    const statuses = new Set([...first, ...second].map((a) => a.status));
    expect([...statuses].filter((status) => status !== 200 && status !== 404)).toEqual([]);
    expect(statuses).toContain(404);
    const mine = (await get<Changes>('/changes?limit=1000')).items.filter((c) => c.nodeId === id);
    expect(mine.at(-1)?.type).toBe('node.deleted');
    const left = await all<Edge>('/edges');
    expect(left.filter((e) => e.sourceId === id || e.targetId === id)).toEqual([]);
    expect((await get<{ items: unknown[] }>('/search?q=sleep')).items).toHaveLength(others.length);
  });
});

describe('an index among failing writers', () => {
  it('answers as one made anew, whatever was refused in between', async () => {
    const { create, send, get, patch, brain } = await newBrain();
    const kept = await create(SLEEP.melatonin);
    await many(30, async (i) => {
      if (i % 3 === 0)
        await send('POST', '/nodes', { content: SLEEP.sleep.content, source: { kind: 'api', key: 'k' } });
      else if (i % 3 === 1) await send('PATCH', `/nodes/${kept.id}`, { content: `zebra ${i}` }, ifMatch(7));
      else await patch(kept.id, { content: `${SLEEP.melatonin.content} ${i}` });
    });
    expect((await get<{ items: unknown[] }>('/search?q=zebra')).items).toEqual([]);
    expect((await get<{ items: unknown[] }>('/search?q=restores')).items).toHaveLength(1);
    expect((await brain.services.indexes.ready(brain.owner)).size).toBe(2);
  });
});
