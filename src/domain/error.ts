/**
 * Every way in which Brain2 refuses or fails, below HTTP. A closed union: `http/errors.ts` gives each one status,
 * `docs/errors.md` describes each, and a test holds the three equal.
 */
export const ERROR_CODES = [
  'invalid', // well-formed but against a rule; `issues` names each place
  'malformed', // not parsable at all: JSON, a cursor, an id, a version
  'not_found', // also for what belongs to another owner
  'method_not_allowed',
  'conflict', // it exists already, or its state does not allow this
  'stale', // the version given is not the current one
  'version_required', // a change without If-Match
  'version_malformed', // a version of the API that cannot be read
  'version_conflict', // the path asks for one version of the API, Accept for another
  'version_gone', // a version of the API that is not served, or no longer
  'version_not_acceptable', // Accept names only versions of the API that do not exist yet
  'too_large', // a body, a note, a transaction above its limit
  'unsupported_media_type',
  'position_gone', // a position in the log that is of another epoch, or trimmed
  'contended', // other writers kept winning; nothing was written; try again
  'storage_full', // nothing was written; reads still work
  'read_only', // the data folder cannot be written
  'locked', // another process holds the data folder
  'schema_newer', // the database was written by a newer Brain2
  'corrupt', // stored bytes are not what was written
  'unavailable', // a dependency did not answer; try again
  'timeout',
  'aborted', // the caller went away, or the process is stopping
  'internal', // a bug
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

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
}

const RETRYABLE: ReadonlySet<ErrorCode> = new Set([
  'contended',
  'unavailable',
  'timeout',
  'locked',
  'storage_full',
]);

/** The one error of the product. Only `code` may be branched on, never the message. */
export class BrainError extends Error {
  override readonly name = 'BrainError';
  readonly code: ErrorCode;
  readonly issues: readonly Issue[];
  readonly operation: string | undefined;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.issues = options.issues ?? [];
    this.operation = options.operation;
    this.details = options.details ?? {};
  }

  /** Whether the same call may succeed later without a change by the caller. */
  get retryable(): boolean {
    return RETRYABLE.has(this.code);
  }
}

export function isBrainError(error: unknown, code?: ErrorCode): error is BrainError {
  return error instanceof BrainError && (code === undefined || error.code === code);
}

/** Any thrown thing as a BrainError: itself, or an `internal` one with it as the cause. */
export function toBrainError(error: unknown, operation?: string): BrainError {
  if (error instanceof BrainError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new BrainError('internal', message, {
    cause: error,
    ...(operation === undefined ? {} : { operation }),
  });
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
