import { Type, type Static, type TSchema } from 'typebox';

// Wire shapes only: what a client and the server both need to know. No logic.

/** The same shape where it means something of its own, such as a filter. */
export function described<T extends TSchema>(schema: T, description: string): T {
  // Its kind is a property that is not enumerable: a spread would lose it.
  const copy = Object.create(null, Object.getOwnPropertyDescriptors(schema)) as T;
  return Object.assign(copy, { description });
}

export const Uuid = Type.String({
  pattern: '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$',
  maxLength: 36,
  description: 'a UUID, in any case; made ids are UUIDv7',
});
export const Timestamp = Type.String({ maxLength: 40, description: 'RFC 3339, UTC' });

/** RFC 9457 problem details, with what a program needs to decide what to do. */
export const Problem = Type.Object({
  type: Type.String({ description: 'where the code is described' }),
  title: Type.String({ description: 'the code in words' }),
  status: Type.Integer({ minimum: 400, maximum: 599 }),
  detail: Type.String({ description: 'what went wrong this time; its words may change' }),
  instance: Type.String({ description: 'the path that was asked for' }),
  code: Type.String({ description: 'what a program may branch on' }),
  correlationId: Type.String({ maxLength: 128 }),
  requestId: Type.String({ maxLength: 128 }),
  timestamp: Timestamp,
  retryable: Type.Boolean({ description: 'whether the same request may succeed later' }),
  errors: Type.Optional(
    Type.Array(
      Type.Object({
        pointer: Type.String({ description: 'a JSON pointer into the body, or the name of a parameter' }),
        code: Type.String(),
        message: Type.String(),
      }),
      { maxItems: 100, description: 'each broken rule' },
    ),
  ),
  details: Type.Optional(Type.Record(Type.String(), Type.Unknown(), { description: 'facts for a program' })),
  debug: Type.Optional(
    Type.Record(Type.String(), Type.Unknown(), {
      description: 'in development only: the error as the log has it, with its stack and causes',
    }),
  ),
});
export type Problem = Static<typeof Problem>;

/** A page of a list: `next` is the cursor of the page after it. */
export const pageOf = <T extends TSchema>(items: T) =>
  Type.Object({
    items: Type.Array(items),
    page: Type.Object({
      next: Type.Union([Type.String(), Type.Null()], { description: 'the cursor of the next page' }),
      hasMore: Type.Boolean(),
    }),
  });

/** What every list by pages takes. */
export const paged = {
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 200, default: 50, description: 'items of a page, at most' }),
  ),
  cursor: Type.Optional(
    Type.String({ maxLength: 2000, description: '`page.next` of the page before, with the same filter' }),
  ),
};

export interface Page<T> {
  readonly items: readonly T[];
  readonly page: { readonly next: string | null; readonly hasMore: boolean };
}

const HealthStatus = Type.Union([Type.Literal('up'), Type.Literal('degraded'), Type.Literal('down')]);

export const Health = Type.Object({
  status: HealthStatus,
  timestamp: Timestamp,
  version: Type.String(),
  components: Type.Record(
    Type.String(),
    Type.Object({
      status: HealthStatus,
      message: Type.Optional(Type.String()),
      details: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
      lastChecked: Timestamp,
      durationMs: Type.Number(),
    }),
  ),
});
export type Health = Static<typeof Health>;
