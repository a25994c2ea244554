import { BrainError, type ErrorCode } from '../../domain/error.ts';
import { PROBLEMS } from '../errors.ts';
import type { JsonObject } from './json.ts';

/** A problem of a code that an example cannot bring about, such as a full disk. */
export const exampleProblem = (code: ErrorCode): JsonObject => ({
  type: `/docs/errors#${code}`,
  title: PROBLEMS[code].title,
  status: PROBLEMS[code].status,
  detail: 'What went wrong this time, in words.',
  instance: '/api/v2/nodes',
  code,
  correlationId: 'import-2026-01-05',
  requestId: '0190a7c4-6a01-7d11-8c3e-5f0d2b8e6a1c',
  timestamp: '2026-01-05T08:00:00.000Z',
  retryable: new BrainError(code, '').retryable,
});
