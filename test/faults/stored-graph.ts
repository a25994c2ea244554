import { DatabaseSync } from 'node:sqlite';
import { crc32 } from 'node:zlib';
import { applyCategoryEvent, type Category } from '../../src/domain/category.ts';
import { applyEdgeEvent, type Edge } from '../../src/domain/edge.ts';
import type { CategoryEvent } from '../../src/domain/category.ts';
import type { EdgeEvent } from '../../src/domain/edge.ts';
import type { DomainEvent } from '../../src/domain/event.ts';
import type { NodeEvent } from '../../src/domain/node.ts';
import { applyNodeEvent, type Node } from '../../src/domain/node.ts';
import type { OwnerId } from '../../src/domain/values.ts';
import { keys, pairOf } from '../../src/storage/keys.ts';
import type { Head, LoggedEvent } from '../../src/storage/log.ts';
import type { Key } from '../../src/storage/table.ts';

export interface StoredItem extends Key {
  readonly et: string;
  readonly ver: number | null;
  readonly payload: unknown;
}

/** What lies in a database file, read by its rows and not through the product. */
export interface StoredItems {
  /** By `pk` and `sk`, a line each. */
  readonly items: ReadonlyMap<string, StoredItem>;
  readonly complaints: readonly string[];
}

export const nameOf = ({ pk, sk }: Key): string => `${pk}\n${sk}`;

/** Reads every row, and complains of what is no sound database. */
export function readItems(databasePath: string): StoredItems {
  const database = new DatabaseSync(databasePath);
  try {
    const complaints = database
      .prepare('PRAGMA integrity_check')
      .all()
      .map((row) => String(row['integrity_check']))
      .filter((line) => line !== 'ok')
      .map((line) => `integrity_check: ${line}`);
    const items = new Map<string, StoredItem>();
    for (const row of database.prepare('SELECT pk, sk, et, ver, ttl, j, sum FROM item').iterate()) {
      const { pk, sk, et, ver, ttl, j, sum } = row as Record<'pk' | 'sk' | 'et' | 'j', string> &
        Record<'ver' | 'ttl' | 'sum', number | null>;
      if (crc32(`${pk}\n${sk}\n${et}\n${ver ?? ''}\n${ttl ?? ''}\n${j}`) !== sum)
        complaints.push(`${pk} ${sk}: the row's checksum is another`);
      items.set(nameOf({ pk, sk }), { pk, sk, et, ver, payload: JSON.parse(j) });
    }
    return { items, complaints };
  } finally {
    database.close();
  }
}

/** What the log says there is. */
export interface Folded {
  readonly nodes: Map<string, Node>;
  readonly edges: Map<string, Edge>;
  readonly categories: Map<string, Category>;
  readonly lastSeq: number;
  readonly complaints: readonly string[];
}

/** Folds the whole log, and complains where it is no unbroken account: a gap, a repeat, a version passed over. */
export function foldLog(owner: OwnerId, { items }: StoredItems): Folded {
  const complaints: string[] = [];
  const graph = { nodes: new Map(), edges: new Map(), categories: new Map() };
  const entries = [...items.values()]
    .filter((item) => item.et === 'log.1')
    .sort((a, b) => (a.sk < b.sk ? -1 : 1));
  let lastSeq = 0;
  for (const entry of entries) {
    for (const { seq, event } of (entry.payload as { events: LoggedEvent[] }).events) {
      if (seq !== lastSeq + 1) complaints.push(`the log goes from ${lastSeq} to ${seq}`);
      lastSeq = seq;
      const complaint = applyEvent(graph, event);
      if (complaint !== undefined) complaints.push(`event ${seq} (${event.type}): ${complaint}`);
    }
    if (entry.sk !== keys.logEntry(owner, lastSeq).sk)
      complaints.push(`the log's item ${entry.sk} ends at ${lastSeq}`);
  }
  return { ...graph, lastSeq, complaints };
}

type Graph = Pick<Folded, 'nodes' | 'edges' | 'categories'>;

function applyEvent({ nodes, edges, categories }: Graph, event: DomainEvent): string | undefined {
  if ('nodeId' in event) return step(nodes, event.nodeId, event, applyNodeEvent as Apply<Node, NodeEvent>);
  if ('edgeId' in event) return step(edges, event.edgeId, event, applyEdgeEvent as Apply<Edge, EdgeEvent>);
  return step(categories, event.categoryId, event, applyCategoryEvent as Apply<Category, CategoryEvent>);
}

type Apply<T, E> = (state: T | undefined, event: E) => T | undefined;

function step<T extends { readonly version: number }, E extends DomainEvent>(
  all: Map<string, T>,
  id: string,
  event: E,
  apply: Apply<T, E>,
): string | undefined {
  const before = all.get(id);
  const after = apply(before, event);
  if (after === undefined) all.delete(id);
  else all.set(id, after);
  const from = before?.version ?? 0;
  return event.version === from + 1 ? undefined : `${id} goes from version ${from} to ${event.version}`;
}

/** Every item that the folded graph asks for: what stands in no log (marks, decisions) is not among them. */
export function itemsOf(
  owner: OwnerId,
  { nodes, edges, categories }: Graph,
): ReadonlyMap<string, StoredItem> {
  const expected = new Map<string, StoredItem>();
  const add = (key: Key, et: string, payload: unknown, ver: number | null = null): void => {
    // Through JSON, for a field that is undefined is not stored.
    expected.set(nameOf(key), { ...key, et, ver, payload: JSON.parse(JSON.stringify(payload)) });
  };
  for (const node of nodes.values()) {
    add(keys.node(owner, node.id), 'node.1', node, node.version);
    add(keys.nodeByUpdate(owner, node.updatedAt, node.id), 'ref.1', node.id);
    for (const tag of node.tags) add(keys.tagOfNode(owner, tag, node.id), 'ref.1', node.id);
    for (const { categoryId } of node.categories)
      add(keys.nodeInCategory(owner, categoryId, node.id), 'ref.1', node.id);
    if (node.source.key !== undefined) add(keys.source(owner, node.source.key), 'ref.1', node.id);
  }
  for (const edge of edges.values()) {
    const pair = pairOf(edge.sourceId, edge.targetId, edge.type);
    add(keys.edge(owner, pair), 'edge.1', edge, edge.version);
    add(keys.edgeReverse(owner, pair), 'ref.1', edge.id);
    add(keys.edgeById(owner, edge.id), 'ref.1', pair);
  }
  for (const category of categories.values())
    add(keys.category(owner, category.id), 'category.1', category, category.version);
  return expected;
}

export function headOf(owner: OwnerId, { items }: StoredItems): Head | undefined {
  return items.get(nameOf(keys.head(owner)))?.payload as Head | undefined;
}
