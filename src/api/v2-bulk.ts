import { Type, type Static, type TSchema } from 'typebox';
import { Problem, Uuid } from './common.ts';
import { Edge, Node, NodeInput, NodePatch } from './v2.ts';

// Many notes in one request. Items are checked one by one, so that what is wrong with one is told in its place.

const MOST_ITEMS = 1_000;

const Mode = Type.Union([Type.Literal('partial'), Type.Literal('atomic')], {
  description:
    'partial: each item for itself; atomic: all in one transaction or none, which holds up to about 45 notes',
});
const ClientId = Type.String({
  minLength: 1,
  maxLength: 200,
  description: 'a name of your own for the item, given back with what became of it; once in a request',
});
const IfMatch = Type.String({
  maxLength: 110,
  description: 'the ETag of the note as you read it, such as "3" with its quotes; absent: any version',
});

const itemsOf = <T extends TSchema>(item: T) => Type.Array(item, { minItems: 1, maxItems: MOST_ITEMS });

export const BulkNodeInput = Type.Object(
  { clientId: Type.Optional(ClientId), ...NodeInput.properties },
  { additionalProperties: false },
);
export type BulkNodeInput = Static<typeof BulkNodeInput>;

export const BulkNodePatch = Type.Object(
  { id: Uuid, ifMatch: Type.Optional(IfMatch), ...NodePatch.properties },
  { additionalProperties: false, minProperties: 2 },
);
export type BulkNodePatch = Static<typeof BulkNodePatch>;

export const BulkNodeRef = Type.Object(
  { id: Uuid, ifMatch: Type.Optional(IfMatch) },
  { additionalProperties: false },
);
export type BulkNodeRef = Static<typeof BulkNodeRef>;

const requestOf = <T extends TSchema>(item: T) =>
  Type.Object({ mode: Mode, items: itemsOf(item) }, { additionalProperties: false });

export const BulkCreate = requestOf(BulkNodeInput);
export type BulkCreate = Static<typeof BulkCreate>;
export const BulkPatch = requestOf(BulkNodePatch);
export type BulkPatch = Static<typeof BulkPatch>;
export const BulkDelete = requestOf(BulkNodeRef);
export type BulkDelete = Static<typeof BulkDelete>;
export const BulkGet = Type.Object({ ids: itemsOf(Uuid) }, { additionalProperties: false });
export type BulkGet = Static<typeof BulkGet>;

/** The request of a bulk before its items are looked at. */
export const BulkEnvelope = requestOf(Type.Unknown());
export const BulkGetEnvelope = Type.Object({ ids: itemsOf(Type.Unknown()) }, { additionalProperties: false });

const Index = Type.Integer({ minimum: 0, maximum: MOST_ITEMS - 1, description: 'its place in the request' });
const Status = Type.Integer({
  minimum: 200,
  maximum: 599,
  description: 'what the same request for this note alone answers',
});
const Etag = Type.String({ maxLength: 110, description: 'to be sent back as `ifMatch`, or in If-Match' });
const Count = Type.Integer({ minimum: 0, maximum: MOST_ITEMS });

export const BulkSummary = Type.Object({ total: Count, succeeded: Count, failed: Count });

export const BulkItem = Type.Object({
  index: Index,
  clientId: Type.Optional(ClientId),
  status: Status,
  id: Type.Optional(Uuid),
  etag: Type.Optional(Etag),
  problem: Type.Optional(Problem),
});
export type BulkItem = Static<typeof BulkItem>;

/** What became of each item, in the order of the request. */
export const BulkResult = Type.Object({
  items: Type.Array(BulkItem, { maxItems: MOST_ITEMS }),
  summary: BulkSummary,
  edges: Type.Array(Edge, { description: 'those that were made at these notes' }),
  links: Type.Union([Type.Literal('made'), Type.Literal('promised')], {
    description: 'promised: the notes are done, and their links follow later, for it could not be now',
  }),
});
export type BulkResult = Static<typeof BulkResult>;

export const BulkRead = Type.Object({
  items: Type.Array(
    Type.Object({
      index: Index,
      status: Status,
      id: Type.Optional(Uuid),
      etag: Type.Optional(Etag),
      node: Type.Optional(Node),
      problem: Type.Optional(Problem),
    }),
    { maxItems: MOST_ITEMS },
  ),
  summary: BulkSummary,
});
export type BulkRead = Static<typeof BulkRead>;
