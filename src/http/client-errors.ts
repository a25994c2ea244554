import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Problem } from '../api/common.ts';
import { BrainError } from '../domain/error.ts';
import { runWithContext } from '../shared/context.ts';
import { randomSpanId, randomTraceId } from '../shared/trace-context.ts';
import { underWay, type ContextNeeds } from './context.ts';
import { happened, presentProblem, problemOf } from './errors.ts';
import { newestOf, VERSIONS } from './versions.ts';

/** Answers what is no request at all, or stopped being one: the parser of HTTP refuses it, and no route sees it. */
export function answerClientErrors(needs: ContextNeeds): (error: Error, socket: Socket) => void {
  return (error, socket) => {
    const code = 'code' in error ? error.code : undefined;
    if (code === 'ECONNRESET' || socket.destroyed) return;
    const exchange = underWay(socket);
    const refusal = refusalOf(error, code);
    if (exchange) {
      // Its line in the log comes when the connection is closed.
      const problem = problemOf(refusal, exchange.request);
      if (!exchange.reply.raw.headersSent) write(socket, problem);
    } else {
      runWithContext(newContext(needs.newId()), () => {
        const refused = happened(refusal, 'http.parse');
        const problem = presentProblem(refused, '/');
        const bytes = write(socket, problem);
        const answer = { ...NO_REQUEST, status: problem.status, code: refused.code, bytes };
        needs.log.info(answer, 'request');
        needs.metrics?.answered(answer);
      });
    }
    socket.destroySoon();
  };
}

const NO_REQUEST = { method: 'unknown', route: 'unknown', durationMs: 0 } as const;

/** The whole answer, by hand; gives how many bytes it was. */
function write(socket: Socket, problem: Problem): number {
  if (!socket.writable) return 0;
  const body = JSON.stringify(problem);
  const head = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}`,
    'connection: close',
    `api-version: ${newestOf(VERSIONS).number}`,
    'content-type: application/problem+json',
    `content-length: ${Buffer.byteLength(body)}`,
    `x-correlation-id: ${problem.correlationId}`,
    `x-request-id: ${problem.requestId}`,
  ];
  const message = `${head.join('\r\n')}\r\n\r\n${body}`;
  socket.write(message);
  return Buffer.byteLength(message);
}

function refusalOf(cause: Error, code: unknown): BrainError {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return new BrainError('request_timeout', 'the request did not come in in time', { cause });
  if (code === 'HPE_HEADER_OVERFLOW')
    return new BrainError('header_too_large', 'the head of a request has at most 16 KB', { cause });
  return new BrainError('malformed', 'this is not HTTP', { cause });
}

const newContext = (id: string) => ({
  correlationId: id,
  requestId: id,
  ownerId: '-',
  traceId: randomTraceId(),
  spanId: randomSpanId(),
});
