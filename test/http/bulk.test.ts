import { randomInt } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { BulkRead, BulkResult } from '../../src/api/v2-bulk.ts';
import type { Changes, Edge, Graph, Node } from '../../src/api/v2.ts';
import { newBrain, SLEEP, type Client } from './client.ts';

const NOBODY = '0190a7c4-0000-7000-8000-000000000000';

const bulk = (client: Client, path: string, body: unknown, headers = {}) =>
  client.send<BulkResult>('POST', `/nodes/bulk${path}`, body, headers);
const graphOf = (client: Client) => client.get<Graph>('/graph');
const seqOf = async (client: Client) => (await graphOf(client)).seq;
const typesOf = async (client: Client, after: number) =>
  (await client.get<Changes>(`/changes?after=${after}&limit=200`)).items.map(({ type }) => type);
/** Pairs of an edge in one order. */
const pairsOf = (edges: readonly Pick<Edge, 'sourceId' | 'targetId'>[]) =>
  edges.map(({ sourceId, targetId }) => pairOf(sourceId, targetId)).sort();
const pairOf = (...ends: (string | undefined)[]) => ends.map(String).sort().join(' ');
const small = (count: number) =>
  Array.from({ length: count }, (_, number) => ({ title: `Note ${number}`, content: `word${number}` }));

