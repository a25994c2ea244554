import { describe, expect, it } from 'vitest';
import type { Path, Stats } from '../../src/api/v2.ts';
import { newBrain, type Client } from './client.ts';

/** Notes that have nothing in common, so that only drawn edges connect them. */
async function notes({ create }: Client, words: readonly string[]): Promise<readonly string[]> {
  const made: string[] = [];
  for (const word of words) made.push((await create({ content: word, tags: [word] })).id);
  return made;
}

describe('the way between two notes', () => {
  it('is the shortest, the strongest of those, in either direction, and through no archived note', async () => {
    const brain = await newBrain();
    const ids = await notes(brain, ['alpha', 'bravo', 'charlie', 'delta', 'echo', 'foxtrot']);
    const at = (index: number): string => ids[index] ?? '';
    const draw = (from: number, to: number, weight: number) =>
      brain.connect({ sourceId: at(from), targetId: at(to), weight });
    await draw(0, 1, 0.5);
    await draw(3, 1, 0.5);
    await draw(2, 0, 0.9);
    await draw(2, 3, 0.9);
    await draw(3, 4, 0.2);
    const way = async (from: number, to: number, query = '') => {
      const path = await brain.get<Path>(`/graph/path?from=${at(from)}&to=${at(to)}${query}`);
      expect(path.edges).toHaveLength(path.length ?? 0);
      return path.length === null ? null : path.nodes.map(({ id }) => ids.indexOf(id));
    };
    expect(await way(0, 3)).toEqual([0, 2, 3]);
    expect(await way(3, 0)).toEqual([3, 2, 0]);
    expect(await way(0, 4)).toEqual([0, 2, 3, 4]);
    expect(await way(0, 4, '&maxLength=2')).toBeNull();
    expect(await way(0, 4, '&minWeight=0.3')).toBeNull();
    expect(await way(0, 5)).toBeNull();
    expect(await way(1, 1)).toEqual([1]);
    await brain.patch(at(2), { archived: true });
    expect(await way(0, 3)).toEqual([0, 1, 3]);
    expect(await way(0, 2)).toBeNull();
  });

  it('is not found to a note that is not there, and takes ids and bounds alone', async () => {
    const brain = await newBrain();
    const [a = ''] = await notes(brain, ['alpha']);
    const status = async (query: string) => (await brain.send('GET', `/graph/path?${query}`)).status;
    expect(await status(`from=${a}&to=0190a7c4-5b3e-7c2a-9f10-3d2b8e6a1c55`)).toBe(404);
    expect(await status(`from=0190a7c4-5b3e-7c2a-9f10-3d2b8e6a1c55&to=${a}`)).toBe(404);
    for (const query of [`from=${a}`, `from=${a}&to=x`, `from=${a}&to=${a}&maxLength=11`])
      expect([query, await status(query)]).toEqual([query, 422]);
  });
});

describe('the counts of a graph', () => {
  it('are of one position, with what is isolated, how notes hang together, and the hubs', async () => {
    const brain = await newBrain();
    const empty = await brain.get<Stats>('/graph/stats');
    expect(empty).toMatchObject({
      nodes: { total: 0 },
      averageDegree: 0,
      components: { count: 0, largest: 0 },
    });
    const ids = await notes(brain, ['alpha', 'alfa', 'bravo', 'charlie', 'delta']);
    const at = (index: number): string => ids[index] ?? '';
    for (const other of [1, 2]) await brain.connect({ sourceId: at(0), targetId: at(other) });
    await brain.patch(at(4), { archived: true });
    await brain.post('/categories', { title: 'Words' });
    const answer = await brain.send<Stats>('GET', '/graph/stats');
    expect(answer.body).toMatchObject({
      nodes: { total: 5, archived: 1, isolated: 1 },
      edges: {
        total: 2,
        byType: { related: 0, reference: 0, manual: 2 },
        byOrigin: { auto: 0, human: 2, import: 0 },
        byStatus: { proposed: 0, accepted: 2, rejected: 0 },
      },
      categories: 1,
      tags: 5,
      averageDegree: 1,
      components: { count: 2, largest: 3 },
      hubs: [{ nodeId: at(0), title: 'alpha', degree: 2 }, { degree: 1 }, { degree: 1 }],
    });
    const etag = answer.headers['etag'] ?? '';
    const known = () => brain.send('GET', '/graph/stats', undefined, { 'if-none-match': etag });
    expect((await known()).status).toBe(304);
    await brain.patch(at(1), { title: 'Alfa' });
    expect((await known()).status).toBe(200);
  });
});
