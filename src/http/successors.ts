import type { FastifyInstance, FastifyRequest } from 'fastify';
import { prefixOf, type ApiVersion } from './versions.ts';

/** What does the work of a route in the next version, such as `PATCH /nodes/:id`; null where nothing does. */
export type Successor = `${'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'} /${string}` | null;

declare module 'fastify' {
  interface FastifyContextConfig {
    successor?: Successor;
  }
}

/** A method and a path, with its parameters as `{name}`. */
export interface Operation {
  readonly method: string;
  readonly path: string;
}

/** The resource of a request as the next version has it; undefined where that has none, or asks for an id more. */
export function successorOf(request: FastifyRequest, next: ApiVersion): string | undefined {
  const path = request.routeOptions.config.successor?.split(' ')[1];
  if (path === undefined) return undefined;
  const ids = request.params as Readonly<Record<string, string>>;
  const segments = path
    .split('/')
    .map((segment) => (segment.startsWith(':') ? ids[segment.slice(1)] : segment));
  if (segments.includes(undefined)) return undefined;
  return `${prefixOf(next)}${segments.map((segment = '') => encodeURIComponent(segment)).join('/')}`;
}

/** What replaces a route of a deprecated version. */
export interface Replacement {
  readonly version: ApiVersion;
  readonly successor: Operation | null;
}

/** Those of all routes of deprecated versions, by `METHOD path`. */
export type Replacements = ReadonlyMap<string, Replacement>;

/** Notes the routes that are registered from now on in `scope`, which holds one version. */
export function collectReplacements(
  scope: FastifyInstance,
  {
    version,
    next,
    into,
  }: {
    readonly version: ApiVersion;
    readonly next: ApiVersion;
    readonly into: Map<string, Replacement>;
  },
): void {
  scope.addHook('onRoute', ({ method, url, config }) => {
    const [by, path] = config?.successor?.split(' ') ?? [];
    const successor =
      by === undefined || path === undefined
        ? null
        : { method: by, path: templateOf(`${prefixOf(next)}${path}`) };
    for (const one of [method].flat()) into.set(`${one} ${templateOf(url)}`, { version, successor });
  });
}

/** A path of the router as people write it. */
export const templateOf = (url: string): string => url.replace(/:(\w+)/g, '{$1}');