describe('a bulk of new notes', () => {
  it('is answered in the order of its items, with the edges that were made, once they are stored', async () => {
    const client = await newBrain();
    const items = [
      { clientId: 'a', ...SLEEP.sleep },
      { ...SLEEP.bread },
      { clientId: 'c', ...SLEEP.melatonin },
    ];
    const { status, body } = await bulk(client, '', { mode: 'partial', items });
    expect(status).toBe(200);
    expect(body.summary).toEqual({ total: 3, succeeded: 3, failed: 0 });
    expect(body.items.map(({ index, clientId, status: one, etag }) => [index, clientId, one, etag])).toEqual([
      [0, 'a', 201, '"1"'],
      [1, undefined, 201, '"1"'],
      [2, 'c', 201, '"1"'],
    ]);
    const graph = await graphOf(client);
    const titles = new Map(graph.nodes.map(({ id, title }) => [id, title]));
    expect(body.items.map(({ id }) => titles.get(id ?? ''))).toEqual(items.map(({ title }) => title));
    expect(pairsOf(body.edges)).toEqual([pairOf(body.items[0]?.id, body.items[2]?.id)]);
    const byId = (a: Edge, b: Edge) => (a.id < b.id ? -1 : 1);
    expect(body.edges.toSorted(byId)).toEqual(graph.edges.toSorted(byId));
    expect(body.links).toBe('made');
  });

  it.each(['partial', 'atomic'] as const)('links them as one by one would: %s', async (mode) => {
    const [one, many] = [await newBrain(), await newBrain()];
    const notes = Object.values(SLEEP);
    const titled = async (client: Client) => {
      const { nodes, edges } = await graphOf(client);
      const title = new Map(nodes.map((node) => [node.id, node.title]));
      return edges.map(({ sourceId, targetId }) => pairOf(title.get(sourceId), title.get(targetId)));
    };
    for (const note of notes) await one.create(note);
    await bulk(many, '', { mode, items: notes });
    expect(await titled(many)).toEqual(await titled(one));
    expect(await titled(many)).toHaveLength(1);
  });

  it('is partly done, with 207, where some items cannot be: each says why, with pointers into the request', async () => {
    const client = await newBrain();
    const taken = await client.create({ title: 'taken', source: { kind: 'api', key: 'k' } });
    const items = [
      { title: 'good' },
      { titel: 'Sleep' },
      { title: 'x', tags: ['ok', 7] },
      { content: '   ' },
      { title: 'again', source: { kind: 'api', key: 'k' } },
      null,
      { title: 'good too', source: { kind: 'api', key: 'new' } },
      { title: 'its double', source: { kind: 'api', key: 'new' } },
    ];
    const { status, body } = await bulk(client, '', { mode: 'partial', items });
    expect([status, body.summary]).toEqual([207, { total: 8, succeeded: 2, failed: 6 }]);
    const told = body.items.map((item) => [
      item.status,
      item.problem?.code,
      item.problem?.errors?.map(({ pointer }) => pointer),
    ]);
    expect(told).toEqual([
      [201, undefined, undefined],
      [422, 'invalid', ['/items/1/titel']],
      [422, 'invalid', ['/items/2/tags/1']],
      [422, 'invalid', ['/items/3/content']],
      [409, 'conflict', undefined],
      [422, 'invalid', ['/items/5']],
      [201, undefined, undefined],
      [409, 'conflict', undefined],
    ]);
    expect(body.items[4]?.problem?.details).toEqual({ nodeId: taken.id });
    expect((await graphOf(client)).nodes.map(({ title }) => title).sort()).toEqual([
      'good',
      'good too',
      'taken',
    ]);
  });

  it('that is atomic writes nothing where one item cannot be done, and names every broken rule', async () => {
    const client = await newBrain();
    await client.create({ title: 'taken', source: { kind: 'api', key: 'k' } });
    const before = await graphOf(client);
    const items = [
      { title: 'good' },
      { title: 'x', tags: 'y' },
      { title: 'again', source: { kind: 'api', key: 'k' } },
    ];
    const { status, body } = await client.send('POST', '/nodes/bulk', { mode: 'atomic', items });
    expect([status, body.code]).toEqual([422, 'invalid']);
    expect(body.errors?.map(({ pointer, code }) => [pointer, code])).toEqual([
      ['/items/1/tags', 'type'],
      ['/items/2', 'conflict'],
    ]);
    expect(await graphOf(client)).toEqual(before);
    expect(await bulk(client, '', { mode: 'partial', items: [{ title: 'after' }] })).toMatchObject({
      status: 200,
    });
  });

  it('that is atomic is one transaction: its events have one time, and its links follow before the answer', async () => {
    const client = await newBrain();
    const notes = Array.from({ length: 20 }, () => Object.values(SLEEP))
      .flat()
      .slice(0, 40);
    const { status, body } = await bulk(client, '', { mode: 'atomic', items: notes });
    expect([status, body.links]).toEqual([200, 'made']);
    expect((await typesOf(client, 0)).slice(0, 41)).toEqual([
      ...Array.from({ length: 40 }, () => 'node.created'),
      'edge.created',
    ]);
    const { edges } = await graphOf(client);
    expect(pairsOf(body.edges)).toEqual(pairsOf(edges));
    expect(edges.length).toBeGreaterThan(40);
  });

  it('that is atomic and does not fit in a transaction says how many items do, and these do', async () => {
    const client = await newBrain();
    const items = small(100).map((note, number) => ({ ...note, tags: number % 2 === 0 ? ['even'] : [] }));
    const refused = await client.send('POST', '/nodes/bulk', { mode: 'atomic', items });
    expect([refused.status, refused.body.code]).toEqual([413, 'too_large']);
    const fitting = Number((refused.body as { details?: { fitting?: number } }).details?.fitting);
    expect(fitting).toBeGreaterThan(30);
    expect(refused.body.detail).toContain(`first ${fitting} fit`);
    expect((await graphOf(client)).nodes).toEqual([]);
    const one = { mode: 'atomic', items: items.slice(0, fitting + 1) };
    expect((await bulk(client, '', one)).status).toBe(413);
    const fits = { mode: 'atomic', items: items.slice(0, fitting) };
    expect((await bulk(client, '', fits, { 'idempotency-key': 'k' })).status).toBe(200);
    expect((await graphOf(client)).nodes).toHaveLength(fitting);
  });

  it('that is atomic is bounded by bytes as by items', async () => {
    const client = await newBrain();
    const items = small(4).map(({ title }) => ({ title, content: 'x'.repeat(120_000) }));
    const refused = await client.send('POST', '/nodes/bulk', { mode: 'atomic', items });
    expect((refused.body as { details?: unknown }).details).toEqual({ items: 4, fitting: 3 });
    expect((await bulk(client, '', { mode: 'atomic', items: items.slice(0, 3) })).status).toBe(200);
  });

  it('takes 1,000 items, and no more or less than one', async () => {
    const client = await newBrain();
    const send = (count: number) =>
      client.send('POST', '/nodes/bulk', { mode: 'partial', items: small(count) });
    expect([(await send(0)).status, (await send(1001)).status]).toEqual([422, 422]);
    expect((await send(1001)).body.errors?.[0]?.pointer).toBe('/items');
    const { status, body } = await bulk(client, '', { mode: 'partial', items: small(1000) });
    expect([status, body.summary.succeeded]).toEqual([200, 1000]);
    expect((await graphOf(client)).nodes).toHaveLength(1000);
  });

  it('takes 10 MB, where other requests take one', async () => {
    const client = await newBrain();
    const items = small(30).map((note) => ({ ...note, content: 'word '.repeat(59_000) }));
    expect((await bulk(client, '', { mode: 'partial', items })).status).toBe(200);
    const more = items.concat(items);
    expect((await client.send('POST', '/nodes/bulk', { mode: 'partial', items: more })).status).toBe(413);
  });

  it('refuses a clientId that stands twice, and does nothing', async () => {
    const client = await newBrain();
    const items = [{ clientId: 'a', title: 'x' }, { title: 'y' }, { clientId: 'a', title: 'z' }];
    for (const mode of ['partial', 'atomic']) {
      const { status, body } = await client.send('POST', '/nodes/bulk', { mode, items });
      expect([status, body.errors?.map(({ pointer, code }) => [pointer, code])]).toEqual([
        422,
        [['/items/2/clientId', 'duplicate']],
      ]);
    }
    expect((await graphOf(client)).nodes).toEqual([]);
  });

  it('names the mode, and takes no field that it does not know', async () => {
    const client = await newBrain();
    const codes = async (body: unknown) =>
      (await client.send('POST', '/nodes/bulk', body)).body.errors?.map(({ pointer }) => pointer);
    expect(await codes({ items: [{ title: 'x' }] })).toEqual(['/mode']);
    expect(await codes({ mode: 'half', items: [{ title: 'x' }] })).toEqual(['/mode']);
    expect(await codes({ mode: 'partial', items: [{ title: 'x' }], more: 1 })).toEqual(['/more']);
  });
});

