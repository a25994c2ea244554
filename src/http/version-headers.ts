import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { negotiate, type Negotiated } from './negotiation.ts';
import { successorOf } from './successors.ts';
import { mediaTypeOf, newestOf, VERSIONS, versionNumbered, type ApiVersion } from './versions.ts';
import { varyBy } from './vary.ts';

/** What was decided for each request before it was routed. */
const decided = new WeakMap<IncomingMessage, Negotiated>();

/** For Fastify's `rewriteUrl`: an address without a version becomes that of the version that was negotiated. */
export function routeVersion(raw: IncomingMessage): string {
  const url = raw.url ?? '/';
  const negotiated = negotiate(url, raw.headers.accept);
  decided.set(raw, negotiated);
  return negotiated.kind === 'version' ? negotiated.url : url;
}

/** The version that answers: the newest where the request is for none, or for one that is not served. */
export function versionOf(request: FastifyRequest): ApiVersion {
  const negotiated = decided.get(request.raw);
  return negotiated?.kind === 'version' ? negotiated.version : newestOf(VERSIONS);
}

/** Every answer tells its version, and a deprecated one where to move to; what names no served version is refused. */
export function useVersions(app: FastifyInstance): void {
  app.addHook('onRequest', (request, reply, done) => {
    tellVersion(request, reply);
    const negotiated = decided.get(request.raw);
    done(negotiated?.kind === 'refused' ? negotiated.error : undefined);
  });
  app.addHook('onSend', (request, reply, payload, done) => {
    const negotiated = decided.get(request.raw);
    if (negotiated?.kind === 'version' && negotiated.isNamed) nameVersion(reply, negotiated.version);
    done(null, payload);
  });
}

/** The headers of the version; for requests that no hook sees, too. */
export function tellVersion(request: FastifyRequest, reply: FastifyReply): void {
  const version = versionOf(request);
  reply.header('api-version', String(version.number));
  if (decided.get(request.raw)?.kind === 'none') return;
  varyBy(reply, 'Accept');
  if (version.status !== 'deprecated') return;
  const { deprecation, sunset } = DEPRECATION.get(version.number) ?? {};
  if (deprecation !== undefined) reply.header('deprecation', deprecation);
  if (sunset !== undefined) reply.header('sunset', sunset);
  reply.header('link', linksOf(request, version));
}

/** RFC 9745 writes the date of deprecation as seconds, RFC 8594 that of the sunset as an HTTP date. */
const DEPRECATION: ReadonlyMap<number, { readonly deprecation?: string; readonly sunset?: string }> = new Map(
  VERSIONS.map(({ number, deprecated, sunset }) => [
    number,
    {
      ...(deprecated !== undefined && { deprecation: `@${Date.parse(deprecated) / 1000}` }),
      ...(sunset !== undefined && { sunset: new Date(sunset).toUTCString() }),
    },
  ]),
);

function linksOf(request: FastifyRequest, version: ApiVersion): string {
  const links = [`<${version.docs}>; rel="deprecation"; type="text/html"`];
  const next = versionNumbered(version.successor);
  const path = next && successorOf(request, next);
  if (path !== undefined) links.push(`<${path}>; rel="successor-version"`);
  return links.join(', ');
}

function nameVersion(reply: FastifyReply, version: ApiVersion): void {
  const type = String(reply.getHeader('content-type') ?? '');
  if (/^application\/json\b/.test(type))
    reply.header('content-type', type.replace('application/json', mediaTypeOf(version)));
}
