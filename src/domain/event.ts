import type { CategoryEvent } from './category.ts';
import type { EdgeEvent } from './edge.ts';
import type { NodeEvent } from './node.ts';

/** Everything that can happen. The union is closed: a new kind of change starts here. */
export type DomainEvent = NodeEvent | EdgeEvent | CategoryEvent;

export type EventType = DomainEvent['type'];

/** The types of the union as values. Exhaustive: a new one does not compile without its row. */
const TYPES: { readonly [T in EventType]: true } = {
  'node.created': true,
  'node.updated': true,
  'node.archived': true,
  'node.restored': true,
  'node.deleted': true,
  'edge.created': true,
  'edge.weightUpdated': true,
  'edge.supportChanged': true,
  'edge.accepted': true,
  'edge.rejected': true,
  'edge.reopened': true,
  'edge.deleted': true,
  'category.created': true,
  'category.updated': true,
  'category.moved': true,
  'category.deleted': true,
  'category.nodeAssigned': true,
  'category.nodeRemoved': true,
};

export const EVENT_TYPES = Object.keys(TYPES) as readonly EventType[];

/** An event as a reader outside is told it: what it is of, and what happened. */
export function partsOf(event: DomainEvent) {
  const { type, version, at: _at, ...rest } = event;
  const {
    tags: _tags,
    categories: _categories,
    ...data
  } = { tags: undefined, categories: undefined, ...rest };
  return {
    type,
    version,
    ids: {
      ...('nodeId' in event && { nodeId: event.nodeId }),
      ...('edgeId' in event && { edgeId: event.edgeId }),
      ...('categoryId' in event && { categoryId: event.categoryId }),
    },
    data,
  };
}
