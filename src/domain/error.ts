/**
 * Every way in which Brain2 refuses or fails, below HTTP. A closed union: `http/errors.ts` gives each one status,
 * `docs/errors.md` describes each, and a test holds the three equal.
 */
export const ERROR_CODES = [
  'invalid', // well-formed but against a rule; `issues` names each place
  'malformed', // not parsable at all: JSON, a cursor, an id, a version
  'unauthenticated', // no credential, or none that is valid now
  'forbidden', // known, and not allowed to do this
  'not_found', // also for what belongs to another owner
  'method_not_allowed',
  'in_progress', // the same request, by its idempotency key, is still running
  'key_reused', // an idempotency key that stands for another request
  'conflict', // it exists already, or its state does not allow this
  'stale', // the version given is not the current one
  'version_required', // a change without If-Match
  'version_malformed', // a version of the API that cannot be read
  'version_conflict', // the path asks for one version of the API, Accept for another
  'version_gone', // a version of the API that is not served, or no longer
  'version_not_acceptable', // Accept names only versions of the API that do not exist yet
  'too_large', // a body, a note, a transaction above its limit
  'header_too_large', // the head of a request
  'url_too_long',
  'unsupported_media_type',
  'range_unsatisfiable', // the part of a file that is asked for lies beyond its end
  'rate_limited', // too many requests for now
  'overloaded', // more comes in than is done; nothing was done of it
  'position_gone', // a position in the log that is of another epoch, or trimmed
  'contended', // other writers kept winning; nothing was written; try again
  'storage_full', // nothing was written; reads still work
  'read_only', // the data folder cannot be written
  'locked', // another process holds the data folder
  'schema_newer', // the database was written by a newer Brain2
  'corrupt', // stored bytes are not what was written
  'unavailable', // a dependency did not answer; try again
  'request_timeout', // the request did not come in whole in time
  'timeout', // the work was not done in time
  'aborted', // the caller went away, or the process is stopping
  'internal', // a bug
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

/** What kind of trouble each code is: whose it is to mend, and what a count of errors is grouped by. */
export const ERROR_TYPES = {
  invalid: 'validation',
  malformed: 'validation',
  unauthenticated: 'access',
  forbidden: 'access',
  not_found: 'not_found',
  method_not_allowed: 'validation',
  in_progress: 'conflict',
  key_reused: 'validation',
  conflict: 'conflict',
  stale: 'conflict',
  version_required: 'validation',
  version_malformed: 'validation',
  version_conflict: 'validation',
  version_gone: 'not_found',
  version_not_acceptable: 'validation',
  too_large: 'validation',
  header_too_large: 'validation',
  url_too_long: 'validation',
  unsupported_media_type: 'validation',
  range_unsatisfiable: 'validation',
  rate_limited: 'access',
  overloaded: 'dependency',
  position_gone: 'not_found',
  contended: 'conflict',
  storage_full: 'storage',
  read_only: 'storage',
  locked: 'storage',
  schema_newer: 'storage',
  corrupt: 'storage',
  unavailable: 'dependency',
  request_timeout: 'timeout',
  timeout: 'timeout',
  aborted: 'cancelled',
  internal: 'internal',
} as const satisfies Readonly<Record<ErrorCode, string>>;

export type ErrorType = (typeof ERROR_TYPES)[ErrorCode];

/** One broken rule: where (JSON pointer into the input), which, and what to do. */
export interface Issue {
  readonly pointer: string;
  readonly code: string;
  readonly message: string;
}

interface ErrorOptions {
  readonly cause?: unknown;
  readonly issues?: readonly Issue[];
  /** What was being done, as `noun.verb`. */
  readonly operation?: string;
  /** Facts for the caller, e.g. the current version. Never secrets or note contents. */
  readonly details?: Readonly<Record<string, unknown>>;
  readonly occurrence?: Occurrence | undefined;
}

/** Where and for whom an error came up; known to who runs the work, not to who throws. */
export interface Occurrence {
  readonly correlationId: string;
  readonly requestId: string;
  readonly ownerId: string;
  /** RFC 3339, UTC. */
  readonly timestamp: string;
}

const RETRYABLE: ReadonlySet<ErrorCode> = new Set([
  'overloaded',
  'contended',
  'unavailable',
  'timeout',
  'request_timeout',
  'locked',
  'storage_full',
  'in_progress',
  'rate_limited',
]);

/** The one error of the product. Only `code` and `type` may be branched on, never the message. */
export class BrainError extends Error {
  override readonly name = 'BrainError';
  /** No other value can have it. */
  readonly #ours = true;
  readonly code: ErrorCode;
  readonly issues: readonly Issue[];
  readonly operation: string | undefined;
  readonly details: Readonly<Record<string, unknown>>;
  readonly correlationId: string | undefined;
  readonly requestId: string | undefined;
  readonly ownerId: string | undefined;
  readonly timestamp: string | undefined;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.issues = options.issues ?? [];
    this.operation = options.operation;
    this.details = options.details ?? {};
    this.correlationId = options.occurrence?.correlationId;
    this.requestId = options.occurrence?.requestId;
    this.ownerId = options.occurrence?.ownerId;
    this.timestamp = options.occurrence?.timestamp;
  }

  get type(): ErrorType {
    return ERROR_TYPES[this.code];
  }

  /** Whether the same call may succeed later without a change by the caller. */
  get retryable(): boolean {
    return RETRYABLE.has(this.code);
  }

  /** Unlike `instanceof` it runs no code of a hostile value, such as the traps of a proxy. */
  static is(thrown: unknown): thrown is BrainError {
    return typeof thrown === 'object' && thrown !== null && #ours in thrown && thrown.#ours;
  }
}

