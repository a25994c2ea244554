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

const Count = Type.Integer({ minimum: 0 });

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