describe('a bulk of changes', () => {
  async function three(client: Client) {
    const items = Object.values(SLEEP);
    return (await bulk(client, '', { mode: 'partial', items })).body.items.map(({ id = '' }) => id);
  }

  it('changes each note at its version, and links anew what says something else', async () => {
    const client = await newBrain();
    const [sleep, melatonin, bread] = await three(client);
    const items = [
      { id: sleep, ifMatch: '"1"', title: 'Night', tags: null },
      { id: bread, content: SLEEP.melatonin.content },
      { id: melatonin, ifMatch: '*', archived: true },
      { id: NOBODY, title: 'x' },
    ];
    const { status, body } = await bulk(client, '/patch', { mode: 'partial', items });
    expect([status, body.summary]).toEqual([207, { total: 4, succeeded: 3, failed: 1 }]);
    expect(body.items.map((item) => [item.status, item.etag])).toEqual([
      [200, '"2"'],
      [200, '"2"'],
      [200, '"2"'],
      [404, undefined],
    ]);
    expect(pairsOf(body.edges)).toEqual([pairOf(sleep, bread)]);
    expect(pairsOf((await graphOf(client)).edges)).toEqual(pairsOf(body.edges));
    expect(await client.get<Node>(`/nodes/${melatonin}`)).toMatchObject({ archived: true, version: 2 });
  });

  it('at a version that is not the current one leaves the note, and the others are changed', async () => {
    const client = await newBrain();
    const [a, b] = await three(client);
    const items = [
      { id: a, ifMatch: '"7"', title: 'x' },
      { id: b, ifMatch: '"1"', title: 'y' },
      { id: NOBODY, ifMatch: 'W/1', title: 'y' },
    ];
    const partial = await bulk(client, '/patch', { mode: 'partial', items });
    expect(partial.body.items.map((item) => item.status)).toEqual([412, 200, 400]);
    const before = await graphOf(client);
    const atomic = await client.send('POST', '/nodes/bulk/patch', { mode: 'atomic', items });
    expect([atomic.status, atomic.body.errors?.map(({ code }) => code)]).toEqual([
      422,
      ['stale', 'stale', 'malformed'],
    ]);
    expect(await graphOf(client)).toEqual(before);
  });

  it('that is atomic changes all, and a change to the same value is none', async () => {
    const client = await newBrain();
    const [a, b] = await three(client);
    const items = [
      { id: a, title: 'One' },
      { id: b, title: SLEEP.melatonin.title },
    ];
    const { status, body } = await bulk(client, '/patch', { mode: 'atomic', items });
    expect([status, body.items.map(({ etag }) => etag)]).toEqual([200, ['"2"', '"1"']]);
  });

  it('refuses a note that stands twice', async () => {
    const client = await newBrain();
    const [a = ''] = await three(client);
    const items = [
      { id: a, title: 'x' },
      { id: a.toUpperCase(), title: 'y' },
    ];
    for (const path of ['patch', 'delete']) {
      const answer = await client.send('POST', `/nodes/bulk/${path}`, { mode: 'partial', items });
      expect([answer.status, answer.body.errors?.[0]?.pointer]).toEqual([422, '/items/1/id']);
    }
  });
});

