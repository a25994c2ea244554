import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allPages } from '../../src/client/all-pages.ts';
import { brainClient, type BrainClient } from '../../src/client/http-client.ts';
import { httpTransport } from '../../src/client/http-transport.ts';
import { readDemo } from '../../src/cli/demo-notes.ts';
import { eachConcurrent } from '../../src/shared/each-concurrent.ts';
import { brain2, startServer, type Ended, type Server } from './brain2.ts';

const root = mkdtempSync(join(tmpdir(), 'brain2-demo-'));
const alone = join(root, 'alone');
const data = join(root, 'served');
const { notes, earlier } = await readDemo();
let server: Server;
let client: BrainClient;
let first: Ended;

beforeAll(async () => {
  server = await startServer(data);
  client = brainClient(httpTransport(server.url));
  first = await brain2(['demo'], { data });
});
afterAll(async () => {
  await server.stop();
  rmSync(root, { recursive: true, force: true });
});

const seen = ({ code, stdout }: Ended) => ({ code, stdout });
const titled = async (title: string) => {
  const note = (await client.graph()).nodes.find((node) => node.title === title);
  return client.nodes.get(note?.id ?? '');
};
const categories = async () => (await Array.fromAsync(allPages(client.categories.list))).map((c) => c.title);

describe('demo', () => {
  it('brings its notes with links, categories and edits, none of them alone', async () => {
    expect(first.code).toBe(0);
    expect(first.stdout).toMatch(new RegExp(`created +${notes.length}\n +updated +0\n`));
    const stats = await client.stats();
    expect(stats).toMatchObject({ nodes: { total: notes.length, isolated: 0 }, components: { count: 1 } });
    expect(stats.edges.byType.reference).toBeGreaterThan(50);
    expect(stats.edges.byType.related).toBeGreaterThan(100);
    const { items } = await client.changes({ seq: 0 }, 1000);
    expect(items.filter(({ type }) => type === 'node.updated')).toHaveLength(earlier.length);
  });

  it('names commands that work', async () => {
    const { stdout } = await brain2(['demo', '--json'], { data });
    const { next } = JSON.parse(stdout) as { readonly next: readonly string[] };
    const steps = next.filter((command) => !command.endsWith('--remove'));
    expect(next.length - steps.length).toBe(1);
    const run = eachConcurrent(steps, { limit: 2 }, (command) => {
      const words = [...command.matchAll(/"([^"]*)"|(\S+)/g)].map(
        ([, quoted, plain]) => quoted ?? plain ?? '',
      );
      expect(words.slice(0, 2)).toEqual(['npx', 'brain2']);
      return brain2(words.slice(2), { data });
    });
    for await (const { code, stdout } of run) {
      expect(code).toBe(0);
      expect(stdout).not.toMatch(/not connected|nothing/);
    }
    expect(steps.length).toBeGreaterThan(3);
  });

  it('does the same, and says the same, beside a server and without one; again it changes nothing', async () => {
    const runs = [
      ['demo'],
      ['demo'],
      ['demo', '--remove'],
      ['demo', '--remove'],
      ['demo', '--remove', '--json'],
    ];
    const [firstRun = [], ...others] = runs;
    expect(seen(await brain2(firstRun, { data: alone }))).toEqual(seen(first));
    const outputs: string[] = [];
    for (const args of others) {
      const without = seen(await brain2(args, { data: alone }));
      expect(without).toEqual(seen(await brain2(args, { data })));
      outputs.push(without.stdout);
    }
    expect(outputs[0]).toMatch(new RegExp(`created +0\n +updated +0\n +unchanged +${notes.length}\n`));
    expect(outputs[1]).toBe(
      `Removed ${notes.length} notes and 25 categories of the demo. The graph has 0 notes, 0 edges.\n`,
    );
    expect(outputs[2]).toBe('Nothing of the demo is here. The graph has 0 notes, 0 edges.\n');
    expect(await categories()).toEqual([]);
  });

  it('takes back what it brought and nothing of the user: notes, edges, decisions, words, categories', async () => {
    await client.categories.create({ title: 'Music' });
    const own = await client.nodes.create({
      title: 'My piano',
      content: 'It beats: the tuner is due. Tides of it.',
    });
    const other = await client.nodes.create({ title: 'Garden', content: 'Compost, patience.' });
    const edge = await client.edges.create({ sourceId: own.id, targetId: other.id });
    await brain2(['demo'], { data });

    const [tides, blue, lichen] = await Promise.all([
      titled('Tides'),
      titled('Blue light'),
      titled('Lichen'),
    ]);
    const drawn = await client.edges.create({ sourceId: own.id, targetId: tides.id });
    const [found] = (await client.edges.list({ node: lichen.id, type: 'related' })).items;
    await client.edges.patch(found?.id ?? '', { status: 'accepted' }, found?.version ?? 0);
    await client.nodes.patch(blue.id, { content: 'Mine now.' }, blue.version);
    const again = await brain2(['demo'], { data });
    expect(again.stdout).toContain('brings back what they said (1):\n  Blue light  (changed by you)\n');

    const removed = await brain2(['demo', '--remove', '--json'], { data });
    const report = JSON.parse(removed.stdout) as {
      readonly removed: number;
      readonly kept: readonly { readonly label: string; readonly because: string }[];
      readonly categories: { readonly kept: readonly string[] };
    };
    expect(report.kept).toHaveLength(4);
    expect(report.kept).toEqual(
      expect.arrayContaining([
        { id: tides.id, label: 'Tides', because: 'linked' },
        { id: lichen.id, label: 'Lichen', because: 'linked' },
        { id: blue.id, label: 'Blue light', because: 'edited' },
      ]),
    );
    expect(report.removed).toBe(notes.length - 4);
    expect(report.categories.kept).toEqual(expect.arrayContaining(['Earth/Tides', 'Body/Sleep/Light']));
    expect((await client.graph()).nodes).toHaveLength(6);
    expect((await client.nodes.get(blue.id)).content).toBe('Mine now.');
    await Promise.all([
      client.edges.get(drawn.id),
      client.edges.get(edge.id),
      client.edges.get(found?.id ?? ''),
    ]);

    const forced = await brain2(['demo', '--remove', '--force'], { data });
    expect(forced).toMatchObject({ code: 0 });
    const left = await client.graph();
    expect(left.nodes.map(({ id }) => id).toSorted()).toEqual([own.id, other.id].toSorted());
    expect(left.edges.map(({ id }) => id)).toContain(edge.id);
    expect(await categories()).toEqual(['Music']);
  });

  it('brings back with --force what a note said', async () => {
    await brain2(['demo'], { data });
    const tides = await titled('Tides');
    await client.nodes.patch(tides.id, { content: 'Mine now.' }, tides.version);
    expect((await brain2(['demo', '--force', '--json'], { data })).stdout).toContain('"updated": 1');
    expect((await client.nodes.get(tides.id)).content).toBe(tides.content);
    expect((await brain2(['demo', '--remove'], { data })).stdout).toContain(`Removed ${notes.length} notes`);
  });
});
