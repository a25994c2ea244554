import { randomBytes } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { currentContext, runWithContext, type Context } from '../shared/context.ts';
import type { Log } from '../shared/log.ts';

const CORRELATION = /^[A-Za-z0-9._:-]{1,128}$/;
/** W3C Trace Context: version, trace id, parent id, flags. */
const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}/;

/** Gives each request its context before anything else runs, and the log one line when it is answered. */
export function useContext(
  app: FastifyInstance,
  needs: { readonly log: Log; readonly newId: () => string },
): void {
  app.addHook('onRequest', (request, reply, done) => {
    const given = one(request.headers['x-correlation-id']);
    const requestId = needs.newId();
    const context: Context = {
      correlationId: given !== undefined && CORRELATION.test(given) ? given : requestId,
      requestId,
      ownerId: 'local',
      traceId:
        TRACEPARENT.exec(one(request.headers['traceparent']) ?? '')?.[1] ?? randomBytes(16).toString('hex'),
    };
    reply.header('x-correlation-id', context.correlationId);
    reply.header('x-request-id', requestId);
    runWithContext(context, done);
  });
  app.addHook('onResponse', (request, reply, done) => {
    const { method, routeOptions } = request;
    needs.log.info(
      {
        method,
        route: routeOptions.url ?? 'unknown',
        status: reply.statusCode,
        durationMs: Math.round(reply.elapsedTime * 100) / 100,
      },
      'request',
    );
    done();
  });
}

/** The context of the request being served. */
export function requestContext(): Context {
  const context = currentContext();
  if (!context) throw new Error('there is no request context here');
  return context;
}

function one(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}
