import type { FastifyInstance } from 'fastify';
import { BrainError } from '../domain/error.ts';
import { accessTo } from './auth/authentication.ts';
import { pathOf, pathOfUrl } from './errors.ts';
import type { DescribedRoute, OperationSchema } from './openapi/operation.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /** Every route there is, for whoever describes or walks the API. */
    readonly routeTable: readonly DescribedRoute[];
  }
}

/** Keeps the table of routes, and answers what none of them takes: 405 with Allow where one is of another method, else 404. */
export function useRouteTable(app: FastifyInstance): void {
  const table: (DescribedRoute & { readonly segments: readonly string[] })[] = [];
  app.decorate('routeTable', table);
  app.addHook('onRoute', ({ method, url, schema, config }) => {
    for (const one of [method].flat()) {
      const described = { schema: (schema ?? {}) as OperationSchema, access: accessTo(one, config) };
      table.push({ method: one, url, ...described, segments: url.split('/') });
    }
  });
  app.setNotFoundHandler((request, reply) => {
    const segments = pathOfUrl(request.url).split('/');
    const allowed = table.filter((route) => matches(route.segments, segments)).map((route) => route.method);
    if (allowed.length === 0) {
      throw new BrainError('not_found', `there is nothing at ${pathOf(request)}`, {
        operation: 'http.route',
      });
    }
    const allow = [...new Set(allowed)].sort().join(', ');
    reply.header('allow', allow);
    const others = `${allow} ${allow.includes(',') ? 'are' : 'is'}`;
    throw new BrainError('method_not_allowed', `${request.method} is not allowed here; ${others}`, {
      operation: 'http.route',
    });
  });
}

function matches(pattern: readonly string[], segments: readonly string[]): boolean {
  return (
    pattern.length === segments.length &&
    pattern.every(
      (part, index) => part === segments[index] || (part.startsWith(':') && segments[index] !== ''),
    )
  );
}