describe('a bulk of deletions', () => {
  it('deletes each note that is there at its version, with its edges', async () => {
    const client = await newBrain();
    const created = await bulk(client, '', { mode: 'partial', items: Object.values(SLEEP) });
    const [a, b, c] = created.body.items.map(({ id }) => id);
    const items = [
      { id: a },
      { id: b, ifMatch: '"2"' },
      { id: c, ifMatch: '"1"' },
      { id: NOBODY },
      { id: 'x' },
    ];
    const { status, body } = await bulk(client, '/delete', { mode: 'partial', items });
    expect([status, body.items.map((item) => item.status)]).toEqual([207, [204, 412, 204, 404, 422]]);
    const { nodes, edges } = await graphOf(client);
    expect([nodes.map(({ id }) => id), edges]).toEqual([[b], []]);
  });

  it('that is atomic deletes all or none, also hubs with more edges than a transaction holds', async () => {
    const client = await newBrain();
    const hubs = await bulk(client, '', { mode: 'partial', items: small(3) });
    const rest = await bulk(client, '', { mode: 'partial', items: small(40) });
    for (const { id: sourceId } of hubs.body.items)
      for (const { id: targetId } of rest.body.items)
        await client.send('POST', '/edges', { sourceId, targetId });
    const items = hubs.body.items.map(({ id }) => ({ id }));
    const before = await seqOf(client);
    const refused = await client.send('POST', '/nodes/bulk/delete', {
      mode: 'atomic',
      items: [...items, { id: NOBODY }],
    });
    expect([refused.status, refused.body.errors]).toMatchObject([
      422,
      [{ pointer: '/items/3', code: 'not_found' }],
    ]);
    expect(await seqOf(client)).toBe(before);
    expect((await bulk(client, '/delete', { mode: 'atomic', items })).status).toBe(200);
    const { nodes, edges } = await graphOf(client);
    const gone = new Set(hubs.body.items.map(({ id }) => id));
    expect(nodes).toHaveLength(40);
    expect(edges.filter(({ sourceId, targetId }) => gone.has(sourceId) || gone.has(targetId))).toEqual([]);
  });

  it('that is atomic says how many fit', async () => {
    const client = await newBrain();
    const created = await bulk(client, '', { mode: 'partial', items: small(60) });
    const items = created.body.items.map(({ id }) => ({ id }));
    const refused = await client.send('POST', '/nodes/bulk/delete', { mode: 'atomic', items });
    const { fitting } = (refused.body as { details?: { fitting?: number } }).details ?? {};
    expect([refused.status, (await graphOf(client)).nodes.length]).toEqual([413, 60]);
    const fits = { mode: 'atomic', items: items.slice(0, fitting) };
    expect((await bulk(client, '/delete', fits)).status).toBe(200);
    expect((await graphOf(client)).nodes).toHaveLength(60 - Number(fitting));
  });
});

