import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Changes, Edge, Explanation, Graph, LinkedNode, Node, SearchHit } from '../../src/api/v2.ts';
import { connectBrain } from '../../src/client/client.ts';
import { listening, type ServerProcess } from '../faults/server-process.ts';
import { startDynamo, type TestDynamo } from '../support/dynamo.ts';
import { ifMatch, SLEEP } from './client.ts';

/** A server as its clients see it. */
function clientOf({ url }: ServerProcess) {
  async function send(method: string, path: string, body?: unknown, headers = {}) {
    const answer = await fetch(`${url}/api/v2${path}`, {
      method,
      headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const parsed: unknown = await answer.json();
    return { status: answer.status, body: parsed };
  }
  const get = async <T>(path: string): Promise<T> => (await send('GET', path)).body as T;
  return {
    get,
    /** Also where the other server keeps being first: it is for the servers to try again. */
    async create(note: object): Promise<LinkedNode> {
      const { status, body } = await send('POST', '/nodes', note);
      if (status === 201) return body as LinkedNode;
      throw new Error(`answered ${status}: ${JSON.stringify(body)}`);
    },
    patch: (id: string, patch: object, version: number) =>
      send('PATCH', `/nodes/${id}`, patch, ifMatch(version)),
    async changes(): Promise<Changes['items']> {
      const items: Changes['items'][number][] = [];
      for (let hasMore = true; hasMore;) {
        const page: Changes = await get<Changes>(`/changes?after=${items.at(-1)?.seq ?? 0}&limit=1000`);
        items.push(...page.items);
        hasMore = page.hasMore;
      }
      return items;
    },
  };
}

type Client = ReturnType<typeof clientOf>;

const NOTES_EACH = 20;
const COUNTS_EACH = 12;

describe('two servers on one table', () => {
  const folder = mkdtempSync(join(tmpdir(), 'brain2-two-'));
  let dynamo: TestDynamo;
  let servers: readonly ServerProcess[];
  let a: Client;
  let b: Client;

  beforeAll(async () => {
    dynamo = await startDynamo();
    process.env['BRAIN2_STORE'] = 'dynamodb';
    process.env['BRAIN2_TABLE'] = await dynamo.newTable();
    if (dynamo.endpoint !== undefined) process.env['AWS_ENDPOINT_URL_DYNAMODB'] = dynamo.endpoint;
    servers = await Promise.all(['a', 'b'].map((name) => listening(join(folder, name))));
    const [first, second] = servers;
    if (!first || !second) throw new Error('there are two');
    [a, b] = [clientOf(first), clientOf(second)];
  });
  afterAll(async () => {
    await Promise.all(servers.map((server) => server.stop()));
    await dynamo.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('[ST67] what is written on one is found, linked against and explained on the other, at once', async () => {
    const melatonin = await a.create(SLEEP.melatonin);
    const found = await b.get<{ items: SearchHit[] }>('/search?q=melatonin');
    expect(found.items.map((hit) => hit.node.id)).toEqual([melatonin.id]);
    const sleep = await b.create(SLEEP.sleep);
    expect(sleep.edges.map((edge) => [edge.sourceId, edge.targetId].toSorted())).toEqual([
      [melatonin.id, sleep.id].toSorted(),
    ]);
    const [edge] = (await a.get<{ items: Edge[] }>(`/nodes/${melatonin.id}/edges`)).items;
    expect(edge?.id).toBe(sleep.edges[0]?.id);
    const explained = await a.get<Explanation>(`/edges/${edge?.id}/explanation`);
    expect(explained.weight).toBeGreaterThan(0);
  });

  it('[ST39 ST67] a socket on one hears what is written on the other', async () => {
    const [, second] = servers;
    const graph = await b.get<Graph>('/graph');
    const { epoch, seq } = graph;
    const client = connectBrain({ url: second?.url ?? '' }).events({ from: { epoch, seq } });
    const heard = new Promise<unknown>((resolve) => {
      client.on({
        item: (item) => 'event' in item && item.event.type === 'node.created' && resolve(item.event.nodeId),
      });
    });
    client.start();
    const written = await a.create({ content: 'written on one, heard on the other' });
    expect(await heard).toBe(written.id);
    client.stop();
  });

  it('[ST67] a cursor of one is taken by the other', async () => {
    await a.create(SLEEP.bread);
    const page = await a.get<{ items: Node[]; page: { next: string } }>('/nodes?limit=1');
    const next = await b.get<{ items: Node[] }>(`/nodes?limit=1&cursor=${page.page.next}`);
    expect(next.items).toHaveLength(1);
    expect(next.items[0]?.id).not.toBe(page.items[0]?.id);
  });

  it('[ST24 ST67] writers on both lose no update and double nothing, and the log has no gap', async () => {
    const before = (await a.get<Graph>('/graph')).nodes.length;
    const counter = await a.create({ title: 'Counter', content: '0' });

    /** Adds one, at the version that was read, until it is the first to. */
    const count = async (client: Client): Promise<void> => {
      for (;;) {
        const { content, version } = await client.get<Node>(`/nodes/${counter.id}`);
        const next = { content: String(Number(content) + 1) };
        const { status } = await client.patch(counter.id, next, version);
        if (status === 200) return;
        expect([412, 409, 503]).toContain(status);
      }
    };
    const created: string[] = [];
    const lanes = [a, b].flatMap((client, which) => [
      async () => {
        for (let n = 0; n < NOTES_EACH; n++) {
          const title = `Note ${which}-${n}`;
          created.push((await client.create({ title, content: `about subject${n} and ${title}` })).id);
        }
      },
      async () => {
        for (let n = 0; n < COUNTS_EACH; n++) await count(client);
      },
    ]);
    await Promise.all(lanes.map((lane) => lane()));

    expect((await b.get<Node>(`/nodes/${counter.id}`)).content).toBe(String(2 * COUNTS_EACH));
    const [graphA, graphB] = [await a.get<Graph>('/graph'), await b.get<Graph>('/graph')];
    expect(graphB).toEqual(graphA);
    expect(graphA.nodes).toHaveLength(before + 1 + 2 * NOTES_EACH);
    expect(new Set(created).size).toBe(2 * NOTES_EACH);
    const log = await a.changes();
    expect(log.map(({ seq }) => seq)).toEqual(log.map((_, n) => n + 1));
    expect(await b.changes()).toEqual(log);
    const births = log.filter(({ type }) => type === 'node.created').length;
    expect(births).toBe(graphA.nodes.length);
    const pairs = graphA.edges.map((e) => `${[e.sourceId, e.targetId].toSorted().join()} ${e.type}`);
    expect(new Set(pairs).size).toBe(pairs.length);
  });

  it('[ST67] of one that is killed while it writes, all that was acknowledged is on the other, which goes on', async () => {
    const [victim] = servers;
    const acknowledged: string[] = [];
    const write = async (): Promise<void> => {
      for (let n = 0; ; n++) acknowledged.push((await a.create({ title: `Last ${n}` })).id);
    };
    const writing = Promise.allSettled([write(), write(), write()]);
    while (acknowledged.length < 20) await b.get('/graph');
    await victim?.kill();
    await writing;
    const { nodes } = await b.get<Graph>('/graph');
    const ids = new Set(nodes.map((node) => node.id));
    expect(acknowledged.filter((id) => !ids.has(id))).toEqual([]);
    const node = await b.create({ title: 'After it' });
    const log = await b.changes();
    expect(log.map(({ seq }) => seq)).toEqual(log.map((_, n) => n + 1));
    expect(log.at(-1)).toMatchObject({ type: 'node.created', nodeId: node.id });
  });
});
