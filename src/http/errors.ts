import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Problem } from '../api/common.ts';
import { BrainError, occurred, type ErrorCode } from '../domain/error.ts';
import { currentContext } from '../shared/context.ts';
import { describeError } from '../shared/describe-error.ts';
import { inContextOf, noteProblem } from './context.ts';
import { presenterOf } from './error-presenters.ts';
import { afterBody } from './refused-body.ts';
import { brainErrorOf } from './thrown.ts';

interface Row {
  readonly status: number;
  readonly title: string;
  /** Told instead of the error's own message, which speaks of the inside: that is for the log. */
  readonly detail?: string;
}

/** The one table from a code to its status and title. Exhaustive: a new code does not compile without its row. */
export const PROBLEMS: { readonly [C in ErrorCode]: Row } = {
  invalid: { status: 422, title: 'A rule is broken' },
  malformed: { status: 400, title: 'The request cannot be read' },
  unauthenticated: { status: 401, title: 'Not authenticated' },
  forbidden: { status: 403, title: 'Not allowed' },
  not_found: { status: 404, title: 'Not found' },
  method_not_allowed: { status: 405, title: 'Method not allowed' },
  in_progress: { status: 409, title: 'The same request is still running' },
  key_reused: { status: 422, title: 'The idempotency key stands for another request' },
  conflict: { status: 409, title: 'Conflict' },
  stale: { status: 412, title: 'It has changed since' },
  version_required: { status: 428, title: 'If-Match is required' },
  version_malformed: { status: 400, title: 'The version cannot be read' },
  version_conflict: { status: 400, title: 'Two versions are asked for' },
  version_gone: { status: 410, title: 'The version is not served' },
  version_not_acceptable: { status: 406, title: 'There is no such version' },
  too_large: { status: 413, title: 'Too large' },
  header_too_large: { status: 431, title: 'The head of the request is too large' },
  url_too_long: { status: 414, title: 'The URL is too long' },
  unsupported_media_type: { status: 415, title: 'Unsupported media type' },
  range_unsatisfiable: { status: 416, title: 'There is no such part' },
  rate_limited: { status: 429, title: 'Too many requests' },
  overloaded: { status: 503, title: 'Too much at once' },
  position_gone: { status: 410, title: 'The position cannot be read on from' },
  contended: { status: 503, title: 'Too many writers' },
  storage_full: {
    status: 507,
    title: 'The disk is full',
    detail: 'The disk is full; nothing was written.',
  },
  read_only: {
    status: 503,
    title: 'The data folder cannot be written',
    detail: 'The data folder cannot be written; nothing was.',
  },
  locked: { status: 503, title: 'The data folder is in use' },
  schema_newer: { status: 503, title: 'The database is of a newer version' },
  corrupt: {
    status: 500,
    title: 'Stored data is damaged',
    detail: 'Something that is stored is damaged; the log has the place under this correlation id.',
  },
  unavailable: {
    status: 503,
    title: 'Not available',
    detail: 'Something that this depends on did not answer; the log has it under this correlation id.',
  },
  request_timeout: { status: 408, title: 'The request took too long to come in' },
  timeout: { status: 503, title: 'It took too long' },
  aborted: { status: 503, title: 'Aborted' },
  internal: {
    status: 500,
    title: 'Internal error',
    detail: 'Something went wrong here; the log has it under this correlation id.',
  },
};

const RETRY_AFTER_SECONDS = 1;
/** There is nothing to mend, and no time for a line of its own. */
const NOBODYS_FAULT: readonly ErrorCode[] = ['aborted', 'overloaded'];

/** The error, with all that is known of it, as the document that answers it. */
export function presentProblem(error: BrainError, instance: string, showsInside = false): Problem {
  const { status, title, detail } = PROBLEMS[error.code];
  const isHidden = detail !== undefined && !showsInside;
  return {
    type: `/docs/errors#${error.code}`,
    title,
    status,
    detail: isHidden ? detail : error.message,
    instance,
    code: error.code,
    correlationId: error.correlationId ?? '-',
    requestId: error.requestId ?? '-',
    timestamp: error.timestamp ?? new Date().toISOString(),
    retryable: error.retryable,
    ...(error.issues.length > 0 && { errors: [...error.issues] }),
    ...(!isHidden && Object.keys(error.details).length > 0 && { details: error.details }),
    ...(showsInside && { debug: { ...describeError(error) } }),
  };
}

/**
 * What every failure of a request goes through, whatever was thrown and wherever: it gets the ids of its request, the
 * log a line where it is ours to mend, and the caller a problem.
 */
export function problemOf(thrown: unknown, request: FastifyRequest): Problem {
  return inContextOf(request, () => {
    const error = happened(thrown, `${request.method} ${request.routeOptions.url ?? 'unknown'}`);
    const problem = presentProblem(error, pathOf(request), request.server.showsInside);
    noteProblem(request, error.code);
    if (problem.status >= 500 && !NOBODYS_FAULT.includes(error.code))
      request.log.error({ err: error, code: error.code, kind: error.type }, 'request failed');
    return problem;
  });
}

/** Turns anything that was thrown into one answer; where one is under way already, into its end. */
export function answerError(thrown: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const problem = problemOf(thrown, request);
  if (reply.raw.headersSent) {
    reply.raw.destroy(); // cut off, so that nobody takes it for whole
    return;
  }
  if ([429, 503].includes(problem.status) && !reply.hasHeader('retry-after'))
    reply.header('retry-after', RETRY_AFTER_SECONDS);
  const { status, contentType, body } = presenterOf(request)(problem);
  const send = (): void =>
    void reply.code(status).header('content-type', contentType).serializer(JSON.stringify).send(body);
  if (problem.code === 'request_timeout') send(); // its body is not waited for again
  else afterBody(request, reply, send);
}

/** As it came up in the work at hand. */
export function happened(thrown: unknown, operation: string): BrainError {
  const { correlationId = '-', requestId = '-', ownerId = '-' } = currentContext() ?? {};
  const occurrence = { correlationId, requestId, ownerId, timestamp: new Date().toISOString() };
  try {
    return occurred(brainErrorOf(thrown), occurrence, operation);
  } catch (error) {
    // A thing made to harm whoever reads it. What came of reading it is told in its place.
    const message = 'something was thrown that cannot be read';
    return new BrainError('internal', message, { cause: error, operation, occurrence });
  }
}

/** The path as the caller wrote it; `request.url` is the one that was negotiated. */
export const pathOf = (request: FastifyRequest): string => pathOfUrl(request.originalUrl);

export function pathOfUrl(url: string): string {
  const end = url.indexOf('?');
  return end < 0 ? url : url.slice(0, end);
}

declare module 'fastify' {
  interface FastifyInstance {
    /** In development: problems tell what went wrong inside. */
    readonly showsInside: boolean;
  }
}
