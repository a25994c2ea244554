import type { JsonObject } from './json.ts';
import type { AnswerHeader, RequestHeader } from './operation.ts';

/** Every header that an answer may have, described once. */
const HEADERS: Readonly<Record<string, { readonly description: string; readonly schema: JsonObject }>> = {
  'X-Correlation-ID': {
    description:
      'The correlation id of the request, or one that was made for it; it stands in the log as well.',
    schema: { type: 'string', pattern: '^[A-Za-z0-9._:-]{1,128}$', maxLength: 128 },
  },
  'X-Request-ID': {
    description: 'The id of this request.',
    schema: { type: 'string', format: 'uuid', maxLength: 36 },
  },
  'API-Version': {
    description: 'The version that answered.',
    schema: { type: 'string', pattern: '^[1-9][0-9]*$', maxLength: 4 },
  },
  ETag: {
    description: 'The strong tag of this version of the resource, for If-Match and If-None-Match.',
    schema: { type: 'string', pattern: '^"[A-Za-z0-9-]+"$', maxLength: 100 },
  },
  Location: {
    description: 'Where the new resource is.',
    schema: { type: 'string', format: 'uri-reference', maxLength: 200 },
  },
  Link: {
    description:
      'The next page of a list, as `rel="next"`; of a deprecated version its guide, as `rel="deprecation"`, and what replaces the operation, as `rel="successor-version"`.',
    schema: { type: 'string', maxLength: 8000 },
  },
  Deprecation: {
    description: 'Since when this version is deprecated, in seconds (RFC 9745).',
    schema: { type: 'string', pattern: '^@[0-9]+$', maxLength: 20 },
  },
  Sunset: {
    description: 'When this version may go, as an HTTP date (RFC 8594).',
    schema: { type: 'string', maxLength: 40 },
  },
  Vary: {
    description: 'The request headers that choose the representation.',
    schema: { type: 'string', maxLength: 200 },
  },
  'Retry-After': {
    description: 'Seconds after which to try again.',
    schema: { type: 'string', pattern: '^[0-9]+$', maxLength: 10 },
  },
  RateLimit: {
    description:
      'Of each policy that counted the request, how many more are possible now (`r`) and in how many seconds one more will be (`t`); absent where nothing is counted.',
    schema: { type: 'string', maxLength: 200 },
  },
  'RateLimit-Policy': {
    description: 'Each policy that counted the request: so many requests (`q`) in so many seconds (`w`).',
    schema: { type: 'string', maxLength: 200 },
  },
  'WWW-Authenticate': {
    description: 'How to say who calls, and what was wrong with what was sent (RFC 6750).',
    schema: { type: 'string', maxLength: 200 },
  },
  'Idempotency-Replayed': {
    description: 'The answer is the one that the first request of this Idempotency-Key got.',
    schema: { type: 'string', const: 'true' },
  },
};

const ANSWERS: Readonly<Record<AnswerHeader, readonly string[]>> = {
  etag: ['ETag'],
  location: ['Location'],
  link: ['Link'],
  deprecation: ['Deprecation', 'Sunset', 'Link'],
  limits: ['RateLimit', 'RateLimit-Policy'],
  replayed: ['Idempotency-Replayed'],
};

/** Of refusals, by their status. */
const REFUSALS: Readonly<Record<number, readonly string[]>> = {
  401: ['WWW-Authenticate'],
  403: ['WWW-Authenticate'],
  429: ['Retry-After'],
  503: ['Retry-After'],
};

/** Of a response that one code of several sends it with. */
export const RETRY_AT_TIMES: JsonObject = {
  description: 'Seconds after which to try again, where that alone may help.',
  required: false,
  schema: { type: 'string', pattern: '^[0-9]+$', maxLength: 10 },
};

const ALWAYS = ['X-Correlation-ID', 'X-Request-ID', 'API-Version', 'Vary'];
/** Not in every answer that may have them: a last page has no link, a request for no version none of a version. */
const SOMETIMES: ReadonlySet<string> = new Set([
  'Link',
  'Vary',
  'Deprecation',
  'Sunset',
  'RateLimit',
  'RateLimit-Policy',
  'WWW-Authenticate',
  'Idempotency-Replayed',
]);

export const headerComponents: JsonObject = Object.fromEntries(
  Object.entries(HEADERS).map(([name, { description, schema }]) => [
    name,
    { description, required: !SOMETIMES.has(name), schema },
  ]),
);

/** The headers of one answer, by reference. */
export function headersOf(extra: readonly AnswerHeader[], status: number): JsonObject {
  const sent = extra.filter((name) => name !== 'location' || status !== 200); // of what was made, or is to be
  const names = [...ALWAYS, ...sent.flatMap((name) => ANSWERS[name]), ...(REFUSALS[status] ?? [])];
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

export const parameterComponents: JsonObject = {
  CorrelationId: {
    name: 'X-Correlation-ID',
    in: 'header',
    description:
      'An id of the caller’s own, which then stands in the answer, the log and every event; one of another form is replaced.',
    schema: { type: 'string', maxLength: 128 },
    example: 'import-2026-01-05',
  },
  IfMatch: {
    name: 'If-Match',
    in: 'header',
    // Its absence is an answer of its own (428), so generated clients must be able to leave it out.
    description: 'Required: the ETag of what was read, or `*` to change whatever is there.',
    schema: { type: 'string', maxLength: 100 },
    example: '"1"',
  },
  IfNoneMatch: {
    name: 'If-None-Match',
    in: 'header',
    description:
      'ETags that the caller has: if the resource is still one of them, the answer is 304 without a body.',
    schema: { type: 'string', maxLength: 1000 },
    example: '"1"',
  },
  LastEventId: {
    name: 'Last-Event-ID',
    in: 'header',
    description:
      'The `id` of the last event that was heard, which a browser sends by itself when it comes again.',
    schema: { type: 'string', maxLength: 100 },
    example: '0190a7c4-5b3e-7c2a-9f10-000000000001-42',
  },
  IdempotencyKey: {
    name: 'Idempotency-Key',
    in: 'header',
    description:
      'A new word of the caller’s own for each thing to be done: the same request with it, sent again within 24 hours, is not done again but answered as before. 1 to 255 printable characters, as they are or between double quotes.',
    schema: { type: 'string', minLength: 1, maxLength: 257 },
    example: '"3f0c7a52-note"',
  },
};

const REQUESTS: Readonly<Record<RequestHeader, string>> = {
  'if-match': 'IfMatch',
  'if-none-match': 'IfNoneMatch',
  'idempotency-key': 'IdempotencyKey',
  'last-event-id': 'LastEventId',
};

/** The header parameters of an operation, by reference. */
export const headerParameters = (takes: readonly RequestHeader[]): readonly JsonObject[] =>
  [...takes.map((name) => REQUESTS[name]), 'CorrelationId'].map((name) => ({
    $ref: `#/components/parameters/${name}`,
  }));
