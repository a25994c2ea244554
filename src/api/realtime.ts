import { Type, type Static, type TSchema } from 'typebox';
import { Timestamp, Uuid } from './common.ts';

// The frames of `brain2.v1`, on a WebSocket and, from the server, as server-sent events. `docs/spec/realtime.md` has
// their rules; `docs/asyncapi.json` is made from them.

export const SUBPROTOCOL = 'brain2.v1';

/** Where both sides stop: bytes of a frame to the server, parts of a filter, subscriptions of a connection. */
export const FRAME_LIMITS = {
  bytesIn: 64 * 1024,
  filterTypes: 32,
  filterNodes: 500,
  filterTags: 32,
  filterCategories: 32,
  subscriptions: 32,
  batchEvents: 64,
  batchBytes: 30_000,
  /** An event whose data takes more comes without it, with a reference. */
  dataBytes: 24_000,
} as const;

/** Why a connection ends. 44xx: not to be tried again as it was; 45xx: connect again and resume. */
export const CLOSE = {
  badFrame: 4400,
  auth: 4401,
  forbidden: 4403,
  subprotocol: 4406,
  helloTimeout: 4408,
  tooLarge: 4413,
  limit: 4429,
  internal: 4500,
  shutdown: 4503,
  slow: 4508,
  noPong: 4512,
} as const;

/** The subscription that `hello` makes; it is replaced and ended like any other. */
export const HELLO_SUBSCRIPTION = 'hello';

const STRICT = { additionalProperties: false };
const Seq = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const Epoch = Type.String({ maxLength: 64, description: 'names the log; empty before its first event' });
const Id = Type.String({ minLength: 1, maxLength: 64 });
const Credential = Type.String({ minLength: 1, maxLength: 8_192 });
const action = <A extends string>(name: A) => Type.Literal(name);

export const Position = Type.Object({ epoch: Epoch, seq: Seq }, STRICT);
export type Position = Static<typeof Position>;

export const Filter = Type.Object(
  {
    types: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 64 }), {
        minItems: 1,
        maxItems: FRAME_LIMITS.filterTypes,
        description: 'types of events, or all of a kind, such as node.*',
      }),
    ),
    nodeIds: Type.Optional(
      Type.Array(Uuid, {
        minItems: 1,
        maxItems: FRAME_LIMITS.filterNodes,
        description: 'of these notes, and of edges that end in one of them',
      }),
    ),
    tags: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 100 }), {
        minItems: 1,
        maxItems: FRAME_LIMITS.filterTags,
        description: 'of notes with one of these tags, before or after the event',
      }),
    ),
    categories: Type.Optional(
      Type.Array(Uuid, {
        minItems: 1,
        maxItems: FRAME_LIMITS.filterCategories,
        description: 'of these categories, and of notes in one of them before or after the event',
      }),
    ),
  },
  {
    ...STRICT,
    description: 'an event passes when it fits every part that is given; it never widens what is heard',
  },
);
export type Filter = Static<typeof Filter>;

const credentials = {
  ticket: Type.Optional(Credential),
  token: Type.Optional(Credential),
};

/** What a client may send, by `action`. */
export const CLIENT_FRAMES = {
  hello: Type.Object(
    {
      action: action('hello'),
      ...credentials,
      client: Type.Optional(Type.String({ maxLength: 100, description: 'name and version, for the log' })),
      resume: Type.Optional(Position),
      filter: Type.Optional(
        Type.Union([Filter, Type.Null()], {
          description: 'absent: everything; null: nothing until a subscribe',
        }),
      ),
    },
    STRICT,
  ),
  subscribe: Type.Object({ action: action('subscribe'), id: Id, filter: Filter }, STRICT),
  unsubscribe: Type.Object({ action: action('unsubscribe'), id: Id }, STRICT),
  resume: Type.Object({ action: action('resume'), epoch: Epoch, seq: Seq }, STRICT),
  ack: Type.Object({ action: action('ack'), seq: Seq }, STRICT),
  ping: Type.Object({ action: action('ping'), seq: Type.Optional(Seq) }, STRICT),
  pong: Type.Object({ action: action('pong'), seq: Type.Optional(Seq) }, STRICT),
  auth: Type.Object({ action: action('auth'), ...credentials }, STRICT),
} as const satisfies Record<string, TSchema>;

export type ClientFrame = {
  [A in keyof typeof CLIENT_FRAMES]: Static<(typeof CLIENT_FRAMES)[A]>;
}[keyof typeof CLIENT_FRAMES];

const EventFrame = Type.Object(
  {
    action: action('event'),
    type: Type.String({ description: 'such as node.updated; an open list' }),
    nodeId: Type.Optional(Uuid),
    edgeId: Type.Optional(Uuid),
    categoryId: Type.Optional(Uuid),
    data: Type.Union([Type.Record(Type.String(), Type.Unknown()), Type.Null()]),
    ref: Type.Optional(
      Type.String({ description: 'where the event is read whole, when data is null for its size' }),
    ),
    version: Type.Integer({ minimum: 1, description: 'of the entity: applying an event twice is harmless' }),
    timestamp: Timestamp,
    seq: Type.Integer({ minimum: 1 }),
    prev: Type.Integer({
      minimum: 0,
      description: 'up to here the reader has been told everything that it asked for',
    }),
    epoch: Epoch,
    correlationId: Type.String(),
    replayed: Type.Optional(Type.Literal(true)),
  },
  STRICT,
);
export type EventFrame = Static<typeof EventFrame>;

