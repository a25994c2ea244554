import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EdgeChange, LinkerRun } from '../../src/api/v2-linker.ts';
import type { Edge, Graph, LinkedNode } from '../../src/api/v2.ts';
import { textOf } from '../faults/notes.ts';
import { seeded, type Random } from '../faults/seed.ts';
import { dataFolder, ifMatch, newBrain, type Client } from './client.ts';

const TOPICS = 4;
const NOTES = 30;
const UNKNOWN = '0190a7c4-0000-7000-8000-000000000000';

/** A run as it is when it has ended. */
async function ended(client: Client, started: LinkerRun): Promise<LinkerRun> {
  await client.brain.services.jobs.idle();
  return client.get<LinkerRun>(`/linker/runs/${started.id}`);
}

const begin = (client: Client, path: string, body?: object) =>
  client.post<LinkerRun>(`/linker/runs${path}`, body, 202);
const run = async (client: Client, path: string, body?: object) =>
  ended(client, await begin(client, path, body));
const dryRun = (client: Client) => run(client, '', { dryRun: true });
const changesOf = (client: Client, { id }: LinkerRun, query = {}) =>
  client.all<EdgeChange>(`/linker/runs/${id}/edges`, { limit: '7', ...query });
const edgesIn = async (client: Client) =>
  client
    .all<Edge>('/edges')
    .then(async (shown) => [...shown, ...(await client.all<Edge>('/edges', { status: 'rejected' }))]);

const isLinkers = (edge: Edge) => edge.origin === 'auto' && edge.status === 'proposed';
const pairOf = (of: Pick<Edge, 'sourceId' | 'targetId'>) => [of.sourceId, of.targetId].sort().join(' ');
/** What of the linker's edges a run may change and a revert brings back. */
const linkersOf = (edges: readonly Edge[]) =>
  new Map(
    edges.filter(isLinkers).map((edge) => [pairOf(edge), { weight: edge.weight, reasons: edge.reasons }]),
  );
const personsOf = (edges: readonly Edge[]) =>
  edges.filter((edge) => !isLinkers(edge)).sort((a, b) => (a.id < b.id ? -1 : 1));
const seqOf = async (client: Client) => (await client.get<Graph>('/graph')).seq;

/** Notes one by one, so that the early ones have not seen the late ones. */
async function fill(client: Client, random: Random): Promise<readonly string[]> {
  const ids: string[] = [];
  for (let note = 0; note < NOTES; note++) {
    const topic = random.below(TOPICS);
    const { id } = await client.create({ title: `of ${topic}, ${note}`, content: textOf(topic, random) });
    ids.push(id);
  }
  return ids;
}

/** Draws, weighs, accepts, rejects and deletes edges. Gives the pairs whose edge was deleted. */
async function actAsPerson(
  client: Client,
  ids: readonly string[],
  random: Random,
): Promise<ReadonlySet<string>> {
  const deleted = new Set<string>();
  for (const edge of await client.all<Edge>('/edges')) {
    const version = ifMatch(edge.version);
    const patch = (body: object) => client.send('PATCH', `/edges/${edge.id}`, body, version);
    const act = random.below(8);
    if (act === 0) await patch({ status: 'accepted' });
    if (act === 1) await patch({ status: 'rejected' });
    if (act === 2) await patch({ weight: 0.77 });
    if (act === 3) {
      await client.drop(`/edges/${edge.id}`);
      deleted.add(pairOf(edge));
    }
  }
  for (let edge = 0; edge < 6; edge++) {
    const [sourceId, targetId] = [random.pick(ids), random.pick(ids)];
    if (sourceId !== targetId) await client.send('POST', '/edges', { sourceId, targetId });
  }
  return deleted;
}

