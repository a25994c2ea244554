import { Type, type Static } from 'typebox';
import { Timestamp, Uuid } from './common.ts';

// The shapes of /api/v2. Enums are open: a client ignores values that it does not know.

const Title = Type.String({
  maxLength: 500,
  description: 'one line; empty: the first line of the content is shown',
});
const Content = Type.String({ maxLength: 300_000, description: 'Markdown; at most 300,000 bytes as JSON' });
const Tags = Type.Array(Type.String({ minLength: 1, maxLength: 200 }), {
  maxItems: 200,
  description: 'at most 32',
});
const Aliases = Type.Array(Type.String({ minLength: 1, maxLength: 500 }), { maxItems: 32 });
const Format = Type.Union([Type.Literal('markdown'), Type.Literal('text')]);
const Unit = Type.Number({ minimum: 0, maximum: 1 });

const Source = Type.Object(
  {
    kind: Type.Union([Type.Literal('api'), Type.Literal('cli'), Type.Literal('import')]),
    key: Type.Optional(
      Type.String({ minLength: 1, maxLength: 900, description: 'unique among the notes of an owner' }),
    ),
    path: Type.Optional(Type.String({ maxLength: 900 })),
  },
  { additionalProperties: false },
);

const AssignedCategory = Type.Object({
  id: Uuid,
  confidence: Unit,
  method: Type.Union([Type.Literal('ai'), Type.Literal('manual'), Type.Literal('rule-based')]),
});

/** A note without its content, as lists of other things show it. */
const nodeFields = {
  id: Uuid,
  title: Title,
  label: Type.String({ description: 'the title, or the first line of a note without one' }),
  format: Format,
  tags: Tags,
  aliases: Aliases,
  categories: Type.Array(AssignedCategory),
  archived: Type.Boolean(),
  source: Source,
  createdAt: Timestamp,
  updatedAt: Timestamp,
  version: Type.Integer({ minimum: 1 }),
};
export const NodeSummary = Type.Object(nodeFields);
export type NodeSummary = Static<typeof NodeSummary>;

export const Node = Type.Object({ ...nodeFields, content: Content });
export type Node = Static<typeof Node>;

export const Reason = Type.Object({
  kind: Type.String({ description: 'names, named-by, covers, term, tag or link' }),
  term: Type.String(),
  contribution: Unit,
});
export type Reason = Static<typeof Reason>;

const EdgeType = Type.Union([Type.Literal('related'), Type.Literal('reference'), Type.Literal('manual')]);
const EdgeOrigin = Type.Union([Type.Literal('auto'), Type.Literal('human'), Type.Literal('import')]);
const EdgeStatus = Type.Union([Type.Literal('proposed'), Type.Literal('accepted'), Type.Literal('rejected')]);

export const Edge = Type.Object({
  id: Uuid,
  sourceId: Uuid,
  targetId: Uuid,
  type: EdgeType,
  weight: Unit,
  origin: EdgeOrigin,
  status: EdgeStatus,
  reasons: Type.Array(Reason),
  engine: Type.Optional(Type.String({ description: 'the linking engine that made an automatic edge' })),
  createdAt: Timestamp,
  updatedAt: Timestamp,
  version: Type.Integer({ minimum: 1 }),
});
export type Edge = Static<typeof Edge>;

/** A note with the edges now in force: what create and patch answer. */
export const LinkedNode = Type.Object({ ...nodeFields, content: Content, edges: Type.Array(Edge) });
export type LinkedNode = Static<typeof LinkedNode>;

export const NodeInput = Type.Object(
  {
    title: Type.Optional(Title),
    content: Type.Optional(Content),
    format: Type.Optional(Format),
    tags: Type.Optional(Tags),
    aliases: Type.Optional(Aliases),
    source: Type.Optional(Source),
  },
  { additionalProperties: false },
);
export type NodeInput = Static<typeof NodeInput>;

/** A JSON merge patch (RFC 7396): absent fields stay, `null` empties. */
export const NodePatch = Type.Object(
  {
    title: Type.Optional(Type.Union([Title, Type.Null()])),
    content: Type.Optional(Type.Union([Content, Type.Null()])),
    format: Type.Optional(Format),
    tags: Type.Optional(Type.Union([Tags, Type.Null()])),
    aliases: Type.Optional(Type.Union([Aliases, Type.Null()])),
    archived: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false, minProperties: 1 },
);
export type NodePatch = Static<typeof NodePatch>;

