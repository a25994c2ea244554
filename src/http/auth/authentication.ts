import type { FastifyContextConfig, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { BrainError } from '../../domain/error.ts';
import type { Authenticate, Principal, Scope } from '../../services/principal.ts';
import { setOwner } from '../../shared/context.ts';

/** What a route asks of its caller; `open` ones serve anybody, and nothing of any owner. */
export type Access = Scope | 'open';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** By default `read` for GET, and `write` for what may change something. */
    readonly access?: Access;
  }
  interface FastifyRequest {
    /** Whoever the request acts for; absent on open routes. */
    principal?: Principal | undefined;
  }
}

const BEARER = /^Bearer +([A-Za-z0-9._~+/=:@|-]+)$/i;
const READS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Finds out who calls before anything of the body is read, and whether the route is open to them. From there on the
 * context is of their owner, and only what is that owner's can be read or changed.
 */
export function useAuthentication(app: FastifyInstance, authenticate: Authenticate): void {
  app.decorateRequest('principal', undefined);
  app.addHook('onRequest', (request, reply, done) => {
    const access = accessOf(request);
    if (access === 'open') return done();
    const admit = (principal: Principal): void => {
      request.principal = principal;
      setOwner(principal.owner);
      done(principal.scopes.includes(access) ? undefined : insufficient(reply, access, principal));
    };
    const refuse = (error: Error): void => done(challenged(reply, error));
    let found: Principal | Promise<Principal>;
    try {
      found = authenticate(credentialOf(request));
    } catch (error) {
      return refuse(error as Error);
    }
    if (found instanceof Promise) void found.then(admit, refuse);
    else admit(found);
  });
}

function insufficient(reply: FastifyReply, access: Scope, { scopes }: Principal): BrainError {
  reply.header('www-authenticate', `Bearer realm="brain2", error="insufficient_scope", scope="${access}"`);
  return new BrainError('forbidden', `this needs the scope ${access}, and the token has not got it`, {
    operation: 'http.authorise',
    details: { scope: access, scopes },
  });
}

/** What is no route at all is answered as such to everybody. */
export function accessOf({ is404, method, route }: FastifyRequest): Access {
  return is404 ? 'open' : accessTo(method, route.config);
}

/** What a route asks of its caller. */
export function accessTo(method: string, config: FastifyContextConfig | undefined): Access {
  return config?.access ?? (READS.has(method) ? 'read' : 'write');
}

function credentialOf({ headers }: FastifyRequest): string | undefined {
  const { authorization } = headers;
  if (authorization === undefined) return undefined;
  const credential = BEARER.exec(authorization)?.[1];
  if (credential === undefined)
    throw new BrainError('unauthenticated', 'Authorization is "Bearer" and a token', {
      operation: 'http.authenticate',
    });
  return credential;
}

/** A refusal says how to authenticate (RFC 6750, 3). */
function challenged(reply: FastifyReply, error: Error): Error {
  const isGiven = reply.request.headers.authorization !== undefined;
  if (error instanceof BrainError && error.code === 'unauthenticated')
    reply.header('www-authenticate', `Bearer realm="brain2"${isGiven ? ', error="invalid_token"' : ''}`);
  return error;
}