describe('a run of the linker over all notes', () => {
  it('says what it would change, changes just that, takes it back, and leaves what a person did', async () => {
    let changed = 0;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 1_000_000 }), async (seed) => {
        const random = seeded(seed);
        const client = await newBrain();
        const deleted = await actAsPerson(client, await fill(client, random), random);
        const before = await edgesIn(client);

        const dry = await dryRun(client);
        expect(dry).toMatchObject({ action: 'preview', status: 'done', of: null, problem: null });
        const plan = await changesOf(client, dry);
        const of = (change: string) => plan.filter((one) => one.change === change);
        expect(dry.result).toMatchObject({
          added: of('added').length,
          removed: of('removed').length,
          changed: of('changed').length,
          kept: before.filter(isLinkers).length - of('removed').length - of('changed').length,
        });
        expect(await changesOf(client, dry, { change: 'added' })).toEqual(of('added'));
        expect(await edgesIn(client)).toEqual(before);

        const applied = await run(client, `/${dry.id}/apply`);
        expect(applied).toMatchObject({ action: 'apply', of: dry.id, status: 'done' });
        expect(applied.result).toMatchObject({ asPlanned: plan.length, otherwise: 0 });
        const after = await edgesIn(client);
        expect(personsOf(after)).toEqual(personsOf(before));
        const planned = new Map(linkersOf(before));
        for (const one of plan)
          if (one.weight === null) planned.delete(pairOf(one));
          else planned.set(pairOf(one), { weight: one.weight, reasons: one.reasons });
        expect(linkersOf(after)).toEqual(planned);
        expect(after.filter((edge) => deleted.has(pairOf(edge)) && edge.origin === 'auto')).toEqual([]);
        expect((await dryRun(client)).result).toMatchObject({ added: 0, removed: 0, changed: 0 });

        const reverted = await run(client, `/${applied.id}/revert`);
        expect(reverted).toMatchObject({
          action: 'revert',
          of: applied.id,
          status: 'done',
          result: { left: 0 },
        });
        const back = await edgesIn(client);
        expect(linkersOf(back)).toEqual(linkersOf(before));
        expect(personsOf(back)).toEqual(personsOf(before));
        changed += plan.length;
        await client.close();
      }),
      { numRuns: 3, seed: 7, endOnFailure: true }, // each takes seconds
    );
    expect(changed).toBeGreaterThan(20);
  });

  it('decides again what was written since the dry run, and tells how much is otherwise', async () => {
    const client = await newBrain();
    const ids = await fill(client, seeded(3));
    const dry = await dryRun(client);
    const plan = await changesOf(client, dry);
    const first = plan.find(({ change }) => change === 'added') as EdgeChange;
    await client.drop(`/nodes/${first.sourceId}`);
    const other = ids.find((id) => id !== first.sourceId && id !== first.targetId) as string;
    await client.patch(other, { content: textOf(99, seeded(5)) });
    const applied = await run(client, `/${dry.id}/apply`);
    expect(applied.result?.otherwise).toBeGreaterThan(0);
    const { nodes, edges } = await client.get<Graph>('/graph');
    const there = new Set(nodes.map(({ id }) => id));
    expect(edges.filter(({ sourceId, targetId }) => !there.has(sourceId) || !there.has(targetId))).toEqual(
      [],
    );
    expect((await dryRun(client)).result).toMatchObject({ added: 0, removed: 0, changed: 0 });
  });

  it('leaves, when it is taken back, an edge that a person has settled since, and counts it', async () => {
    const client = await newBrain();
    await fill(client, seeded(4));
    const applied = await run(client, '', { dryRun: false });
    const [first, second] = (await changesOf(client, applied, { change: 'added' })) as [
      EdgeChange,
      EdgeChange,
    ];
    const settled = await client.send<Edge>(
      'PATCH',
      `/edges/${first.edgeId}`,
      { status: 'accepted' },
      ifMatch(1),
    );
    expect(settled.status).toBe(200);
    const reverted = await run(client, `/${applied.id}/revert`);
    expect(reverted.result?.left).toBe(1);
    expect(await client.get<Edge>(`/edges/${first.edgeId}`)).toEqual(settled.body);
    expect((await client.send('GET', `/edges/${second.edgeId}`)).status).toBe(404);
    const again = await client.send('POST', `/linker/runs/${applied.id}/revert`);
    expect([again.status, again.body.detail]).toEqual([409, expect.stringContaining('reverted already')]);
  });

  it('goes on after a stop in its middle, and is taken back whole', async () => {
    const folder = dataFolder();
    const client = await newBrain(folder);
    await fill(client, seeded(6));
    const before = linkersOf(await edgesIn(client));
    const begun = await begin(client, '', { dryRun: false });
    await client.close();
    const reopened = await newBrain(folder);
    await reopened.brain.services.jobs.resume(reopened.brain.owner);
    const applied = await ended(reopened, begun);
    expect(applied.status).toBe('done');
    const changes = await changesOf(reopened, applied);
    expect(new Set(changes.map(pairOf)).size).toBe(changes.length);
    expect((await dryRun(reopened)).result).toMatchObject({ added: 0, removed: 0, changed: 0 });
    await run(reopened, `/${applied.id}/revert`);
    expect(linkersOf(await edgesIn(reopened))).toEqual(before);
  });

  it('is one at a time, and applied or taken back only where that means something', async () => {
    const client = await newBrain();
    const { id } = await client.create({ title: 'alone' });
    const position = await seqOf(client);
    const first = await begin(client, '', {});
    const second = await client.send('POST', '/linker/runs', {});
    expect([second.status, second.body.code]).toEqual([409, 'conflict']);
    const dry = await ended(client, first);
    expect(await seqOf(client)).toEqual(position); // a dry run is no event
    const refused = async (path: string) => {
      const { status, body } = await client.send('POST', `/linker/runs/${path}`);
      return [status, body.code];
    };
    expect(await refused(`${dry.id}/revert`)).toEqual([409, 'conflict']);
    const applied = await run(client, `/${dry.id}/apply`);
    expect(await refused(`${applied.id}/apply`)).toEqual([409, 'conflict']);
    expect(await refused(`${UNKNOWN}/apply`)).toEqual([404, 'not_found']);
    expect(await refused(`${id}/revert`)).toEqual([404, 'not_found']);
    expect((await client.all<LinkerRun>('/linker/runs')).map((one) => one.id)).toEqual([applied.id, dry.id]);
    expect((await client.get<LinkedNode>(`/nodes/${id}`)).version).toBe(1);
  });
});
