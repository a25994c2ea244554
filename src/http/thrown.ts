import { BrainError, toBrainError, type ErrorCode, type Issue } from '../domain/error.ts';
import { read } from '../shared/describe-error.ts';
import { issuesOfValidation, type SchemaError } from './validation.ts';

/** What the web framework and the platform throw by themselves, in our codes. */
const KNOWN: ReadonlyMap<unknown, ErrorCode> = new Map([
  ['FST_ERR_CTP_INVALID_MEDIA_TYPE', 'unsupported_media_type'],
  ['FST_ERR_CTP_BODY_TOO_LARGE', 'too_large'],
  ['FST_ERR_CTP_EMPTY_JSON_BODY', 'malformed'],
  ['FST_ERR_CTP_INVALID_JSON_BODY', 'malformed'],
  ['FST_ERR_CTP_INVALID_CONTENT_LENGTH', 'malformed'],
  ['FST_ERR_BAD_URL', 'malformed'],
  ['FST_ERR_MAX_PARAM_LENGTH', 'not_found'],
  ['WORKERS_BUSY', 'overloaded'],
  ['WORKERS_ENDED', 'unavailable'],
]);

/** Where its own words do not say what to do. */
const SAYS: ReadonlyMap<unknown, string> = new Map([
  [
    'FST_ERR_CTP_INVALID_MEDIA_TYPE',
    'a body of this Content-Type is not taken here; JSON is sent as application/json',
  ],
  [
    'FST_ERR_CTP_BODY_TOO_LARGE',
    'a body has at most 1 MB, and 10 MB where it is a bulk, or an import as JSON',
  ],
]);

/** Anything that was thrown, also what cannot be read without throwing, as one of our errors. */
export function brainErrorOf(thrown: unknown): BrainError {
  if (BrainError.is(thrown)) return thrown;
  const validation = read(thrown, 'validation');
  if (Array.isArray(validation)) {
    return ofValidation(validation as SchemaError[], read(thrown, 'validationContext') ?? 'body');
  }
  const code = read(thrown, 'code');
  const known = KNOWN.get(code);
  if (known) return ofPlatform(known, SAYS.get(code) ?? String(read(thrown, 'message')), thrown);
  if (code === 'ECONNRESET' && read(thrown, 'statusCode') === 400)
    return ofPlatform('aborted', 'the caller went away', thrown);
  if (read(thrown, 'name') === 'TimeoutError')
    return ofPlatform('timeout', 'it was not done within its time', thrown);
  if (read(thrown, 'name') === 'AbortError') return ofPlatform('aborted', 'it was given up', thrown);
  return toBrainError(thrown);
}

const ofPlatform = (code: ErrorCode, message: string, cause: unknown): BrainError =>
  new BrainError(code, message, { cause, operation: 'http.request' });

const NO_BODY: Issue = { pointer: '', code: 'required', message: 'a body is required' };

const isMissing = (errors: readonly SchemaError[]): boolean =>
  errors.some(
    ({ instancePath, keyword, data }) => instancePath === '' && keyword === 'type' && data === null,
  );

function ofValidation(errors: readonly SchemaError[], part: unknown): BrainError {
  const issues = part === 'body' && isMissing(errors) ? [NO_BODY] : issuesOfValidation(errors);
  // A path that names no possible id names nothing that is there.
  if (part === 'params') return new BrainError('not_found', 'there is nothing of that id', { issues });
  const message = issues.map((issue) => issue.message).join('; ');
  return new BrainError('invalid', message, { issues, operation: `http.${String(part)}` });
}
