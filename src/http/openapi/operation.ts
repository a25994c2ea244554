import type { FastifyInstance } from 'fastify';
import type { TSchema } from 'typebox';
import type { ErrorCode } from '../../domain/error.ts';

/** Request headers that a route reads; each is described once, in `headers.ts`. */
export type RequestHeader = 'if-match' | 'if-none-match';
/** Headers of a success beyond those of every answer. */
export type AnswerHeader = 'etag' | 'location' | 'link' | 'deprecation';

// What a route tells of itself beside its shapes: the OpenAPI document of its version is made of nothing else.
declare module 'fastify' {
  interface FastifySchema {
    /** The name of the operation in generated clients; it never changes. */
    operationId?: string;
    summary?: string;
    description?: string;
    tags?: readonly string[];
    takes?: readonly RequestHeader[];
    sends?: readonly AnswerHeader[];
    /** Codes that it fails with, beyond those that follow from its method, path and body. */
    fails?: readonly ErrorCode[];
    /** The shape of one line, where the body or the answer is NDJSON or may be. */
    lines?: { readonly body?: TSchema; readonly answer?: TSchema };
  }
}

/** A route as it was registered, with its full path. */
export interface DescribedRoute {
  readonly method: string;
  readonly url: string;
  readonly schema: OperationSchema;
}

export interface OperationSchema {
  readonly operationId?: string;
  readonly summary?: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly takes?: readonly RequestHeader[];
  readonly sends?: readonly AnswerHeader[];
  readonly fails?: readonly ErrorCode[];
  readonly lines?: { readonly body?: TSchema; readonly answer?: TSchema };
  readonly params?: TSchema;
  readonly querystring?: TSchema;
  readonly body?: TSchema;
  readonly response?: Readonly<Record<string, TSchema>>;
}

const tables = new WeakMap<FastifyInstance, DescribedRoute[]>();

/** Keeps each route that is registered from now on, for whoever describes or walks the API. */
export function collectRoutes(app: FastifyInstance): void {
  const routes: DescribedRoute[] = [];
  tables.set(app, routes);
  app.addHook('onRoute', ({ method, url, schema }) => {
    for (const one of [method].flat()) {
      if (one !== 'HEAD') routes.push({ method: one, url, schema: (schema ?? {}) as OperationSchema });
    }
  });
}

export function routesOf(app: FastifyInstance): readonly DescribedRoute[] {
  return tables.get(app) ?? [];
}
