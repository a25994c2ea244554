import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Problem } from '../api/common.ts';
import { BrainError, toBrainError, type ErrorCode, type Issue } from '../domain/error.ts';
import { currentContext } from '../shared/context.ts';
import { inContextOf } from './context.ts';
import { presenterOf } from './error-presenters.ts';
import { issuesOfValidation, type SchemaError } from './validation.ts';

/** The one table from a code to its status and title. Exhaustive: a new code does not compile without its row. */
export const PROBLEMS: { readonly [C in ErrorCode]: { readonly status: number; readonly title: string } } = {
  invalid: { status: 422, title: 'A rule is broken' },
  malformed: { status: 400, title: 'The request cannot be read' },
  not_found: { status: 404, title: 'Not found' },
  method_not_allowed: { status: 405, title: 'Method not allowed' },
  conflict: { status: 409, title: 'Conflict' },
  stale: { status: 412, title: 'It has changed since' },
  version_required: { status: 428, title: 'If-Match is required' },
  version_malformed: { status: 400, title: 'The version cannot be read' },
  version_conflict: { status: 400, title: 'Two versions are asked for' },
  version_gone: { status: 410, title: 'The version is not served' },
  version_not_acceptable: { status: 406, title: 'There is no such version' },
  too_large: { status: 413, title: 'Too large' },
  unsupported_media_type: { status: 415, title: 'Unsupported media type' },
  position_gone: { status: 410, title: 'The position cannot be read on from' },
  contended: { status: 503, title: 'Too many writers' },
  storage_full: { status: 507, title: 'The disk is full' },
  read_only: { status: 503, title: 'The data folder cannot be written' },
  locked: { status: 503, title: 'The data folder is in use' },
  schema_newer: { status: 503, title: 'The database is of a newer version' },
  corrupt: { status: 500, title: 'Stored data is damaged' },
  unavailable: { status: 503, title: 'Not available' },
  timeout: { status: 503, title: 'It took too long' },
  aborted: { status: 503, title: 'Aborted' },
  internal: { status: 500, title: 'Internal error' },
};

const RETRY_AFTER_SECONDS = 1;

/** What the web framework throws by itself, in our codes. */
const FRAMEWORK_CODES: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  FST_ERR_CTP_BODY_TOO_LARGE: 'too_large',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'malformed',
  FST_ERR_CTP_INVALID_JSON_BODY: 'malformed',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'malformed',
  FST_ERR_BAD_URL: 'malformed',
  FST_ERR_MAX_PARAM_LENGTH: 'not_found',
};

/** Any thrown thing as the problem document that answers it. */
export function problemOf(error: unknown, instance: string): Problem {
  const brainError = fromFramework(error);
  const { status, title } = PROBLEMS[brainError.code];
  const context = currentContext();
  // What went wrong inside is for the log, not for the caller.
  const hidden = brainError.code === 'internal' || brainError.code === 'corrupt';
  return {
    type: `/docs/errors#${brainError.code}`,
    title,
    status,
    detail: hidden
      ? 'Something went wrong here; the log has it under this correlation id.'
      : brainError.message,
    instance,
    code: brainError.code,
    correlationId: context?.correlationId ?? '-',
    requestId: context?.requestId ?? '-',
    retryable: brainError.retryable,
    ...(brainError.issues.length > 0 && { errors: [...brainError.issues] }),
    ...(!hidden && Object.keys(brainError.details).length > 0 && { details: brainError.details }),
  };
}

/** Turns any error into one answer, and the server's own ones into one log line. */
export function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const problem = inContextOf(request, () => problemOf(error, pathOf(request)));
  if (problem.status >= 500 && problem.code !== 'aborted') {
    inContextOf(request, () => request.log.error({ err: error, code: problem.code }, 'request failed'));
  }
  if (problem.status === 503) reply.header('retry-after', RETRY_AFTER_SECONDS);
  const { status, contentType, body } = presenterOf(request)(problem);
  void reply.code(status).header('content-type', contentType).serializer(JSON.stringify).send(body);
}

/** Answers what no route takes: 405 with Allow where another method would be taken, else 404. */
export function answerUnknown(app: FastifyInstance): void {
  const routes: { readonly method: string; readonly segments: readonly string[] }[] = [];
  app.addHook('onRoute', ({ method, url }) => {
    for (const one of [method].flat()) routes.push({ method: one, segments: url.split('/') });
  });
  app.setNotFoundHandler((request, reply) => {
    const segments = pathOfUrl(request.url).split('/');
    const allowed = routes.filter((route) => matches(route.segments, segments)).map((route) => route.method);
    if (allowed.length === 0) {
      throw new BrainError('not_found', `there is nothing at ${pathOf(request)}`, {
        operation: 'http.route',
      });
    }
    const allow = [...new Set(allowed)].sort().join(', ');
    reply.header('allow', allow);
    throw new BrainError('method_not_allowed', `${request.method} is not allowed here; ${allow} are`, {
      operation: 'http.route',
    });
  });
}

/** The path as the caller wrote it; `request.url` is the one that was negotiated. */
export const pathOf = (request: FastifyRequest): string => pathOfUrl(request.originalUrl);

function pathOfUrl(url: string): string {
  const end = url.indexOf('?');
  return end < 0 ? url : url.slice(0, end);
}

function matches(pattern: readonly string[], segments: readonly string[]): boolean {
  return (
    pattern.length === segments.length &&
    pattern.every(
      (part, index) => part === segments[index] || (part.startsWith(':') && segments[index] !== ''),
    )
  );
}

function fromFramework(error: unknown): BrainError {
  if (error instanceof BrainError) return error;
  const { code, statusCode, validation, validationContext } = error as Partial<FastifyError>;
  if (validation) return ofValidation(validation, validationContext ?? 'body');
  const known = code === undefined ? undefined : FRAMEWORK_CODES[code];
  if (known)
    return new BrainError(known, (error as Error).message, { cause: error, operation: 'http.parse' });
  if (code === 'ECONNRESET' && statusCode === 400)
    return new BrainError('aborted', 'the caller went away', { cause: error, operation: 'http.parse' });
  return toBrainError(error, 'http.request');
}

function ofValidation(errors: readonly SchemaError[], part: string): BrainError {
  const issues: readonly Issue[] = issuesOfValidation(errors);
  // A path that names no possible id names nothing that is there.
  if (part === 'params') return new BrainError('not_found', 'there is nothing of that id', { issues });
  const message = issues.map((issue) => issue.message).join('; ');
  return new BrainError('invalid', message, { issues, operation: `http.${part}` });
}
