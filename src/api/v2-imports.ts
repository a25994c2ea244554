import { Type, type Static } from 'typebox';
import { Problem, Timestamp, Uuid } from './common.ts';

// The lines of an import, on the way in and on the way out.

/** One note of an import: a line of the NDJSON body. */
export const ImportNote = Type.Object(
  {
    key: Type.String({
      minLength: 1,
      maxLength: 900,
      description: 'the name of the note within the collection',
    }),
    path: Type.Optional(Type.String({ maxLength: 900, description: 'the file it was read from' })),
    title: Type.Optional(Type.String()),
    content: Type.Optional(Type.String()),
    tags: Type.Optional(Type.Array(Type.String())),
    aliases: Type.Optional(Type.Array(Type.String())),
    createdAt: Type.Optional(Timestamp),
    updatedAt: Type.Optional(Timestamp),
    category: Type.Optional(
      Type.Array(Type.String(), { maxItems: 3, description: 'titles from the top; missing ones are made' }),
    ),
    links: Type.Optional(
      Type.Array(Type.Object({ target: Type.String(), text: Type.String() }), {
        description: 'links written by hand: the key of the target, and the text of the link',
      }),
    ),
  },
  { additionalProperties: false },
);
export type ImportNote = Static<typeof ImportNote>;

/** The same as an item of a JSON body, where nothing is without a limit. */
const ImportItem = Type.Object(
  {
    key: ImportNote.properties.key,
    path: ImportNote.properties.path,
    title: Type.Optional(Type.String({ maxLength: 10_000 })),
    content: Type.Optional(Type.String({ maxLength: 400_000 })),
    tags: Type.Optional(Type.Array(Type.String({ maxLength: 1000 }), { maxItems: 1000 })),
    aliases: Type.Optional(Type.Array(Type.String({ maxLength: 1000 }), { maxItems: 1000 })),
    createdAt: Type.Optional(Timestamp),
    updatedAt: Type.Optional(Timestamp),
    category: Type.Optional(
      Type.Array(Type.String({ maxLength: 1000 }), { maxItems: 3, description: 'titles from the top' }),
    ),
    links: Type.Optional(
      Type.Array(
        Type.Object({ target: Type.String({ maxLength: 900 }), text: Type.String({ maxLength: 1000 }) }),
        { maxItems: 1000, description: 'links written by hand' },
      ),
    ),
  },
  { additionalProperties: false },
);

export const ImportInput = Type.Object(
  { items: Type.Array(ImportItem, { minItems: 1, maxItems: 10_000 }) },
  { additionalProperties: false },
);

export type ImportInput = Static<typeof ImportInput>;

const Times = { createdAt: Timestamp, updatedAt: Timestamp };
const STRICT = { additionalProperties: false };
const TextOrNull = Type.Union([Type.String(), Type.Null()]);

const ExportedCategory = Type.Object(
  {
    id: Uuid,
    title: Type.String(),
    description: Type.String(),
    parentId: Type.Union([Uuid, Type.Null()]),
    color: TextOrNull,
    icon: TextOrNull,
    aiGenerated: Type.Boolean(),
    ...Times,
  },
  STRICT,
);

const oneOf = <const V extends string>(...values: readonly V[]) =>
  Type.Union(values.map((value) => Type.Literal(value)));

const ExportedNode = Type.Object(
  {
    id: Uuid,
    title: Type.String(),
    content: Type.String(),
    format: oneOf('markdown', 'text'),
    tags: Type.Array(Type.String()),
    aliases: Type.Array(Type.String()),
    categories: Type.Array(
      Type.Object(
        { id: Uuid, confidence: Type.Number(), method: oneOf('ai', 'manual', 'rule-based') },
        STRICT,
      ),
    ),
    archived: Type.Boolean(),
    source: Type.Object(
      {
        kind: oneOf('api', 'cli', 'import'),
        key: Type.Optional(Type.String()),
        path: Type.Optional(Type.String()),
      },
      STRICT,
    ),
    ...Times,
  },
  STRICT,
);

const ExportedEdge = Type.Object(
  {
    id: Uuid,
    sourceId: Uuid,
    targetId: Uuid,
    type: oneOf('related', 'reference', 'manual'),
    weight: Type.Number(),
    origin: oneOf('auto', 'human', 'import'),
    status: oneOf('proposed', 'accepted', 'rejected'),
    reasons: Type.Array(
      Type.Object(
        {
          kind: oneOf('names', 'named-by', 'covers', 'term', 'tag', 'link'),
          term: Type.String(),
          contribution: Type.Number(),
        },
        STRICT,
      ),
    ),
    engine: Type.Optional(Type.String()),
    support: Type.Optional(oneOf('source', 'target', 'both')),
    ...Times,
  },
  STRICT,
);

const ExportedDecision = Type.Object(
  {
    a: Uuid,
    b: Uuid,
    verdict: oneOf('accepted', 'rejected'),
    fingerprints: Type.Record(Type.String(), Type.String(), {
      description: 'of the two texts as they were decided on, by note',
    }),
    at: Timestamp,
  },
  STRICT,
);

/** A line of an export, which an import takes back: categories, then notes, edges of people, and their decisions. */
export const ExportedPart = Type.Union([
  Type.Object({ category: ExportedCategory }, STRICT),
  Type.Object({ node: ExportedNode }, STRICT),
  Type.Object({ edge: ExportedEdge }, STRICT),
  Type.Object({ decision: ExportedDecision }, STRICT),
]);

/** A line of an import. */
export const ImportLine = Type.Union([ImportNote, ExportedPart]);

const Count = Type.Integer({ minimum: 0 });

/** Of an import that is a job, `created` and the like count categories and edges too where an export comes back. */
export const ImportSummary = Type.Object({
  created: Count,
  updated: Count,
  unchanged: Count,
  failed: Count,
  missing: Count,
  pruned: Count,
  references: Type.Integer({ minimum: 0, description: 'links that people wrote, stored as edges' }),
  brokenReferences: Count,
  automatic: Type.Integer({ description: 'automatic edges added, less those taken away' }),
  notes: Type.Integer({ minimum: 0, description: 'notes in the graph when the import ended' }),
  edges: Type.Integer({ minimum: 0, description: 'edges in the graph when the import ended' }),
});
export type ImportSummary = Static<typeof ImportSummary>;

/** One line of the answer to an import, in order: items, progress, missing notes, then the summary or a problem. */
export const ImportEvent = Type.Union([
  Type.Object({
    type: Type.Literal('item'),
    key: Type.String(),
    status: Type.Union([
      Type.Literal('created'),
      Type.Literal('updated'),
      Type.Literal('unchanged'),
      Type.Literal('failed'),
    ]),
    nodeId: Type.Optional(Uuid),
    trimmed: Type.Optional(
      Type.Array(Type.String(), { description: 'what around the text did not fit, and was left out' }),
    ),
    problem: Type.Optional(
      Type.Object({
        code: Type.String(),
        detail: Type.String(),
        errors: Type.Array(
          Type.Object({ pointer: Type.String(), code: Type.String(), message: Type.String() }),
        ),
      }),
    ),
  }),
  Type.Object({ type: Type.Literal('progress'), stage: Type.Literal('links'), done: Count, total: Count }),
  Type.Object({
    type: Type.Literal('missing'),
    key: Type.String(),
    nodeId: Uuid,
    pruned: Type.Boolean(),
  }),
  Type.Object({ type: Type.Literal('summary'), summary: ImportSummary }),
  Type.Object({ type: Type.Literal('problem'), problem: Problem }),
]);
export type ImportEvent = Static<typeof ImportEvent>;
