import { Type, type Static } from 'typebox';
import { Timestamp } from './common.ts';

// The shapes of /api/v1, the first public contract: nothing here changes any more. What is sent in may hold fields
// that are not named here; they are ignored, as they always were.

const Id = Type.String({ pattern: '^[a-zA-Z0-9-]+$', minLength: 1, maxLength: 100 });
const Unit = Type.Number({ minimum: 0, maximum: 1 });
const Count = Type.Integer({ minimum: 0 });
const Message = Type.String({ description: 'for people; its words may change' });

export const ErrorBody = Type.Object({ error: Type.String({ description: 'what went wrong, for people' }) });
export type ErrorBody = Static<typeof ErrorBody>;

export const NodeParams = Type.Object({ id: Id });
export const CategoryParams = Type.Object({ id: Id });
export const CategoryNodeParams = Type.Object({ id: Id, nodeId: Id });

const nodeFields = {
  nodeId: Id,
  content: Type.String(),
  title: Type.Optional(Type.String({ description: 'absent where there is none' })),
  tags: Type.Optional(Type.Array(Type.String(), { description: 'absent where there are none' })),
  timestamp: Timestamp,
  version: Type.Integer({ minimum: 0, description: '0 when made, one more with every change' }),
};
export const Node = Type.Object(nodeFields);
export type Node = Static<typeof Node>;

export const ConnectedNode = Type.Object({
  ...nodeFields,
  edges: Type.Array(Id, { description: 'the notes that it is connected to' }),
});
export type ConnectedNode = Static<typeof ConnectedNode>;

const Content = Type.String({ minLength: 1, maxLength: 10_000 });
const noteFields = {
  content: Content,
  title: Type.Optional(Type.String({ maxLength: 200 })),
  tags: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 100 }), { maxItems: 10 })),
};
export const NodeInput = Type.Object(noteFields);
export const NodeReplacement = Type.Object({
  ...noteFields,
  version: Type.Optional(
    Type.Integer({ minimum: 0, description: 'the version that was read; another one stored is a conflict' }),
  ),
});

export const NodeQuery = Type.Object({
  limit: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 100,
      description: 'notes of a page; 20 with a nextToken, and every note without one',
    }),
  ),
  // It holds the last title of a page, and those of v2 are up to 500 characters, each as three bytes.
  nextToken: Type.Optional(Type.String({ maxLength: 4000, description: 'of the page before' })),
  search: Type.Optional(
    Type.String({ maxLength: 1000, description: 'words to find; the best 1,000 notes are found' }),
  ),
  sortBy: Type.Optional(
    Type.Union([Type.Literal('createdAt'), Type.Literal('updatedAt'), Type.Literal('title')], {
      description: 'createdAt, and the best match first in a search',
    }),
  ),
  sortDirection: Type.Optional(
    Type.Union([Type.Literal('asc'), Type.Literal('desc')], {
      description: 'desc, and asc for titles',
    }),
  ),
});

export const NodeList = Type.Object({
  nodes: Type.Array(Node),
  total: Count,
  hasMore: Type.Boolean(),
  nextToken: Type.Optional(Type.String()),
});
export type NodeList = Static<typeof NodeList>;

export const NodeReplaced = Type.Object({
  message: Message,
  nodeId: Id,
  version: Type.Integer({ minimum: 0 }),
});

export const BulkDelete = Type.Object({ nodeIds: Type.Array(Id, { minItems: 1, maxItems: 100 }) });
export const BulkDeleted = Type.Object({
  deletedCount: Count,
  failedNodeIds: Type.Array(Id),
  message: Message,
});

export const GraphData = Type.Object({
  elements: Type.Array(
    Type.Object({
      data: Type.Union([
        Type.Object({ id: Type.String({ pattern: '^edge-' }), source: Type.String(), target: Type.String() }),
        Type.Object({ id: Type.String({ pattern: '^node-' }), label: Type.String({ maxLength: 100 }) }),
      ]),
    }),
  ),
});
export type GraphData = Static<typeof GraphData>;

