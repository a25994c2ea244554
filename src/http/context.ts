import { randomBytes } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { currentContext, runWithContext, type Context } from '../shared/context.ts';
import type { Log } from '../shared/log.ts';

const CORRELATION = /^[A-Za-z0-9._:-]{1,128}$/;
/** W3C Trace Context: version, trace id, parent id, flags. */
const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}/;

/** Each request's own, for what runs on events of its socket and not in its asynchronous context. */
const contexts = new WeakMap<FastifyRequest, Context>();

/** Gives each request its context before anything else runs, and the log one line when it is answered. */
export function useContext(
  app: FastifyInstance,
  needs: { readonly log: Log; readonly newId: () => string },
): void {
  app.addHook('onRequest', (request, reply, done) => {
    runWithContext(openContext(request, reply, needs.newId()), done);
    // No answer is finished for a caller who is gone, so onResponse does not come.
    reply.raw.once('close', () => {
      if (!reply.raw.writableFinished)
        inContextOf(request, () => logAnswer(needs.log, request, reply, 'request cut off'));
    });
  });
  app.addHook('onResponse', (request, reply, done) => {
    inContextOf(request, () => logAnswer(needs.log, request, reply));
    done();
  });
}

/** Makes the context of a request and tells the caller its ids; for requests that no hook sees. */
export function openContext(request: FastifyRequest, reply: FastifyReply, requestId: string): Context {
  const given = one(request.headers['x-correlation-id']);
  const context: Context = {
    correlationId: given !== undefined && CORRELATION.test(given) ? given : requestId,
    requestId,
    ownerId: 'local',
    traceId:
      TRACEPARENT.exec(one(request.headers['traceparent']) ?? '')?.[1] ?? randomBytes(16).toString('hex'),
  };
  contexts.set(request, context);
  reply.header('x-correlation-id', context.correlationId);
  reply.header('x-request-id', requestId);
  return context;
}

export function logAnswer(
  log: Log,
  { method, routeOptions }: FastifyRequest,
  reply: FastifyReply,
  message = 'request',
): void {
  log.info(
    {
      method,
      route: routeOptions.url ?? 'unknown',
      status: reply.statusCode,
      durationMs: Math.round(reply.elapsedTime * 100) / 100,
    },
    message,
  );
}

/** The context of the request being served. */
export function requestContext(): Context {
  const context = currentContext();
  if (!context) throw new Error('there is no request context here');
  return context;
}

/** Runs work on behalf of a request, wherever the call comes from. */
export function inContextOf<T>(request: FastifyRequest, work: () => T): T {
  const context = contexts.get(request);
  return context ? runWithContext(context, work) : work();
}

function one(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}
