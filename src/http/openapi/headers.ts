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
};

const ANSWERS: Readonly<Record<AnswerHeader, readonly string[]>> = {
  etag: ['ETag'],
  location: ['Location'],
  link: ['Link'],
  deprecation: ['Deprecation', 'Sunset', 'Link'],
};

const ALWAYS = ['X-Correlation-ID', 'X-Request-ID', 'API-Version', 'Vary'];
/** Not in every answer that may have them: a last page has no link, a request for no version none of a version. */
const SOMETIMES: ReadonlySet<string> = new Set(['Link', 'Vary', 'Deprecation', 'Sunset']);

export const headerComponents: JsonObject = Object.fromEntries(
  Object.entries(HEADERS).map(([name, { description, schema }]) => [
    name,
    { description, required: !SOMETIMES.has(name), schema },
  ]),
);

/** The headers of one answer, by reference. */
export function headersOf(extra: readonly AnswerHeader[], status: number): JsonObject {
  const names = [
    ...ALWAYS,
    ...extra.flatMap((name) => ANSWERS[name]),
    ...(status === 503 ? ['Retry-After'] : []),
  ];
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
};

const REQUESTS: Readonly<Record<RequestHeader, string>> = {
  'if-match': 'IfMatch',
  'if-none-match': 'IfNoneMatch',
};

/** The header parameters of an operation, by reference. */
export const headerParameters = (takes: readonly RequestHeader[]): readonly JsonObject[] =>
  [...takes.map((name) => REQUESTS[name]), 'CorrelationId'].map((name) => ({
    $ref: `#/components/parameters/${name}`,
  }));