describe('a bulk of reads', () => {
  const read = (client: Client, ids: readonly unknown[]) =>
    client.send<BulkRead>('POST', '/nodes/bulk/get', { ids });

  it('gives each note in the order of the ids, and says which are not there', async () => {
    const client = await newBrain();
    const [a, b] = [await client.create(SLEEP.sleep), await client.create(SLEEP.bread)];
    const both = await read(client, [b.id, a.id.toUpperCase(), b.id]);
    expect([both.status, both.body.summary]).toEqual([200, { total: 3, succeeded: 3, failed: 0 }]);
    expect(both.body.items.map(({ node }) => node?.title)).toEqual(['Sourdough', 'Sleep', 'Sourdough']);
    expect(both.body.items[1]?.node).toEqual(await client.get<Node>(`/nodes/${a.id}`));
    const some = await read(client, [a.id, NOBODY, 'x', 7]);
    expect([some.status, some.body.items.map(({ status }) => status)]).toEqual([207, [200, 404, 422, 422]]);
    const broken = some.body.items.flatMap(({ problem }) => problem?.errors ?? []);
    expect(broken.map(({ pointer }) => pointer)).toEqual(['/ids/2', '/ids/3']);
  });

  it('that one answer does not hold is told in its place, and read by asking again', async () => {
    const client = await newBrain();
    const items = small(30).map(({ title }) => ({ title, content: 'x'.repeat(299_000) }));
    const created = await bulk(client, '', { mode: 'partial', items });
    const ids = created.body.items.map(({ id }) => id);
    const { body, status } = await read(client, ids);
    const left = body.items.filter((item) => item.status === 413).map(({ index }) => ids[index]);
    expect([status, left]).toEqual([207, ids.slice(26)]);
    expect((await read(client, left)).status).toBe(200);
  });
});

describe('an Idempotency-Key of a bulk', () => {
  it('has it done once and answered the same, however long the answer is', async () => {
    const client = await newBrain();
    // Names that cannot be compressed, so that the answer takes more than one item of the table.
    const nameOf = () =>
      String.fromCodePoint(...Array.from({ length: 200 }, () => randomInt(0x4e00, 0x9fff)));
    const items = small(1000).map((note, number) => ({
      ...note,
      clientId: nameOf(),
      ...(number % 5 === 0 && { unknown: 1 }),
    }));
    const send = () => bulk(client, '', { mode: 'partial', items }, { 'idempotency-key': 'k' });
    const first = await send();
    expect(Buffer.byteLength(first.text)).toBeGreaterThan(1_000_000);
    const again = await send();
    expect([again.status, again.headers['idempotency-replayed']]).toEqual([207, 'true']);
    expect(again.text).toBe(first.text);
    expect((await graphOf(client)).nodes).toHaveLength(800);
  });

  it('of one that was refused whole is not used up', async () => {
    const client = await newBrain();
    const key = { 'idempotency-key': 'k' };
    for (const mode of ['partial', 'atomic']) {
      const bad = mode === 'atomic' ? [{ titel: 'x' }] : [];
      expect((await bulk(client, '', { mode, items: bad }, key)).status).toBe(422);
    }
    const { status } = await bulk(client, '', { mode: 'atomic', items: [{ title: 'x' }] }, key);
    expect(status).toBe(200);
  });
});
