import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { negotiate, type Negotiated } from './negotiation.ts';
import { successorOf } from './successors.ts';
import { mediaTypeOf, newestOf, VERSIONS, versionNumbered, type ApiVersion } from './versions.ts';

/** What was decided for a request before it was routed. */
const NEGOTIATED = Symbol('negotiated');

interface Decided {
  [NEGOTIATED]?: Negotiated;
}

const decidedOf = (request: FastifyRequest): Negotiated | undefined => (request.raw as Decided)[NEGOTIATED];

/** For Fastify's `rewriteUrl`: an address without a version becomes that of the version that was negotiated. */
export function routeVersion(raw: IncomingMessage): string {
  const url = raw.url ?? '/';
  const negotiated = negotiate(url, raw.headers.accept);
  (raw as Decided)[NEGOTIATED] = negotiated;
  return negotiated.kind === 'version' ? negotiated.url : url;
}

/** The version that answers: the newest where the request is for none, or for one that is not served. */
export function versionOf(request: FastifyRequest): ApiVersion {
  const negotiated = decidedOf(request);
  return negotiated?.kind === 'version' ? negotiated.version : newestOf(VERSIONS);
}

/** Every answer tells its version, and a deprecated one where to move to. */
export function useVersions(app: FastifyInstance): void {
  app.addHook('onRequest', (request, reply, done) => {
    tellVersion(request, reply);
    done();
  });
  app.addHook('onSend', (request, reply, payload, done) => {
    const negotiated = decidedOf(request);
    if (negotiated?.kind === 'version' && negotiated.isNamed) nameVersion(reply, negotiated.version);
    done(null, payload);
  });
}

/** What names no served version is refused; after CORS, so that pages of other origins may read what to use instead. */
export function refuseVersions(app: FastifyInstance): void {
  app.addHook('onRequest', (request, _reply, done) => {
    const negotiated = decidedOf(request);
    done(negotiated?.kind === 'refused' ? negotiated.error : undefined);
  });
}

/** The headers of the version; for requests that no hook sees, too. */
export function tellVersion(request: FastifyRequest, reply: FastifyReply): void {
  const version = versionOf(request);
  if (decidedOf(request)?.kind === 'none') {
    reply.header('api-version', String(version.number));
    return;
  }
  reply.headers(HEADERS.get(version) ?? {});
  if (version.status === 'deprecated') reply.header('link', linksOf(request, version));
}

/**
 * What every answer of a version has. RFC 9745 writes the date of deprecation as seconds, RFC 8594 that of the sunset as
 * an HTTP date.
 */
const HEADERS: ReadonlyMap<ApiVersion, Readonly<Record<string, string>>> = new Map(
  VERSIONS.map((version) => {
    const { number, status, deprecated, sunset } = version;
    const isDeprecated = status === 'deprecated';
    return [
      version,
      {
        'api-version': String(number),
        vary: 'Accept', // nothing is set before it
        ...(isDeprecated && deprecated !== undefined && { deprecation: `@${Date.parse(deprecated) / 1000}` }),
        ...(isDeprecated && sunset !== undefined && { sunset: new Date(sunset).toUTCString() }),
      },
    ];
  }),
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