export const NodeQuery = Type.Object(
  {
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50 })),
    cursor: Type.Optional(Type.String({ maxLength: 2000 })),
    tag: Type.Optional(Type.String({ minLength: 1, maxLength: 100 })),
    category: Type.Optional(Uuid),
    updatedSince: Type.Optional(Timestamp),
    archived: Type.Optional(Type.Boolean({ default: false })),
    sort: Type.Optional(
      Type.Union(
        [
          Type.Literal('createdAt'),
          Type.Literal('-createdAt'),
          Type.Literal('updatedAt'),
          Type.Literal('-updatedAt'),
        ],
        { default: '-createdAt' },
      ),
    ),
  },
  { additionalProperties: false },
);

export const EdgeInput = Type.Object(
  {
    sourceId: Uuid,
    targetId: Uuid,
    type: Type.Optional(EdgeType),
    weight: Type.Optional(Unit),
  },
  { additionalProperties: false },
);
export type EdgeInput = Static<typeof EdgeInput>;

export const EdgePatch = Type.Object(
  { weight: Type.Optional(Unit), status: Type.Optional(EdgeStatus) },
  { additionalProperties: false, minProperties: 1 },
);
export type EdgePatch = Static<typeof EdgePatch>;

export const EdgeQuery = Type.Object(
  {
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50 })),
    cursor: Type.Optional(Type.String({ maxLength: 2000 })),
    node: Type.Optional(Uuid),
    type: Type.Optional(EdgeType),
    origin: Type.Optional(EdgeOrigin),
    status: Type.Optional(EdgeStatus),
    minWeight: Type.Optional(Unit),
  },
  { additionalProperties: false },
);

const Span = Type.Object({ start: Type.Integer(), end: Type.Integer() });

/** Why two notes are connected. Spans are [start, end) in UTF-16 units of each note's content. */
export const Explanation = Type.Object({
  source: NodeSummary,
  target: NodeSummary,
  edges: Type.Array(Edge, { description: 'every edge between the two, of any type and status' }),
  engine: Type.String(),
  weight: Type.Number({ description: 'what the engine gives the pair today' }),
  logit: Type.Number(),
  components: Type.Array(
    Type.Object({
      name: Type.String(),
      value: Type.Number(),
      coefficient: Type.Number(),
      product: Type.Number(),
    }),
  ),
  matches: Type.Array(
    Type.Object({
      term: Type.String(),
      contribution: Type.Number(),
      source: Type.Array(Span),
      target: Type.Array(Span),
    }),
  ),
});
export type Explanation = Static<typeof Explanation>;

export const Related = Type.Object({
  items: Type.Array(
    Type.Object({
      nodeId: Uuid,
      title: Type.String(),
      weight: Unit,
      reasons: Type.Array(Reason),
      edgeId: Type.Optional(Uuid),
    }),
  ),
});
export type Related = Static<typeof Related>;

export const Neighbors = Type.Object({
  items: Type.Array(Type.Object({ node: NodeSummary, distance: Type.Integer(), strength: Type.Number() })),
  edges: Type.Array(Edge),
});
export type Neighbors = Static<typeof Neighbors>;

export const Category = Type.Object({
  id: Uuid,
  title: Type.String(),
  description: Type.String(),
  level: Type.Integer({ minimum: 0, maximum: 2 }),
  parentId: Type.Union([Uuid, Type.Null()]),
  color: Type.Union([Type.String(), Type.Null()]),
  icon: Type.Union([Type.String(), Type.Null()]),
  aiGenerated: Type.Boolean(),
  noteCount: Type.Integer({ minimum: 0 }),
  createdAt: Timestamp,
  updatedAt: Timestamp,
  version: Type.Integer({ minimum: 1 }),
});
export type Category = Static<typeof Category>;

const categoryFields = {
  title: Type.String({ minLength: 1, maxLength: 100 }),
  description: Type.Optional(Type.String({ maxLength: 500 })),
  color: Type.Optional(
    Type.Union([Type.String({ pattern: '^#[0-9a-fA-F]{6}$', maxLength: 7 }), Type.Null()]),
  ),
  icon: Type.Optional(Type.Union([Type.String({ minLength: 1, maxLength: 50 }), Type.Null()])),
};

export const CategoryInput = Type.Object(
  { ...categoryFields, parentId: Type.Optional(Type.Union([Uuid, Type.Null()])) },
  { additionalProperties: false },
);
export type CategoryInput = Static<typeof CategoryInput>;

export const CategoryPatch = Type.Object(
  { ...categoryFields, title: Type.Optional(categoryFields.title) },
  { additionalProperties: false, minProperties: 1 },
);

export const CategoryMove = Type.Object(
  { parentId: Type.Union([Uuid, Type.Null()]) },
  { additionalProperties: false },
);

export const Assignment = Type.Object(
  { nodeIds: Type.Array(Uuid, { minItems: 1, maxItems: 100 }), confidence: Type.Optional(Unit) },
  { additionalProperties: false },
);

