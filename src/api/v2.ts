import { Type, type Static } from 'typebox';
import { described, paged, pageOf, Timestamp, Uuid } from './common.ts';

// The shapes of /api/v2. Enums are open: a client ignores values that it does not know.

const Title = Type.String({
  maxLength: 500,
  description: 'one line; empty: the first line of the content is shown',
});
const Content = Type.String({ maxLength: 300_000, description: 'Markdown; at most 300,000 bytes as JSON' });
const Tags = Type.Array(Type.String({ minLength: 1, maxLength: 200 }), {
  maxItems: 200,
  description: 'at most 32, each kept in its first spelling, without a leading #',
});
const Aliases = Type.Array(Type.String({ minLength: 1, maxLength: 500 }), {
  maxItems: 32,
  description: 'other names of the note, by which links find it too',
});
const Format = Type.Union([Type.Literal('markdown'), Type.Literal('text')]);
const Unit = Type.Number({ minimum: 0, maximum: 1 });
const Version = Type.Integer({ minimum: 1, description: 'raised by each change; it is what the ETag names' });

/** Where a note came from. */
export const Source = Type.Object(
  {
    kind: Type.Union([Type.Literal('api'), Type.Literal('cli'), Type.Literal('import')]),
    key: Type.Optional(
      Type.String({ minLength: 1, maxLength: 900, description: 'unique among the notes of an owner' }),
    ),
    path: Type.Optional(Type.String({ maxLength: 900, description: 'the file in what was imported' })),
  },
  { additionalProperties: false, description: 'where the note came from' },
);

export const AssignedCategory = Type.Object({
  id: Uuid,
  confidence: Unit,
  method: Type.Union([Type.Literal('ai'), Type.Literal('manual'), Type.Literal('rule-based')]),
});

/** A note without its content, as lists of other things show it. */
const nodeFields = {
  id: Uuid,
  title: Title,
  label: Type.String({ maxLength: 500, description: 'the title, or the first line of a note without one' }),
  format: Format,
  tags: Tags,
  aliases: Aliases,
  categories: Type.Array(AssignedCategory, { maxItems: 16 }),
  archived: Type.Boolean({ description: 'left out of lists and of linking' }),
  source: Source,
  createdAt: Timestamp,
  updatedAt: Timestamp,
  version: Version,
};
export const NodeSummary = Type.Object(nodeFields);
export type NodeSummary = Static<typeof NodeSummary>;

export const Node = Type.Object({ ...nodeFields, content: Content });
export type Node = Static<typeof Node>;

export const Reason = Type.Object({
  kind: Type.String({ maxLength: 40, description: 'names, named-by, covers, term, tag or link' }),
  term: Type.String({ maxLength: 500 }),
  contribution: Unit,
});
export type Reason = Static<typeof Reason>;

export const EdgeType = Type.Union([
  Type.Literal('related'),
  Type.Literal('reference'),
  Type.Literal('manual'),
]);
export const EdgeOrigin = Type.Union([Type.Literal('auto'), Type.Literal('human'), Type.Literal('import')]);
export const EdgeStatus = Type.Union([
  Type.Literal('proposed'),
  Type.Literal('accepted'),
  Type.Literal('rejected'),
]);

export const Edge = Type.Object({
  id: Uuid,
  sourceId: Uuid,
  targetId: Uuid,
  type: EdgeType,
  weight: Unit,
  origin: EdgeOrigin,
  status: EdgeStatus,
  reasons: Type.Array(Reason, { maxItems: 8, description: 'the strongest first' }),
  engine: Type.Optional(
    Type.String({ maxLength: 100, description: 'the linking engine that made an automatic edge' }),
  ),
  createdAt: Timestamp,
  updatedAt: Timestamp,
  version: Version,
});
export type Edge = Static<typeof Edge>;

