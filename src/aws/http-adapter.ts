import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { FastifyInstance } from 'fastify';
import { BrainError } from '../domain/error.ts';
import { presentProblem } from '../http/errors.ts';
import type { HttpAnswer, HttpEvent } from './events.ts';

const gzipped = promisify(gzip);

/** Lambda's own limit of an answer is 6 MB of JSON around it. */
const ANSWER_BYTES = 5_500_000;
/** Above it an answer is compressed for those who take that: in Base64 it may still be a third longer. */
const COMPRESSED_BYTES = 1_000_000;
/** As text; everything else goes in Base64. */
const TEXT = /^text\/|[/+](json|x-ndjson|xml|javascript)\b|^image\/svg/;

/** Carries a request of API Gateway (payload format 2.0) to the application, and the answer back. */
export async function answerEvent(app: FastifyInstance, event: HttpEvent): Promise<HttpAnswer> {
  const { requestContext, rawQueryString, body, isBase64Encoded, cookies } = event;
  const { method, sourceIp } = requestContext.http;
  const headers = Object.fromEntries(
    Object.entries(event.headers).filter(([name]) => name.toLowerCase() !== 'content-length'),
  );
  if (cookies && cookies.length > 0) headers['cookie'] = cookies.join('; ');
  const path = pathOf(event);
  const answer = await app.inject({
    method: method as 'GET',
    url: path + (rawQueryString === '' ? '' : `?${rawQueryString}`),
    headers: withoutUndefined(headers),
    remoteAddress: sourceIp,
    ...(body !== undefined && { payload: isBase64Encoded ? Buffer.from(body, 'base64') : body }),
  });
  return toAnswer(
    { status: answer.statusCode, headers: answer.headers, body: answer.rawPayload },
    { path, acceptEncoding: headers['accept-encoding'] ?? '' },
  );
}

/** Without the stage, which stands before the path unless it is `$default`. */
function pathOf({ rawPath, requestContext: { stage } }: HttpEvent): string {
  const prefix = `/${stage}`;
  if (rawPath === prefix) return '/';
  return rawPath.startsWith(`${prefix}/`) ? rawPath.slice(prefix.length) : rawPath;
}

interface Given {
  readonly status: number;
  readonly headers: Readonly<Record<string, number | string | readonly string[] | undefined>>;
  readonly body: Buffer;
}

async function toAnswer(
  given: Given,
  { path, acceptEncoding }: { readonly path: string; readonly acceptEncoding: string },
): Promise<HttpAnswer> {
  const { status, body } = given;
  const { 'set-cookie': setCookie, ...fields } = given.headers;
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(fields))
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : String(value);
  const cookies = setCookie === undefined ? {} : { cookies: [setCookie].flat().map(String) };
  delete headers['content-length']; // the gateway counts for itself
  const about = { statusCode: status, ...cookies };
  if (body.length > COMPRESSED_BYTES && /\bgzip\b/.test(acceptEncoding)) {
    const packed = (await gzipped(body)).toString('base64');
    if (packed.length > ANSWER_BYTES) return tooLarge(headers, path);
    const vary = headers['vary'] === undefined ? 'accept-encoding' : `${headers['vary']}, accept-encoding`;
    return {
      ...about,
      headers: { ...headers, 'content-encoding': 'gzip', vary },
      body: packed,
      isBase64Encoded: true,
    };
  }
  const isText = body.length === 0 || TEXT.test(headers['content-type'] ?? '');
  const text = body.toString(isText ? 'utf8' : 'base64');
  if (Buffer.byteLength(text) > ANSWER_BYTES) return tooLarge(headers, path);
  return { ...about, headers, body: text, isBase64Encoded: !isText };
}

function tooLarge(headers: Readonly<Record<string, string>>, path: string): HttpAnswer {
  const { 'x-correlation-id': correlationId = '-', 'x-request-id': requestId = '-' } = headers;
  const message = 'the answer is larger than a function may send: ask for gzip, or for less';
  const occurrence = { correlationId, requestId, ownerId: '-', timestamp: new Date().toISOString() };
  const problem = presentProblem(
    new BrainError('too_large', message, { operation: 'aws.answer', occurrence }),
    path,
  );
  return {
    statusCode: problem.status,
    headers: { ...headers, 'content-type': 'application/problem+json' },
    body: JSON.stringify(problem),
    isBase64Encoded: false,
  };
}

function withoutUndefined(headers: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
