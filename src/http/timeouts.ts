import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { BrainError } from '../domain/error.ts';
import { inContextOf } from './context.ts';

export interface TimeLimits {
  /** For the body to come in. */
  readonly requestMs: number;
  /** From then until the answer begins. */
  readonly handlerMs: number;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Where the ordinary ones do not fit. */
    readonly limits?: TimeLimits;
  }
  interface FastifyRequest {
    clock?: Clock | undefined;
  }
}

const ORDINARY: TimeLimits = { requestMs: 15_000, handlerMs: 10_000 };

/** Of one request: its timer, and the signal of those who asked for one. */
interface Clock {
  timer?: NodeJS.Timeout | undefined;
  controller?: AbortController;
  /** Why the work is not wanted any more. */
  reason?: BrainError;
}

/**
 * Bounds how long a request may take to come in, and its answer to begin. Work that is not done by then goes on unless
 * it heeds its signal; the caller is answered all the same.
 */
export function useTimeouts(app: FastifyInstance, ordinary: TimeLimits = ORDINARY): void {
  app.decorateRequest('clock', undefined);
  app.addHook('onRequest', (request, reply, done) => {
    const limits = request.route.config.limits ?? ordinary;
    request.clock = {};
    if (hasBody(request)) start(request, reply, limits.requestMs, tooSlow);
    done();
  });
  app.addHook('preHandler', (request, reply, done) => {
    const limits = request.route.config.limits ?? ordinary;
    start(request, reply, limits.handlerMs, tooLong);
    done();
  });
  app.addHook('onSend', (request, _reply, _payload, done) => {
    stop(request);
    done();
  });
  app.endings.push((request, reply) => {
    stop(request);
    if (!reply.raw.writableFinished) abort(request, callerGone());
  });
}

/** Aborted when the caller goes away or the time is up; the reason is the error to throw. */
export function signalOf(request: FastifyRequest): AbortSignal {
  const clock = request.clock ?? {};
  clock.controller ??= new AbortController();
  if (clock.reason) clock.controller.abort(clock.reason);
  return clock.controller.signal;
}

function start(
  request: FastifyRequest,
  reply: FastifyReply,
  limitMs: number,
  error: (limitMs: number) => BrainError,
): void {
  stop(request);
  const clock = request.clock;
  if (!clock) return;
  clock.timer = setTimeout(() => {
    inContextOf(request, () => {
      const reason = error(limitMs);
      abort(request, reason);
      if (reply.sent || reply.raw.headersSent) return;
      // What is left of a body that comes too slowly is not waited for.
      if (reason.code === 'request_timeout') reply.header('connection', 'close');
      reply.send(reason);
    });
  }, limitMs);
}

function stop(request: FastifyRequest): void {
  clearTimeout(request.clock?.timer);
}

function abort(request: FastifyRequest, reason: BrainError): void {
  const clock = request.clock;
  if (!clock) return;
  clock.reason ??= reason;
  clock.controller?.abort(reason);
}

function hasBody({ headers }: FastifyRequest): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
}

const tooSlow = (limitMs: number): BrainError =>
  new BrainError('request_timeout', `the request did not come in within ${limitMs / 1000} s`, {
    operation: 'http.receive',
  });

const tooLong = (limitMs: number): BrainError =>
  new BrainError('timeout', `it was not done within ${limitMs / 1000} s`, { operation: 'http.handle' });

const callerGone = (): BrainError =>
  new BrainError('aborted', 'the caller went away', { operation: 'http.handle' });