/** A note with the edges now in force: what create and patch answer. */
export const LinkedNode = Type.Object({
  ...nodeFields,
  content: Content,
  edges: Type.Array(Edge, { description: 'those now in force' }),
});
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
    ...paged,
    tag: Type.Optional(
      Type.String({ minLength: 1, maxLength: 100, description: 'notes that carry this tag, in any case' }),
    ),
    category: Type.Optional(described(Uuid, 'notes of this category')),
    updatedSince: Type.Optional(described(Timestamp, 'notes changed at this time or later')),
    archived: Type.Optional(
      Type.Boolean({ default: false, description: 'archived notes in place of the others' }),
    ),
    sort: Type.Optional(
      Type.Union(
        [
          Type.Literal('createdAt'),
          Type.Literal('-createdAt'),
          Type.Literal('updatedAt'),
          Type.Literal('-updatedAt'),
        ],
        {
          default: '-createdAt',
          description: 'the order; - is the newest first. With tag or category, by createdAt alone',
        },
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
    ...paged,
    node: Type.Optional(described(Uuid, 'edges at this note')),
    type: Type.Optional(described(EdgeType, 'edges of this type')),
    origin: Type.Optional(described(EdgeOrigin, 'edges of this origin')),
    status: Type.Optional(described(EdgeStatus, 'edges of this status')),
    minWeight: Type.Optional(described(Unit, 'edges of at least this weight')),
  },
  { additionalProperties: false },
);

const Position = Type.Integer({ minimum: 0 });
export const Span = Type.Object(
  { start: Position, end: Position },
  { description: '[start, end) in UTF-16 units of the content' },
);

/** Why two notes are connected. Spans are [start, end) in UTF-16 units of each note's content. */
export const Explanation = Type.Object({
  source: NodeSummary,
  target: NodeSummary,
  edges: Type.Array(Edge, { description: 'every edge between the two, of any type and status' }),
  engine: Type.String({ maxLength: 100 }),
  weight: Type.Number({ description: 'what the engine gives the pair today' }),
  logit: Type.Number({ description: 'the sum of the components; the weight is its logistic' }),
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
      title: Type.String({ maxLength: 500 }),
      weight: Unit,
      reasons: Type.Array(Reason, { maxItems: 8 }),
      edgeId: Type.Optional(described(Uuid, 'the edge between the two, where there is one')),
    }),
  ),
});
export type Related = Static<typeof Related>;

export const Neighbors = Type.Object({
  items: Type.Array(
    Type.Object({
      node: NodeSummary,
      distance: Type.Integer({ minimum: 1, maximum: 3, description: 'steps from the note asked for' }),
      strength: Type.Number({ description: 'the product of the weights on the best path' }),
    }),
    { maxItems: 200 },
  ),
  edges: Type.Array(Edge),
});
export type Neighbors = Static<typeof Neighbors>;

export const Category = Type.Object({
  id: Uuid,
  title: Type.String({ maxLength: 100 }),
  description: Type.String({ maxLength: 500 }),
  level: Type.Integer({ minimum: 0, maximum: 2, description: '0 at the top' }),
  parentId: Type.Union([Uuid, Type.Null()]),
  color: Type.Union([Type.String({ pattern: '^#[0-9a-f]{6}$', maxLength: 7 }), Type.Null()]),
  icon: Type.Union([Type.String({ maxLength: 50 }), Type.Null()]),
  aiGenerated: Type.Boolean(),
  noteCount: Type.Integer({ minimum: 0, description: 'notes of this category itself' }),
  createdAt: Timestamp,
  updatedAt: Timestamp,
  version: Version,
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
export const AssignmentResult = Type.Object({
  changed: Type.Integer({ minimum: 0, maximum: 100 }),
  notFound: Type.Array(Uuid, { maxItems: 100 }),
});

export const Epoch = Type.String({ maxLength: 64, description: 'names the log that `seq` counts' });
export const Seq = Type.Integer({ minimum: 0, description: 'the position in the log: events so far' });

export const Graph = Type.Object({
  epoch: Epoch,
  seq: Seq,
  nodes: Type.Array(NodeSummary),
  edges: Type.Array(Edge),
});
export type Graph = Static<typeof Graph>;

/** A line of the graph as NDJSON: the position first, then each note, then each edge. */
export const GraphLine = Type.Union([
  Type.Object({ position: Type.Object({ epoch: Epoch, seq: Seq }) }),
  Type.Object({ node: NodeSummary }),
  Type.Object({ edge: Edge }),
]);

export const SearchHit = Type.Object({
  node: NodeSummary,
  score: Type.Number({ description: 'comparable within one answer only' }),
  snippet: Type.Object({
    text: Type.String(),
    highlights: Type.Array(Type.Array(Position, { minItems: 2, maxItems: 2 }), {
      description: '[start, end) in `text`, in UTF-16 units',
    }),
  }),
});
export type SearchHit = Static<typeof SearchHit>;

export const Change = Type.Object({
  type: Type.String({ maxLength: 40, description: 'such as node.created; more types may come' }),
  seq: Seq,
  nodeId: Type.Optional(Uuid),
  edgeId: Type.Optional(Uuid),
  categoryId: Type.Optional(Uuid),
  version: Version,
  timestamp: Timestamp,
  correlationId: Type.String({ maxLength: 128, description: 'of the request that caused it' }),
  data: Type.Record(Type.String(), Type.Unknown(), { description: 'what the type of event tells beside' }),
});
export const Changes = Type.Object({
  epoch: Epoch,
  seq: described(Seq, 'the position to go on from'),
  hasMore: Type.Boolean(),
  items: Type.Array(Change),
});
export type Changes = Static<typeof Changes>;

/** The shortest way from one note to another. */
export const Path = Type.Object({
  length: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()], {
    description: 'edges of it; null where there is none of `maxLength` or fewer',
  }),
  nodes: Type.Array(NodeSummary, { maxItems: 11, description: 'both ends, and those between, in order' }),
  edges: Type.Array(Edge, { maxItems: 10 }),
});
export type Path = Static<typeof Path>;