const NoticeFrame = Type.Object(
  {
    action: action('notice'),
    type: Type.String({ description: 'job.progress; an open list' }),
    jobId: Type.Optional(Uuid),
    data: Type.Object(
      {
        kind: Type.String({ description: 'of the job, such as import; an open list' }),
        status: Type.String({ description: 'such as running; an open list' }),
        progress: Type.Object(
          {
            done: Type.Integer({ minimum: 0 }),
            total: Type.Optional(Type.Integer({ minimum: 0, description: 'absent while it is not known' })),
            failed: Type.Integer({ minimum: 0 }),
          },
          STRICT,
        ),
      },
      STRICT,
    ),
    ref: Type.String({ description: 'where the same can be read' }),
    timestamp: Timestamp,
    correlationId: Type.String(),
  },
  STRICT,
);
export type NoticeFrame = Static<typeof NoticeFrame>;

const Reason = Type.Union([
  Type.Literal('epoch_changed'),
  Type.Literal('trimmed'),
  Type.Literal('too_many'),
  Type.Literal('invalid'),
]);
export type ResyncReason = Static<typeof Reason>;

/** What the server may send, by `action`. */
export const SERVER_FRAMES = {
  event: EventFrame,
  batch: Type.Object(
    {
      action: action('batch'),
      events: Type.Array(EventFrame, { minItems: 1, maxItems: FRAME_LIMITS.batchEvents }),
    },
    STRICT,
  ),
  notice: NoticeFrame,
  welcome: Type.Object(
    {
      action: action('welcome'),
      connectionId: Id,
      epoch: Epoch,
      seq: Seq,
      floorSeq: Seq,
      pingMs: Type.Integer({ minimum: 1 }),
      maxFrameBytes: Type.Integer({ minimum: 1 }),
      authExpiresAt: Type.Union([Timestamp, Type.Null()]),
      resumed: Type.Boolean({ description: 'whether the events after the position asked for come next' }),
    },
    STRICT,
  ),
  subscribed: Type.Object(
    {
      action: action('subscribed'),
      id: Id,
      fromSeq: Type.Integer({ minimum: 0, description: 'the filter holds for every event after this one' }),
    },
    STRICT,
  ),
  unsubscribed: Type.Object({ action: action('unsubscribed'), id: Id, fromSeq: Seq }, STRICT),
  'replay.begin': Type.Object({ action: action('replay.begin'), from: Seq, to: Seq }, STRICT),
  'replay.end': Type.Object({ action: action('replay.end'), from: Seq, to: Seq, count: Seq }, STRICT),
  ping: Type.Object({ action: action('ping'), epoch: Epoch, prev: Seq, seq: Seq }, STRICT),
  pong: Type.Object({ action: action('pong'), epoch: Epoch, prev: Seq, seq: Seq }, STRICT),
  'auth.expiring': Type.Object(
    { action: action('auth.expiring'), inMs: Type.Integer({ minimum: 0 }) },
    STRICT,
  ),
  'auth.renewed': Type.Object(
    { action: action('auth.renewed'), authExpiresAt: Type.Union([Timestamp, Type.Null()]) },
    STRICT,
  ),
  resync: Type.Object(
    {
      action: action('resync'),
      reason: Reason,
      epoch: Epoch,
      seq: Seq,
      snapshotUrl: Type.String({ description: 'read this, then resume from its position' }),
    },
    STRICT,
  ),
  error: Type.Object(
    {
      action: action('error'),
      code: Type.String({
        description: 'bad_json, unknown_action, bad_frame, invalid_filter, limit, too_early or too_late',
      }),
      message: Type.String(),
      retryable: Type.Boolean(),
      retryAfterMs: Type.Optional(Type.Integer({ minimum: 0 })),
      correlationId: Type.String(),
    },
    STRICT,
  ),
  bye: Type.Object(
    {
      action: action('bye'),
      code: Type.Integer({ minimum: 4000, maximum: 4999 }),
      reason: Type.String(),
      reconnect: Type.Boolean(),
      retryAfterMs: Type.Integer({ minimum: 0 }),
    },
    STRICT,
  ),
} as const satisfies Record<string, TSchema>;

export type ServerFrame = {
  [A in keyof typeof SERVER_FRAMES]: Static<(typeof SERVER_FRAMES)[A]>;
}[keyof typeof SERVER_FRAMES];

/** What `POST /api/v2/ws/tickets` answers: good for one connection. */
export const Ticket = Type.Object({ ticket: Credential, expiresInMs: Type.Integer({ minimum: 1 }) });
export type Ticket = Static<typeof Ticket>;
