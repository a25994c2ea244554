import type { FastifyInstance } from 'fastify';
import type { IncomingHttpHeaders } from 'node:http';
import { BrainError } from '../../domain/error.ts';
import type { OwnerId } from '../../domain/values.ts';
import type { Authenticate } from '../../services/principal.ts';

/** Everybody on this machine is the one owner. It stands on `useLocalGuard`, which keeps the pages of others out. */
export function localAuthentication(owner: OwnerId): Authenticate {
  const principal = { owner, scopes: ['read', 'write', 'admin'] } as const;
  return () => principal;
}

/** The names of this machine, none of which a foreign DNS server can give an address. */
const LOOPBACK_HOST = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/i;

/**
 * Where nobody is asked who they are, any page that a browser shows could call: by a name of its own that it points
 * at this machine (DNS rebinding, seen by `Host`), or from its own origin (seen by `Origin` and `Sec-Fetch-Site`).
 * Both are refused before anything is read.
 */
export function useLocalGuard(app: FastifyInstance, allowedOrigins: readonly string[]): void {
  app.addHook('onRequest', (request, _reply, done) => {
    const reason = foreign(request.headers, request.method, allowedOrigins);
    if (reason === undefined) done();
    else done(new BrainError('forbidden', reason, { operation: 'http.guard' }));
  });
}

/** Why a request is not of this machine's own, or undefined. */
function foreign(
  headers: IncomingHttpHeaders,
  method: string,
  allowedOrigins: readonly string[],
): string | undefined {
  const { host = '', origin } = headers;
  if (!LOOPBACK_HOST.test(host)) return 'this Brain2 serves this machine alone, under the name localhost';
  if (origin !== undefined)
    return isOwnOrigin(origin, host) || allowedOrigins.includes(origin)
      ? undefined
      : 'this Brain2 serves no pages of other origins; BRAIN2_ALLOWED_ORIGINS names exceptions';
  // A link to here from another page is no call by it: it cannot read what is shown then.
  const isLink = method === 'GET' && headers['sec-fetch-mode'] === 'navigate';
  return headers['sec-fetch-site'] === 'cross-site' && !isLink
    ? 'this Brain2 serves no pages of other origins'
    : undefined;
}

/** Whether a page comes from this server itself. */
function isOwnOrigin(origin: string, host: string): boolean {
  return origin === `http://${host.toLowerCase()}`;
}
