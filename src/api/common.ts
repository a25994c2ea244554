import { Type, type Static, type TSchema } from 'typebox';

// Wire shapes only: what a client and the server both need to know. No logic.

export const Uuid = Type.String({
  pattern: '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$',
  maxLength: 36,
});
export const Timestamp = Type.String({ maxLength: 40, description: 'RFC 3339, UTC' });

/** RFC 9457 problem details, with what a program needs to decide what to do. */
export const Problem = Type.Object({
  type: Type.String(),
  title: Type.String(),
  status: Type.Integer(),
  detail: Type.String(),
  instance: Type.String(),
  code: Type.String(),
  correlationId: Type.String(),
  requestId: Type.String(),
  timestamp: Timestamp,
  retryable: Type.Boolean(),
  errors: Type.Optional(
    Type.Array(Type.Object({ pointer: Type.String(), code: Type.String(), message: Type.String() })),
  ),
  details: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
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
    page: Type.Object({ next: Type.Union([Type.String(), Type.Null()]), hasMore: Type.Boolean() }),
  });

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
