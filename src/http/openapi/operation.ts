import type { TSchema } from 'typebox';
import type { ErrorCode } from '../../domain/error.ts';
import type { Access } from '../auth/authentication.ts';

/** Request headers that a route reads; each is described once, in `headers.ts`. */
export type RequestHeader = 'if-match' | 'if-none-match' | 'idempotency-key' | 'last-event-id';
/** Headers of a success beyond those of every answer. */
export type AnswerHeader = 'etag' | 'location' | 'link' | 'deprecation' | 'limits' | 'replayed';

// What a route tells of itself beside its shapes: the OpenAPI document of its version is made of nothing else.
declare module 'fastify' {
  interface FastifySchema extends OperationWords {}
}

interface OperationWords {
  /** The name of the operation in generated clients; it never changes. */
  readonly operationId?: string;
  readonly summary?: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly takes?: readonly RequestHeader[];
  readonly sends?: readonly AnswerHeader[];
  /** Codes that it fails with, beyond those that follow from its method, path, body, and from what it asks and takes. */
  readonly fails?: readonly ErrorCode[];
  /** The shape of one line, where the body or the answer is NDJSON or may be. */
  readonly lines?: { readonly body?: TSchema; readonly answer?: TSchema };
  /** Whether the body may be a zip. */
  readonly takesZip?: boolean;
  /** Whether the answer is a file, whole or in part. */
  readonly isFile?: boolean;
  /** Whether the answer is a stream of server-sent events. */
  readonly isEventStream?: boolean;
  /** Left out of the document of its version: it is no operation, but the document itself. */
  readonly hide?: boolean;
}

/** A route as it was registered. */
export interface DescribedRoute {
  readonly method: string;
  /** With its parameters, such as `/api/v2/nodes/:id`. */
  readonly url: string;
  /** What it asks of its caller. */
  readonly access: Access;
  readonly schema: OperationSchema;
}

export interface OperationSchema extends OperationWords {
  readonly params?: TSchema;
  readonly querystring?: TSchema;
  readonly body?: TSchema;
  readonly response?: Readonly<Record<string, TSchema>>;
}
