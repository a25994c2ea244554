import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ErrorCode } from '../domain/error.ts';
import { currentContext, runWithContext, type Context } from '../shared/context.ts';
import { bindLog, logPlain, type Log } from '../shared/log.ts';
import {
  formatTraceParent,
  parseTraceParent,
  parseTraceState,
  randomSpanId,
  randomTraceId,
  type TraceParent,
} from '../shared/trace-context.ts';

/** How a request ended. Of its path only the route is told, which has no ids and no texts in it. */
export interface Answered {
  readonly method: string;
  readonly route: string;
  readonly status: number;
  readonly durationMs: number;
  /** Of the problem that was answered. */
  readonly code?: ErrorCode | undefined;
  /** Sent to the caller, head and all; unknown without a socket. */
  readonly bytes?: number | undefined;
}

/** Whoever counts requests. */
export interface RequestMetrics {
  answered(answer: Answered): void;
}

/** Whoever records spans: it chooses the ids of the request's own. */
export interface RequestTracer {
  open(parent: TraceParent | undefined): {
    readonly traceId: string;
    readonly spanId: string;
    readonly isSampled: boolean;
    end(answer: Answered): void;
  };
}

export interface ContextNeeds {
  readonly log: Log;
  readonly newId: () => string;
  readonly metrics?: RequestMetrics | undefined;
  readonly tracer?: RequestTracer | undefined;
  /** Whose every request is, where nobody is asked who they are. */
  readonly resident?: string | undefined;
}

/** A request under way and its answer. */
interface Exchange {
  readonly context: Context;
  readonly reply: FastifyReply;
  readonly bytesBefore: number;
  readonly endSpan?: ((answer: Answered) => void) | undefined;
  code?: ErrorCode;
  isOver?: boolean;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Asked every few seconds by machines: an answer as it should be is worth no line above debug. */
    readonly isProbe?: boolean;
    /** What the audit log calls it; a DELETE is `delete` unless this says otherwise. */
    readonly audit?: string;
  }
  interface FastifyInstance {
    /** What is done for each request at its end: its answer is out, or its caller gone. */
    readonly endings: ((request: FastifyRequest, reply: FastifyReply) => void)[];
  }
  interface FastifyRequest {
    /** For what runs on events of its socket, and not in its asynchronous context. */
    exchange?: Exchange | undefined;
    /** Its `routeOptions`, which Fastify makes anew at each look. */
    route: Route;
  }
}

type Route = Pick<FastifyRequest['routeOptions'], 'url' | 'config'>;

const CORRELATION = /^[A-Za-z0-9._:-]{1,128}$/;

/** The owner until a request is authenticated; no owner can be called so, and nothing is read for them. */
const NOBODY = '-';

/** The last request of a connection. */
const LAST_REQUEST = Symbol('last request');

interface Connection {
  [LAST_REQUEST]?: FastifyRequest;
}

/** Gives each request its context before anything else runs, and the log one line when it is answered. */
export function useContext(app: FastifyInstance, needs: ContextNeeds): void {
  // No answer is finished for a caller who is gone, so onResponse has not come.
  const endings: FastifyInstance['endings'] = [(request) => logAnswer(needs, request, true)];
  app.decorate('endings', endings);
  app.decorateRequest('exchange', undefined);
  app.decorateRequest('route');
  app.addHook('onRequest', (request, reply, done) => {
    reply.raw.on('close', () => {
      for (const end of endings) end(request, reply);
    });
    runWithContext(openContext(request, reply, needs), done);
  });
  app.addHook('onResponse', (request, _reply, done) => {
    logAnswer(needs, request);
    done();
  });
}

/** Makes the context of a request and tells the caller its ids; for requests that no hook sees. */
export function openContext(request: FastifyRequest, reply: FastifyReply, needs: ContextNeeds): Context {
  const requestId = needs.newId();
  const given = one(request.headers['x-correlation-id']);
  const parent = parseTraceParent(one(request.headers['traceparent']));
  const span = needs.tracer?.open(parent);
  const trace = span ?? {
    traceId: parent?.traceId ?? randomTraceId(),
    spanId: randomSpanId(),
    isSampled: parent?.isSampled ?? false,
  };
  const context: Context = {
    correlationId: given !== undefined && CORRELATION.test(given) ? given : requestId,
    requestId,
    ownerId: needs.resident ?? NOBODY,
    traceId: trace.traceId,
    spanId: trace.spanId,
    isSampled: trace.isSampled,
    // Only with a valid traceparent (W3C Trace Context, 4.3).
    traceState: parent && parseTraceState(one(request.headers['tracestate'])),
  };
  const { socket } = request.raw;
  request.exchange = { context, reply, bytesBefore: socket.bytesWritten, endSpan: span?.end };
  request.route = request.routeOptions;
  (socket as Connection)[LAST_REQUEST] = request;
  bindLog(request.log, context);
  reply.header('x-correlation-id', context.correlationId);
  reply.header('x-request-id', requestId);
  reply.header('traceresponse', formatTraceParent(trace));
  return context;
}

/** Tells the log, the counts and the trace how the request ended, once. */
export function logAnswer({ log, metrics }: ContextNeeds, request: FastifyRequest, isCutOff = false): void {
  const { exchange } = request;
  if (!exchange || exchange.isOver) return;
  exchange.isOver = true;
  const { context, reply, bytesBefore, endSpan, code } = exchange;
  const { url: route = 'unknown', config } = request.route;
  const bytes = request.raw.socket.bytesWritten - bytesBefore;
  const answer: Answered = {
    method: request.method,
    route,
    status: reply.statusCode,
    durationMs: Math.round(reply.elapsedTime * 100) / 100,
    code,
    bytes: Number.isFinite(bytes) ? bytes : undefined,
  };
  const isDone = answer.status < 400 && code === undefined && !isCutOff;
  logPlain(log, config.isProbe === true && isDone ? 'debug' : 'info', {
    context,
    values: answer,
    msg: isCutOff ? 'request cut off' : 'request',
  });
  audit(request, answer, isDone);
  metrics?.answered(answer);
  if (endSpan) runWithContext(context, () => endSpan(answer));
}

/** Who did what that cannot be undone, or may have to be accounted for; ids alone, and none that was not found. */
function audit(request: FastifyRequest, { method, route, status }: Answered, isDone: boolean): void {
  const action = request.route.config.audit ?? (method === 'DELETE' ? 'delete' : undefined);
  if (action === undefined) return;
  const target = isDone && Object.keys(request.params as object).length > 0 ? { target: request.params } : {};
  request.log.info({ audit: true, action, route, isDone, status, ...target }, 'audit');
}

/** The context of the request being served. */
export function requestContext(): Context {
  const context = currentContext();
  if (!context) throw new Error('there is no request context here');
  return context;
}

/** Runs work on behalf of a request, wherever the call comes from. */
export function inContextOf<T>(request: FastifyRequest, work: () => T): T {
  const { exchange } = request;
  return exchange ? runWithContext(exchange.context, work) : work();
}

/** Remembers the problem that a request came to, for its line in the log. */
export function noteProblem(request: FastifyRequest, code: ErrorCode): void {
  if (request.exchange) request.exchange.code = code;
}

/** The request that this connection is busy with. */
export function underWay(
  socket: Socket,
): { readonly request: FastifyRequest; readonly reply: FastifyReply } | undefined {
  const request = (socket as Connection)[LAST_REQUEST];
  const reply = request?.exchange?.reply;
  return request && reply && !reply.raw.writableFinished ? { request, reply } : undefined;
}

function one(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}