export function isBrainError(error: unknown, code?: ErrorCode): error is BrainError {
  return BrainError.is(error) && (code === undefined || error.code === code);
}

/** Any thrown thing as a BrainError: itself, or an `internal` one with it as the cause. */
export function toBrainError(error: unknown, operation?: string): BrainError {
  if (BrainError.is(error)) return error;
  return new BrainError('internal', messageOf(error), {
    cause: error,
    ...(operation === undefined ? {} : { operation }),
  });
}

/**
 * The error as it came up in one piece of work. It is a copy: one failure of the disk is thrown to everybody whose
 * writes it took, and each has ids of their own.
 */
export function occurred(error: BrainError, occurrence: Occurrence, operation: string): BrainError {
  if (error.timestamp !== undefined) return error;
  const { code, message, cause, issues, details } = error;
  const own = new BrainError(code, message, {
    cause,
    issues,
    details,
    operation: error.operation ?? operation,
    occurrence,
  });
  if (error.stack !== undefined) own.stack = error.stack;
  return own;
}

function messageOf(error: unknown): string {
  try {
    const { message } = Object(error) as { readonly message?: unknown };
    return typeof message === 'string' ? message : String(error);
  } catch {
    return 'something was thrown that cannot be read';
  }
}

export function refuse(pointer: string, code: string, message: string): never {
  throw new BrainError('invalid', message, { issues: [{ pointer, code, message }] });
}

/** Runs a check on a part of the input, so that its issues point into that part. */
export function within<T>(pointer: string, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (!isBrainError(error, 'invalid')) throw error;
    const issues = error.issues.map((issue) => ({ ...issue, pointer: `${pointer}${issue.pointer}` }));
    throw new BrainError('invalid', error.message, { issues, cause: error });
  }
}

type Parsed<T extends Record<string, () => unknown>> = { readonly [K in keyof T]: ReturnType<T[K]> };

/**
 * Runs every check, and throws one `invalid` error that names all the broken rules, each under the field it is in.
 * Errors that are not `invalid` pass through at once.
 */
export function checkAll<T extends Record<string, () => unknown>>(checks: T): Parsed<T> {
  const values: Record<string, unknown> = {};
  const issues: Issue[] = [];
  for (const [field, check] of Object.entries(checks)) {
    try {
      values[field] = within(`/${field}`, check);
    } catch (error) {
      if (!isBrainError(error, 'invalid')) throw error;
      issues.push(...error.issues);
    }
  }
  if (issues.length > 0) {
    throw new BrainError('invalid', issues.map((i) => `${i.pointer.slice(1)}: ${i.message}`).join('; '), {
      issues,
    });
  }
  return values as Parsed<T>;
}