const categoryFields = {
  id: Id,
  title: Type.String(),
  description: Type.Optional(Type.String()),
  level: Type.Integer({ minimum: 0, maximum: 2 }),
  parentId: Type.Optional(Id),
  color: Type.Optional(Type.String({ pattern: '^#[0-9a-f]{6}$' })),
  icon: Type.Optional(Type.String()),
  aiGenerated: Type.Boolean(),
  noteCount: Count,
  createdAt: Timestamp,
  updatedAt: Timestamp,
};
export const Category = Type.Object(categoryFields);
export type Category = Static<typeof Category>;

export const CategoryInput = Type.Object({
  title: Type.String({ minLength: 1, maxLength: 100 }),
  description: Type.Optional(Type.String({ maxLength: 500 })),
});
export const CategoryList = Type.Object({ categories: Type.Array(Category) });
export const CategoryChanged = Type.Object({ message: Message, categoryId: Id });
export const Hierarchy = Type.Object({
  categories: Type.Array(Category),
  hierarchy: Type.Record(Type.String(), Type.Array(Id), {
    description: 'the children of each category that has some',
  }),
});
export type Hierarchy = Static<typeof Hierarchy>;

export const CategoryNode = Type.Object({ nodeId: Id });
export const CategoryNodes = Type.Object({ memories: Type.Array(Node) });
export const Done = Type.Object({ message: Message });

const assignedFields = {
  ...categoryFields,
  confidence: Unit,
  method: Type.Union([Type.Literal('ai'), Type.Literal('manual'), Type.Literal('rule-based')]),
};
export const AssignedCategory = Type.Object(assignedFields);
export type AssignedCategory = Static<typeof AssignedCategory>;
export const NodeCategories = Type.Object({ categories: Type.Array(AssignedCategory) });
export const NodeCategorized = Type.Object({ message: Message, categories: Type.Array(AssignedCategory) });

export const SuggestionInput = Type.Object({ content: Content });
export const Suggestions = Type.Object({
  suggestions: Type.Array(
    Type.Object({
      name: Type.String(),
      level: Type.Integer({ minimum: 0, maximum: 2 }),
      confidence: Unit,
      reason: Type.String({ description: 'for people' }),
      parentId: Type.Optional(Id),
    }),
  ),
});
export type Suggestions = Static<typeof Suggestions>;

export const Rebuilt = Type.Object({
  message: Message,
  categoriesProcessed: Count,
  hierarchiesCreated: Count,
  categoriesMerged: Count,
});

const EndOfConnection = Type.Object({ nodeId: Id, label: Type.String(), categoryIds: Type.Array(Id) });
export const Insights = Type.Object({
  mostActiveCategories: Type.Array(
    Type.Object({
      categoryId: Id,
      title: Type.String(),
      noteCount: Count,
      recentChanges: Type.Integer({ minimum: 0, description: 'notes of it changed in the last 30 days' }),
      lastChangeAt: Timestamp,
    }),
    { description: 'those with the most notes changed lately' },
  ),
  categoryGrowthTrends: Type.Array(
    Type.Object({
      categoryId: Id,
      title: Type.String(),
      periods: Type.Array(
        Type.Object({ month: Type.String({ pattern: '^\\d{4}-\\d{2}$' }), created: Count }),
        {
          description: 'notes of it made in each of the last six months, the oldest first',
        },
      ),
      trend: Type.Union([Type.Literal('growing'), Type.Literal('steady'), Type.Literal('slowing')], {
        description: 'the last three months beside the three before',
      }),
    }),
  ),
  suggestedConnections: Type.Array(
    Type.Object({
      source: EndOfConnection,
      target: EndOfConnection,
      strength: Unit,
      reason: Type.String({ description: 'what the two have in common, for people' }),
    }),
    { description: 'the most related notes of different categories that are not connected' },
  ),
  knowledgeGaps: Type.Array(
    Type.Object({
      kind: Type.Union([
        Type.Literal('few-notes'),
        Type.Literal('few-connections'),
        Type.Literal('unconnected-note'),
      ]),
      title: Type.String(),
      categoryId: Type.Optional(Id),
      nodeId: Type.Optional(Id),
      reason: Type.String({ description: 'for people' }),
    }),
  ),
});
export type Insights = Static<typeof Insights>;
