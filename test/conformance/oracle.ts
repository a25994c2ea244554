import assert from 'node:assert/strict';
import { applyCategoryEvent, type Category } from '../../src/domain/category.ts';
import { applyEdgeEvent, type Edge } from '../../src/domain/edge.ts';
import type { DomainEvent } from '../../src/domain/event.ts';
import { applyNodeEvent, type Node } from '../../src/domain/node.ts';
import { tagKey, type OwnerId } from '../../src/domain/values.ts';
import { pks } from '../../src/storage/keys.ts';
import type { LoggedEvent } from '../../src/storage/log.ts';
import type { Repositories } from '../../src/storage/repositories.ts';
import type { Store } from '../../src/storage/store.ts';
import type { TableReader } from '../../src/storage/table.ts';
import { nodeIdOf } from '../support/arbitraries.ts';

export interface Folded {
  readonly nodes: ReadonlyMap<string, Node>;
  readonly edges: ReadonlyMap<string, Edge>;
  readonly categories: ReadonlyMap<string, Category>;
}

function keep<T>(kept: Map<string, T>, id: string, state: T | undefined): void {
  if (state === undefined) kept.delete(id);
  else kept.set(id, state);
}

/** The state that a log leads to, by the domain's own folds. */
function fold(log: Iterable<DomainEvent>): Folded {
  const nodes = new Map<string, Node>();
  const edges = new Map<string, Edge>();
  const categories = new Map<string, Category>();
  for (const event of log) {
    if ('nodeId' in event) keep(nodes, event.nodeId, applyNodeEvent(nodes.get(event.nodeId), event));
    else if ('edgeId' in event) keep(edges, event.edgeId, applyEdgeEvent(edges.get(event.edgeId), event));
    else keep(categories, event.categoryId, applyCategoryEvent(categories.get(event.categoryId), event));
  }
  return { nodes, edges, categories };
}

/** The whole log, in pages of `limit`. */
export async function readLog(store: Store, owner: OwnerId, limit = 7): Promise<readonly LoggedEvent[]> {
  const log: LoggedEvent[] = [];
  let after: { readonly epoch?: string; readonly seq: number } = { seq: 0 };
  for (;;) {
    const changes = await store.changes(owner, after, limit);
    log.push(...changes.events);
    after = changes.position;
    if (!changes.hasMore) return log;
  }
}

export async function collect<T>(all: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const one of all) found.push(one);
  return found;
}

const ids = (of: Iterable<{ readonly id: string }>): string[] => [...of].map((one) => one.id);
const sorted = (of: Iterable<string>): string[] => [...of].toSorted();

/**
 * Holds everything that is stored of an owner to the log: state, counts, numbering, and every index, in both
 * directions. Gives the number of events. Nobody may be writing.
 */
export async function verifyOwner(store: Store, table: TableReader, owner: OwnerId): Promise<number> {
  const log = await readLog(store, owner);
  const head = await store.head(owner);
  assert.deepEqual(
    log.map((logged) => logged.seq),
    log.map((_, index) => index + 1),
    'the log is gapless',
  );
  assert.equal(head.seq, log.length);

  const stored = store.read(owner);
  const [nodes, edges, categories] = await Promise.all([
    collect(stored.nodes.all()),
    collect(stored.edges.all()),
    collect(stored.categories.all()),
  ]);
  const folded = fold(log.map((logged) => logged.event));
  const byId = <T extends { readonly id: string }>(all: readonly T[]): Map<string, T> =>
    new Map(all.map((o) => [o.id, o]));
  assert.deepEqual({ nodes: byId(nodes), edges: byId(edges), categories: byId(categories) }, folded);
  assert.deepEqual(head.counts, { nodes: nodes.length, edges: edges.length, categories: categories.length });

  await verifyNodeIndexes(stored, nodes, categories);
  await verifyEdgeIndexes(stored, nodes, edges);
  const size = async (pk: string): Promise<number> => (await table.query(pk)).items.length;
  const sum = (of: (node: Node) => number): number => nodes.reduce((total, node) => total + of(node), 0);
  assert.equal(await size(pks.nodes(owner)), nodes.length);
  assert.equal(await size(pks.nodesByUpdate(owner)), nodes.length);
  assert.equal(
    await size(pks.tags(owner)),
    sum((node) => node.tags.length),
  );
  assert.equal(
    await size(pks.nodesOfCategories(owner)),
    sum((node) => node.categories.length),
  );
  assert.equal(
    await size(pks.sources(owner)),
    sum((node) => (node.source.key === undefined ? 0 : 1)),
  );
  assert.equal(await size(pks.edges(owner)), 3 * edges.length);
  return log.length;
}

async function verifyNodeIndexes(
  { nodes }: Repositories,
  all: readonly Node[],
  categories: readonly Category[],
): Promise<void> {
  const byUpdate = all.toSorted((a, b) => (a.updatedAt + a.id < b.updatedAt + b.id ? -1 : 1));
  assert.deepEqual(ids((await nodes.listByUpdate({})).items), ids(byUpdate));
  assert.deepEqual(ids((await nodes.listByUpdate({ reverse: true })).items), ids(byUpdate.toReversed()));
  for (const key of new Set(['none', ...all.flatMap((node) => node.tags.map(tagKey))])) {
    const tagged = all.filter((node) => node.tags.some((tag) => tagKey(tag) === key));
    assert.deepEqual(
      ids((await nodes.listByTag(key.toUpperCase(), {})).items),
      ids(tagged),
      `nodes tagged ${key}`,
    );
  }
  const counts = await nodes.countByCategory();
  for (const { id } of categories) {
    const inside = ids(all.filter((node) => node.categories.some((c) => c.categoryId === id)));
    assert.deepEqual(ids((await nodes.listByCategory(id, {})).items), inside);
    assert.equal(counts.get(id) ?? 0, inside.length);
  }
  const sources = new Map(
    all.flatMap(({ source, id }) => (source.key === undefined ? [] : [[source.key, id]])),
  );
  assert.deepEqual(await nodes.bySourceKeys([...sources.keys(), 'none']), sources);
  assert.deepEqual(new Map((await collect(nodes.sources())).map((s) => [s.key, s.nodeId])), sources);
  assert.deepEqual(
    sorted(await nodes.existing([nodeIdOf(999), ...all.map((node) => node.id)])),
    sorted(ids(all)),
  );
}

async function verifyEdgeIndexes(
  { edges }: Repositories,
  nodes: readonly Node[],
  all: readonly Edge[],
): Promise<void> {
  for (const { id } of nodes) {
    const ends = all.filter((edge) => edge.sourceId === id || edge.targetId === id);
    assert.deepEqual(sorted(ids(await edges.of(id))), sorted(ids(ends)));
  }
  for (const edge of all) {
    assert.deepEqual(await edges.find(edge.id), edge);
    assert.deepEqual(await edges.findPair(edge.targetId, edge.sourceId, edge.type), edge);
    assert.ok((await edges.between(edge.targetId, edge.sourceId)).some((e) => e.id === edge.id));
  }
}
