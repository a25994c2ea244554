import type { Category, CategoryChanges } from './category.ts';
import type { Edge, Reason, Support } from './edge.ts';
import type { Assignment, Node, NodeChanges } from './node.ts';
import type { CategoryId, EdgeId, Instant, NodeId, Weight } from './values.ts';

/** Each node event carries the version that it leads to, so applying one twice is harmless. */
interface OfNode {
  readonly nodeId: NodeId;
  readonly version: number;
  readonly at: Instant;
}

interface OfEdge {
  readonly edgeId: EdgeId;
  readonly sourceId: NodeId;
  readonly targetId: NodeId;
  readonly version: number;
  readonly at: Instant;
}

interface OfCategory {
  readonly categoryId: CategoryId;
  readonly version: number;
  readonly at: Instant;
}

export type NodeEvent =
  | (OfNode & { readonly type: 'node.created'; readonly node: Node })
  | (OfNode & { readonly type: 'node.updated'; readonly changes: NodeChanges })
  | (OfNode & { readonly type: 'node.archived' | 'node.restored' })
  | (OfNode & { readonly type: 'node.deleted' })
  | (OfNode & { readonly type: 'category.nodeAssigned'; readonly assignment: Assignment })
  | (OfNode & { readonly type: 'category.nodeRemoved'; readonly categoryId: CategoryId });

export type EdgeEvent =
  | (OfEdge & { readonly type: 'edge.created'; readonly edge: Edge })
  | (OfEdge & {
      readonly type: 'edge.weightUpdated';
      readonly from: Weight;
      readonly weight: Weight;
      readonly reasons: readonly Reason[];
      readonly engine?: string | undefined;
    })
  | (OfEdge & { readonly type: 'edge.supportChanged'; readonly support: Support })
  | (OfEdge & { readonly type: 'edge.accepted' | 'edge.rejected' | 'edge.reopened' })
  | (OfEdge & { readonly type: 'edge.deleted'; readonly by: 'person' | 'linker' | 'import' });

export type CategoryEvent =
  | (OfCategory & { readonly type: 'category.created'; readonly category: Category })
  | (OfCategory & { readonly type: 'category.updated'; readonly changes: CategoryChanges })
  | (OfCategory & { readonly type: 'category.moved'; readonly parentId: CategoryId | null })
  | (OfCategory & { readonly type: 'category.deleted' });

/** Everything that can happen. The union is closed: a new kind of change starts here. */
export type DomainEvent = NodeEvent | EdgeEvent | CategoryEvent;
export type EventType = DomainEvent['type'];