/** How many of the nodes were assigned or removed, and which do not exist. */
export const AssignmentResult = Type.Object({ changed: Type.Integer(), notFound: Type.Array(Uuid) });

export const Graph = Type.Object({
  epoch: Type.String(),
  seq: Type.Integer(),
  nodes: Type.Array(NodeSummary),
  edges: Type.Array(Edge),
});
export type Graph = Static<typeof Graph>;

export const SearchHit = Type.Object({
  node: NodeSummary,
  score: Type.Number(),
  snippet: Type.Object({
    text: Type.String(),
    highlights: Type.Array(Type.Array(Type.Integer(), { minItems: 2, maxItems: 2 }), {
      description: '[start, end) in `text`, in UTF-16 units',
    }),
  }),
});
export type SearchHit = Static<typeof SearchHit>;

const Change = Type.Object({
  type: Type.String(),
  seq: Type.Integer(),
  nodeId: Type.Optional(Uuid),
  edgeId: Type.Optional(Uuid),
  categoryId: Type.Optional(Uuid),
  version: Type.Integer(),
  timestamp: Timestamp,
  correlationId: Type.String(),
  data: Type.Record(Type.String(), Type.Unknown()),
});
export const Changes = Type.Object({
  epoch: Type.String(),
  seq: Type.Integer({ description: 'the position to go on from' }),
  hasMore: Type.Boolean(),
  items: Type.Array(Change),
});
export type Changes = Static<typeof Changes>;

/** One note of an import: a line of the NDJSON body. */
export const ImportNote = Type.Object(
  {
    key: Type.String({ minLength: 1, maxLength: 900 }),
    path: Type.Optional(Type.String({ maxLength: 900 })),
    title: Type.Optional(Type.String()),
    content: Type.Optional(Type.String()),
    tags: Type.Optional(Type.Array(Type.String())),
    aliases: Type.Optional(Type.Array(Type.String())),
    createdAt: Type.Optional(Timestamp),
    updatedAt: Type.Optional(Timestamp),
    category: Type.Optional(Type.Array(Type.String(), { maxItems: 3 })),
    links: Type.Optional(Type.Array(Type.Object({ target: Type.String(), text: Type.String() }))),
  },
  { additionalProperties: false },
);
export type ImportNote = Static<typeof ImportNote>;

export const ImportSummary = Type.Object({
  created: Type.Integer(),
  updated: Type.Integer(),
  unchanged: Type.Integer(),
  failed: Type.Integer(),
  missing: Type.Integer(),
  pruned: Type.Integer(),
  references: Type.Integer({ description: 'links that people wrote, stored as edges' }),
  brokenReferences: Type.Integer(),
  automatic: Type.Integer({ description: 'automatic edges added, less those taken away' }),
  notes: Type.Integer({ description: 'notes in the graph when the import ended' }),
  edges: Type.Integer({ description: 'edges in the graph when the import ended' }),
});
export type ImportSummary = Static<typeof ImportSummary>;

/** One line of the answer to an import, in order: items, progress, missing notes, then the summary or a problem. */
export type ImportEvent =
  | {
      readonly type: 'item';
      readonly key: string;
      readonly status: 'created' | 'updated' | 'unchanged' | 'failed';
      readonly nodeId?: string;
      /** What around the text did not fit, and was left out. */
      readonly trimmed?: readonly string[];
      readonly problem?: {
        readonly code: string;
        readonly detail: string;
        readonly errors: readonly {
          readonly pointer: string;
          readonly code: string;
          readonly message: string;
        }[];
      };
    }
  | {
      readonly type: 'progress';
      readonly stage: 'links';
      readonly done: number;
      readonly total: number;
    }
  | { readonly type: 'missing'; readonly key: string; readonly nodeId: string; readonly pruned: boolean }
  | { readonly type: 'summary'; readonly summary: ImportSummary }
  | { readonly type: 'problem'; readonly problem: unknown };

/** Calls of operations of a deprecated version, by operation and token, the last called first. */
export const DeprecationUsage = Type.Object({
  items: Type.Array(
    Type.Object({
      method: Type.String(),
      path: Type.String({ description: 'with its parameters as {name}' }),
      tokenId: Type.Optional(Type.String({ description: 'the token that calls it; absent in local mode' })),
      count: Type.Integer({ minimum: 1 }),
      firstAt: Timestamp,
      lastAt: Timestamp,
      successor: Type.Union([Type.Object({ method: Type.String(), path: Type.String() }), Type.Null()], {
        description: 'what replaces it',
      }),
      sunset: Type.Union([Type.String(), Type.Null()], { description: 'the day it may go' }),
      docs: Type.Union([Type.String(), Type.Null()]),
    }),
  ),
});
export type DeprecationUsage = Static<typeof DeprecationUsage>;
