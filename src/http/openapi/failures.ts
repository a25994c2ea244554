import { STATUS_CODES } from 'node:http';
import { ERROR_CODES, type ErrorCode } from '../../domain/error.ts';
import { PROBLEMS } from '../errors.ts';
import type { Example } from './example.ts';
import { headersOf, RETRY_AT_TIMES } from './headers.ts';
import type { Json, JsonObject } from './json.ts';
import type { AnswerHeader, DescribedRoute } from './operation.ts';

/** What any operation may answer, whatever it does. */
const ALWAYS: readonly ErrorCode[] = [
  'malformed',
  'version_malformed',
  'version_conflict',
  'invalid',
  'url_too_long',
];
/** What whoever asks who calls may answer, and who counts the calls. */
const CLOSED: readonly ErrorCode[] = ['unauthenticated', 'forbidden', 'rate_limited'];
/** Of these every operation names all: they are told apart by what the server is like, not by what was asked. */
const OF_THE_SERVER = [500, 503];

/** A group of codes that share a status, as one response of the document. */
export interface Failure {
  readonly status: number;
  readonly codes: readonly ErrorCode[];
  /** Its name among the components. */
  readonly name: string;
}

/** How a version words its failures. */
export interface FailureBody {
  readonly statusOf: (code: ErrorCode) => number;
  readonly content: (codes: readonly ErrorCode[], examples: JsonObject) => JsonObject;
  /** For a code that no example was answered with. */
  readonly example: (code: ErrorCode) => Json;
  /** The code of a recorded answer. */
  readonly codeOf: (value: Json) => Json | undefined;
}

/** Every way in which a route may fail, by status. */
export function failuresOf(
  { method, url, access, schema }: DescribedRoute,
  { statusOf }: FailureBody,
): readonly Failure[] {
  const reads = method === 'GET';
  const declared = Object.keys(schema.response ?? {}).map(Number);
  const codes = new Set<ErrorCode>([
    ...ALWAYS,
    ...ERROR_CODES.filter((code) => OF_THE_SERVER.includes(PROBLEMS[code].status)),
    ...(access === 'open' ? [] : CLOSED),
    ...(url.includes(':') ? (['not_found'] as const) : []),
    ...(reads ? [] : (['too_large', 'unsupported_media_type', 'storage_full'] as const)),
    ...(schema.takes?.includes('if-match') ? (['stale', 'version_required'] as const) : []),
    ...(schema.takes?.includes('idempotency-key') ? (['in_progress', 'key_reused'] as const) : []),
    ...(declared.includes(409) ? (['conflict', 'stale'] as const) : []),
    ...(schema.fails ?? []),
  ]);
  const statuses = new Set([...codes].map(statusOf));
  return [...statuses]
    .sort((a, b) => a - b)
    .map((status) => {
      const those = ERROR_CODES.filter((code) => codes.has(code) && statusOf(code) === status);
      return { status, codes: those, name: nameOf(status, those) };
    });
}

const NAMED_TOGETHER = 2;

function nameOf(status: number, codes: readonly ErrorCode[]): string {
  if (codes.length > NAMED_TOGETHER) return (STATUS_CODES[status] ?? '').replaceAll(' ', '');
  return codes
    .map((code) => code.replace(/(?:^|_)(.)/g, (_, letter: string) => letter.toUpperCase()))
    .join('Or');
}

interface FailureNeeds {
  readonly body: FailureBody;
  readonly recorded: readonly Example[];
  readonly sends: readonly AnswerHeader[];
}

/** The response component of a failure: each code by name, with what the page of errors calls it. */
export function failureResponse(
  { status, codes }: Failure,
  { body, recorded, sends }: FailureNeeds,
): JsonObject {
  const failed = recorded.filter(({ answer }) => answer.status === status);
  const examples = codes.map((code) => {
    const real = failed.find(({ answer }) => body.codeOf(answer.value ?? null) === code)?.answer.value;
    return [code, { summary: PROBLEMS[code].title, value: real ?? body.example(code) }];
  });
  return {
    description: codes.map((code) => `\`${code}\`: ${PROBLEMS[code].title}.`).join(' '),
    headers: {
      ...headersOf(sends, status),
      ...(codes.includes('in_progress') && { 'Retry-After': RETRY_AT_TIMES }),
    },
    content: body.content(codes, Object.fromEntries(examples) as JsonObject),
  };
}
