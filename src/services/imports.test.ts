import { describe, expect, it } from 'vitest';
import { nodeIdOf, OWNER } from '../../test/support/arbitraries.ts';
import { MemoryTable } from '../../test/support/memory-table.ts';
import { servicesOver } from '../../test/support/services-over.ts';
import { instant, type NodeId } from '../domain/values.ts';
import type { Store } from '../storage/store.ts';
import { verifyOwner } from '../storage/verify/verify-owner.ts';
import type { ExportedEdge, ExportedNode } from './exported.ts';
import type { ImportEntry } from './import-note.ts';
import type { ImportEvent } from './import-events.ts';

/** A process over a table, which may be that of others, and what is wrong with what is stored. */
function place({ table = new MemoryTable(), beforeLinking = async () => {} } = {}) {
  const { store, services } = servicesOver(table, { beforeLinking });
  const complaints = async () =>
    (await verifyOwner({ reader: table, damaged: new Map() }, OWNER, () => {})).findings.problems;
  const run = (
    entries: AsyncIterable<ImportEntry> | Iterable<ImportEntry>,
    { prune = false } = {},
  ): AsyncGenerator<ImportEvent> =>
    services.imports.run(OWNER, { collection: 'vault', prune, dryRun: false }, entries);
  return { table, store, services, complaints, run };
}

const note = (name: string) => ({ key: `vault/${name}`, path: `vault/${name}`, title: `Note ${name}` });

/** Resolves when so many notes have been stored by a process. */
function stored(store: Store, notes: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  store.onCommit(({ events }) => {
    notes -= events.filter(({ type }) => type === 'node.created').length;
    if (notes === 0) resolve();
  });
  return promise;
}

describe('an import', () => {
  it('goes on where a note that it is to delete is deleted by another meanwhile', async () => {
    const { services, run } = place();
    await Array.fromAsync(run(['a', 'b', 'c'].map(note)));
    const ids = (await services.nodes.list(OWNER, { sort: 'createdAt' }, { limit: 10 })).items.map(
      ({ id }) => id,
    );
    const events: ImportEvent[] = [];
    for await (const event of run([note('d')], { prune: true })) {
      if (event.type === 'missing' && events.at(-1)?.type !== 'missing')
        for (const id of ids) if (id !== event.nodeId) await services.nodes.delete(OWNER, id);
      events.push(event);
    }
    expect(events.at(-1)).toMatchObject({ type: 'summary', summary: { created: 1, notes: 1 } });
  });

  it('puts no note into a category that was deleted meanwhile', async () => {
    const { store, services, run } = place();
    const isStored = stored(store, 1);
    async function* entries(): AsyncGenerator<ImportEntry> {
      yield { ...note('a'), category: ['Work'] };
      await isStored;
      const [made] = await services.categories.list(OWNER);
      await services.categories.delete(OWNER, made!.category.id);
      yield { ...note('b'), category: ['Work'] };
    }
    const events = await Array.fromAsync(run(entries()));
    expect(events.at(-1)).toMatchObject({ type: 'summary', summary: { created: 2 } });
    const there = (await services.categories.list(OWNER)).map(({ category }) => category.id);
    const { items } = await services.nodes.list(OWNER, { sort: 'createdAt' }, { limit: 10 });
    const given = items.flatMap(({ categories }) => categories.map(({ categoryId }) => categoryId));
    expect(there).toEqual(expect.arrayContaining(given));
  });

  it('refuses an exported note whose source key another note has', async () => {
    const { run, complaints } = place();
    await Array.fromAsync(run([note('a')]));
    const exported = exportedNode(nodeIdOf(1), { kind: 'import', key: 'vault/a' });
    const events = await Array.fromAsync(run([{ key: exported.id, part: { node: exported } }]));
    expect(events[0]).toMatchObject({ type: 'item', status: 'failed', problem: { code: 'conflict' } });
    expect(await complaints()).toEqual([]);
  });

  it('refuses an exported edge whose id an edge of other notes has', async () => {
    const { run, complaints } = place();
    const entries: ImportEntry[] = [1, 2, 3].map((number) => ({
      key: `note ${number}`,
      part: { node: exportedNode(nodeIdOf(number)) },
    }));
    for (const other of [2, 3])
      entries.push({ key: `edge ${other}`, part: { edge: exportedEdge(nodeIdOf(1), nodeIdOf(other)) } });
    const events = await Array.fromAsync(run(entries));
    expect(events.filter(({ type }) => type === 'item').slice(3)).toMatchObject([
      { status: 'created' },
      { status: 'failed', problem: { code: 'conflict' } },
    ]);
    expect(await complaints()).toEqual([]);
  });

  it('keeps the edges of a note that comes back before the last edges of its earlier life are gone', async () => {
    const { store, services, run, complaints } = place();
    const [hub, other] = [exportedNode(nodeIdOf(1)), exportedNode(nodeIdOf(2))];
    await store.write(OWNER, async (tx) =>
      tx.pending.replace(undefined, { kind: 'unlink', nodeId: nodeIdOf(1) }),
    );
    const edge = exportedEdge(nodeIdOf(1), nodeIdOf(2));
    await Array.fromAsync(
      run([
        { key: 'hub', part: { node: hub } },
        { key: 'other', part: { node: other } },
        { key: 'edge', part: { edge } },
      ]),
    );
    expect(await services.edges.list(OWNER, { type: 'manual' }, { limit: 10 })).toMatchObject({
      items: [{ id: edge.id }],
    });
    expect(await complaints()).toEqual([]);
  });

  it.each(['before', 'while'])(
    'that is cut off is linked by another process, also if that linked what there was %s more was stored',
    async (when) => {
      const importing = place();
      const { table } = importing;
      const [first, second] = [stored(importing.store, 1), stored(importing.store, 2)];
      const goesOn = Promise.withResolvers<void>();
      const other = place({
        table,
        async beforeLinking() {
          if (when !== 'while') return;
          goesOn.resolve();
          await second;
        },
      });
      async function* entries(): AsyncGenerator<ImportEntry> {
        yield { ...note('a'), content: 'Melatonin rises in the evening, and with it comes sleep.' };
        await goesOn.promise;
        yield { ...note('b'), content: 'Evening light delays melatonin, and with it sleep.' };
        await second;
        throw new Error('cut off');
      }
      const cutOff = Array.fromAsync(importing.run(entries()));
      cutOff.catch(() => {}); // looked at below
      await first;
      await other.services.pending.finish(OWNER);
      goesOn.resolve();
      await expect(cutOff).rejects.toThrow('cut off');
      await other.services.pending.finish(OWNER);
      const { items } = await other.services.edges.list(OWNER, {}, { limit: 10 });
      expect(items).toHaveLength(1);
      expect(await Array.fromAsync(other.store.read(OWNER).pending.all())).toEqual([]);
    },
  );
});

function exportedNode(id: NodeId, source: ExportedNode['source'] = { kind: 'api' }): ExportedNode {
  const time = instant(Date.now());
  return {
    id,
    title: `Note ${id}`,
    content: '',
    format: 'markdown',
    tags: [],
    aliases: [],
    categories: [],
    archived: false,
    source,
    createdAt: time,
    updatedAt: time,
  } as never;
}

function exportedEdge(sourceId: NodeId, targetId: NodeId): ExportedEdge {
  const time = instant(Date.now());
  return {
    id: '0190a7c4-5b3e-7000-8000-000000000009',
    sourceId,
    targetId,
    type: 'manual',
    weight: 1,
    origin: 'human',
    status: 'accepted',
    reasons: [],
    createdAt: time,
    updatedAt: time,
  } as never;
}
