import { applyCategoryEvent, type Category, type CategoryEvent } from '../../domain/category.ts';
import { applyEdgeEvent, type Edge, type EdgeEvent } from '../../domain/edge.ts';
import { isBrainError } from '../../domain/error.ts';
import type { DomainEvent } from '../../domain/event.ts';
import { applyNodeEvent, type Node, type NodeEvent } from '../../domain/node.ts';
import type { CategoryId, EdgeId, NodeId } from '../../domain/values.ts';
import type { BaseRepository } from '../base-repository.ts';
import { keys, pks } from '../keys.ts';
import type { Repositories } from '../repositories.ts';
import { everyItem, type Item, type Key, type TableReader } from '../table.ts';
import { nameOf, type Findings } from './problem.ts';

export type EntityName = 'node' | 'edge' | 'category';
export type Entity = Node | Edge | Category;

/** One kind of what a graph is made of, as it is stored and as the log tells of it. */
export interface Kind {
  readonly name: EntityName;
  readonly base: BaseRepository<Entity, unknown>;
  /** A key by which what has this id is known, also when it is not there. */
  readonly nameOf: (id: string) => Key;
  /** Partitions that hold nothing but rows of its indexes. */
  readonly indexes: readonly string[];
  readonly apply: (entity: Entity | undefined, event: DomainEvent) => Entity | undefined;
}

/** Notes come first, for edges are held against them. */
export function kindsOf({ nodes, edges, categories }: Repositories): readonly Kind[] {
  const { owner } = nodes.base;
  const base = (of: unknown): Kind['base'] => of as Kind['base'];
  return [
    {
      name: 'node',
      nameOf: (id) => keys.node(owner, id as NodeId),
      base: base(nodes.base),
      indexes: [pks.nodesByUpdate(owner), pks.tags(owner), pks.nodesOfCategories(owner), pks.sources(owner)],
      apply: (node, event) => applyNodeEvent(node as Node | undefined, event as NodeEvent),
    },
    {
      name: 'edge',
      nameOf: (id) => keys.edgeById(owner, id as EdgeId),
      base: base(edges.base),
      indexes: [],
      apply: (edge, event) => applyEdgeEvent(edge as Edge | undefined, event as EdgeEvent),
    },
    {
      name: 'category',
      nameOf: (id) => keys.category(owner, id as CategoryId),
      base: base(categories),
      indexes: [],
      apply: (category, event) =>
        applyCategoryEvent(category as Category | undefined, event as CategoryEvent),
    },
  ];
}

/** Which entity an event is of. */
export function entityOf(event: DomainEvent): { readonly name: EntityName; readonly id: string } {
  if ('nodeId' in event) return { name: 'node', id: event.nodeId };
  if ('edgeId' in event) return { name: 'edge', id: event.edgeId };
  return { name: 'category', id: event.categoryId };
}

/** Where an entity lies, and at which version. */
export interface Place {
  readonly sk: string;
  readonly version: number;
}

/** What a row says; undefined, and told, where it cannot be read. */
export function decoded<T>(
  base: Pick<BaseRepository<T, unknown>, 'decode'>,
  row: Item,
  findings: Findings,
): T | undefined {
  try {
    return base.decode(row);
  } catch (error) {
    if (!isBrainError(error)) throw error;
    findings.add('row', row, error.message);
    return undefined;
  }
}

/**
 * Reads every entity of a kind with all rows of its indexes, and holds them together: each index row that an entity
 * asks for is there as it should be, and there are no others. Memory grows with the keys, not with the texts.
 */
export async function checkRows(
  reader: TableReader,
  { base, indexes }: Kind,
  { findings, onEntity }: { readonly findings: Findings; readonly onEntity: (entity: Entity) => void },
): Promise<ReadonlyMap<string, Place>> {
  const { schema, owner } = base;
  const partition = schema.partition(owner);
  const places = new Map<string, Place>();
  const asked = new Map<string, string>();
  for await (const row of everyItem(reader, partition, { prefix: schema.prefix })) {
    const entity = decoded(base, row, findings);
    if (!entity) continue;
    const [whole, ...others] = base.itemsOf(entity);
    checkWhole(row, whole, findings);
    for (const item of others) asked.set(nameOf(item), item.j);
    places.set(entity.id, { sk: row.sk, version: entity.version });
    onEntity(entity);
  }
  const isWhole = (row: Item): boolean => row.pk === partition && row.sk.startsWith(schema.prefix ?? '');
  for (const pk of schema.prefix === undefined ? indexes : [partition, ...indexes]) {
    for await (const row of everyItem(reader, pk)) if (!isWhole(row)) checkIndexRow(row, asked, findings);
  }
  for (const name of asked.keys()) findings.add('index_row', name, 'is not there');
  return places;
}

/** A row that holds an entity lies under the entity's key, at its version. */
export function checkWhole(row: Item, whole: Item | undefined, findings: Findings): void {
  if (whole?.pk !== row.pk || whole.sk !== row.sk)
    findings.add('row', row, `holds what belongs under ${whole ? nameOf(whole) : 'another key'}`);
  else if (whole.ver !== row.ver)
    findings.add('row', row, `stands at version ${row.ver}, what it holds at ${whole.ver}`);
}

function checkIndexRow(row: Item, asked: Map<string, string>, findings: Findings): void {
  const name = nameOf(row);
  const wanted = asked.get(name);
  asked.delete(name);
  if (wanted === undefined) findings.add('index_row', row, 'belongs to nothing that is stored');
  else if (wanted !== row.j) findings.add('index_row', row, `is ${row.j}, and should be ${wanted}`);
}
