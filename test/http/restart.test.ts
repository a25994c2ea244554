import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Changes, Graph, Related, SearchHit } from '../../src/api/v2.ts';
import { openBrain } from '../../src/server/brain.ts';
import { dataFolder, newBrain, SLEEP, type Client } from './client.ts';
import { settingsOf, STORE } from '../support/place.ts';
import { serveBrain } from './server.ts';

async function fill({ create, connect, patch, drop }: Client) {
  const nodes = [];
  for (let i = 0; i < 12; i++) {
    const base = Object.values(SLEEP)[i % 3];
    nodes.push(await create({ title: `${base?.title} ${i}`, content: `${base?.content} number${i}` }));
  }
  const [a, b, c, d] = nodes.map((node) => node.id) as [string, string, string, string];
  await connect({ sourceId: a, targetId: c });
  await patch(b, { content: 'edited: zebra and melatonin' });
  await patch(d, { archived: true });
  await drop(`/nodes/${c}`);
  return a;
}

const answers = async ({ get }: Client, id: string) => ({
  graph: await get<Graph>('/graph'),
  search: (await get<{ items: SearchHit[] }>('/search?q=melatonin circadian')).items,
  zebra: (await get<{ items: SearchHit[] }>('/search?q=zebra')).items.map((hit) => hit.node.id),
  related: (await get<Related>(`/nodes/${id}/related`)).items,
  changes: await get<Changes>('/changes?limit=1000'),
});

const indexFolder = (folder: string) =>
  STORE === 'dynamodb' ? join(folder, 'tables', basename(folder)) : join(folder, 'index');
const indexFiles = (folder: string) =>
  existsSync(indexFolder(folder)) ? readdirSync(indexFolder(folder)) : [];

describe('opening a data folder again', () => {
  it('gives the same graph, search, ranking and log, from the stored index', async () => {
    const folder = dataFolder();
    const first = await newBrain(folder);
    const id = await fill(first);
    const before = await answers(first, id);
    await first.close();
    expect(indexFiles(folder)).toHaveLength(1);
    const second = await newBrain(folder);
    expect(await answers(second, id)).toEqual(before);
    await second.create({ content: 'after the restart' });
    const { epoch, seq } = before.changes;
    const more = await second.get<Changes>(`/changes?epoch=${epoch}&after=${seq}`);
    expect(more.items.map((c) => [c.seq, c.type])).toEqual([[seq + 1, 'node.created']]);
  });

  it('takes the index from its snapshot: what only the snapshot knows is found', async () => {
    const folder = dataFolder();
    const first = await newBrain(folder);
    await fill(first);
    await first.close();
    const second = await newBrain(folder);
    const before = await second.brain.services.indexes.freshness(second.brain.owner);
    expect(before).toBeUndefined(); // nothing asked for it yet
    const index = await second.brain.services.indexes.ready(second.brain.owner);
    expect(index.size).toBe(10);
    await second.close();
    // A note put behind the back of the log is in no note's text: only a snapshot can bring it.
    const third = await newBrain(folder);
    const planted = await third.brain.services.indexes.ready(third.brain.owner);
    planted.put({ id: 'planted', title: 'Quagga', aliases: [], tags: [], text: 'quagga', version: 1 });
    await third.create({ content: 'so that there is something to store' });
    await third.close();
    const fourth = await newBrain(folder);
    const read = await fourth.brain.services.indexes.ready(fourth.brain.owner);
    expect((await read.search('quagga')).map((hit) => hit.id)).toEqual(['planted']);
    expect((await fourth.get<{ items: SearchHit[] }>('/search?q=quagga')).items).toEqual([]);
  });

  const losses: [string, (folder: string) => void][] = [
    ['without its index', (folder) => rmSync(indexFolder(folder), { recursive: true })],
    [
      'with a damaged index',
      (folder) => {
        const [file = ''] = indexFiles(folder);
        const path = join(indexFolder(folder), file);
        const bytes = readFileSync(path);
        bytes.fill(0xa5, bytes.length / 2, bytes.length / 2 + 64);
        writeFileSync(path, bytes);
      },
    ],
  ];
  for (const [name, damage] of losses) {
    it(`${name} gives the same answers`, async () => {
      const folder = dataFolder();
      const first = await newBrain(folder);
      const id = await fill(first);
      const before = await answers(first, id);
      await first.close();
      damage(folder);
      const second = await newBrain(folder);
      expect(await answers(second, id)).toEqual(before);
    });
  }

  it.skipIf(STORE !== 'sqlite')('whose database is gone knows nothing of what its index held', async () => {
    const folder = dataFolder();
    const first = await newBrain(folder);
    await fill(first);
    await first.close();
    for (const file of readdirSync(folder)) if (file.startsWith('brain2.sqlite')) rmSync(join(folder, file));
    const second = await newBrain(folder);
    expect((await second.brain.services.indexes.ready(second.brain.owner)).size).toBe(0);
    const { edges } = await second.create(SLEEP.sleep);
    expect(edges).toEqual([]);
  });

  it('finishes what was promised before: notes imported and not yet linked are linked', async () => {
    const folder = dataFolder();
    const first = await newBrain(folder);
    const { store } = await promised(first);
    await first.close();
    expect(store).toBe(2);
    const { running, json } = await serveBrain(folder);
    await running.settled();
    const linked = async () => (await json<Graph>('/graph')).edges.length;
    while ((await linked()) === 0) await running.settled();
    expect(await linked()).toBe(1);
  });
});

/** An import that ends after its notes are stored. */
async function promised({ brain }: Client): Promise<{ readonly store: number }> {
  const notes = Object.entries({ a: SLEEP.melatonin, b: SLEEP.sleep }).map(([key, note]) => ({
    key,
    ...note,
  }));
  const stop = new AbortController();
  const options = { collection: 'v', prune: false, dryRun: false, signal: stop.signal };
  let stored = 0;
  for await (const event of brain.services.imports.run(brain.owner, options, notes)) {
    if (event.type === 'item' && ++stored === notes.length) break;
  }
  return { store: stored };
}

// A table is held by nobody: any number of servers work on it.
describe.skipIf(STORE !== 'sqlite')('a data folder that is held (SQLite alone)', () => {
  it('is refused to a second Brain2, naming the process that has it; and free once that has closed', async () => {
    const folder = dataFolder();
    const first = await newBrain(folder);
    await expect(openBrain(settingsOf(folder))).rejects.toMatchObject({
      code: 'locked',
      message: expect.stringContaining(`process ${process.pid}`) as string,
      details: { holder: { pid: process.pid } },
    });
    await first.create({ content: 'still at work' });
    await first.close();
    const second = await newBrain(folder);
    expect((await second.get<Graph>('/graph')).nodes).toHaveLength(1);
  });

  it('by a server is refused with the address at which that serves', async () => {
    const folder = dataFolder();
    const { url } = await serveBrain(folder);
    await expect(openBrain(settingsOf(folder))).rejects.toMatchObject({
      code: 'locked',
      details: { holder: { url } },
    });
  });

  it('is let go when the index cannot be stored', async () => {
    const folder = dataFolder();
    const first = await newBrain(folder);
    await first.create({ content: 'x' });
    first.brain.services.indexes.close = () => Promise.reject(new Error('the disk is full'));
    await expect(first.close()).rejects.toThrow('the disk is full');
    const second = await newBrain(folder);
    expect((await second.get<Graph>('/graph')).nodes).toHaveLength(1);
  });
});