const Count = Type.Integer({ minimum: 0 });

/** How a graph lies, counted. */
export const Stats = Type.Object({
  epoch: Epoch,
  seq: described(Seq, 'the position in the log that all of it is of'),
  nodes: Type.Object({
    total: Count,
    archived: Count,
    isolated: described(Count, 'not archived, and connected to nothing'),
  }),
  edges: Type.Object({
    total: described(Count, 'rejected ones among them'),
    byType: Type.Object({ related: Count, reference: Count, manual: Count }),
    byOrigin: Type.Object({ auto: Count, human: Count, import: Count }),
    byStatus: Type.Object({ proposed: Count, accepted: Count, rejected: Count }),
  }),
  categories: Count,
  tags: described(Count, 'each spelling of one once'),
  averageDegree: Type.Number({ minimum: 0, description: 'edges in force at a note, on average' }),
  components: Type.Object({
    count: described(Count, 'groups of notes that lead to each other; a note by itself is one'),
    largest: described(Count, 'notes of the largest'),
  }),
  hubs: Type.Array(Type.Object({ nodeId: Uuid, title: Type.String({ maxLength: 500 }), degree: Count }), {
    maxItems: 10,
    description: 'the best connected notes',
  }),
});
export type Stats = Static<typeof Stats>;

export const NodePage = pageOf(Node);
export const EdgePage = pageOf(Edge);
export const SearchPage = pageOf(SearchHit);
export const CategoryPage = pageOf(Category);
/** What a list takes that has no filter. */
export const PageQuery = Type.Object(paged, { additionalProperties: false });

/** Calls of operations of a deprecated version, by operation and token, the last called first. */
export const DeprecationUsage = Type.Object({
  items: Type.Array(
    Type.Object({
      method: Type.String({ maxLength: 10 }),
      path: Type.String({ maxLength: 200, description: 'with its parameters as {name}' }),
      tokenId: Type.Optional(Type.String({ description: 'the token that calls it; absent in local mode' })),
      count: Type.Integer({ minimum: 1 }),
      firstAt: Timestamp,
      lastAt: Timestamp,
      successor: Type.Union(
        [Type.Object({ method: Type.String({ maxLength: 10 }), path: Type.String() }), Type.Null()],
        {
          description: 'what replaces it',
        },
      ),
      sunset: Type.Union([Type.String(), Type.Null()], { description: 'the day it may go' }),
      docs: Type.Union([Type.String(), Type.Null()]),
    }),
  ),
});
export type DeprecationUsage = Static<typeof DeprecationUsage>;
