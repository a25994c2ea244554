import type { FastifyReply, FastifyRequest } from 'fastify';
import { BrainError, within } from '../../domain/error.ts';
import type { Keep, ReceiptService } from '../../services/receipts.ts';
import { owner } from '../owner.ts';
import type { Cursors } from '../cursor.ts';

// What the resources of v2 have in common in reading a request and answering it.

export { owner } from '../owner.ts';
export { idOf } from '../path-id.ts';

/** A value of the query, checked by the domain; its issues point at the parameter. */
export function parsed<T>(
  name: string,
  value: string | undefined,
  parse: (text: string) => T,
): T | undefined {
  return value === undefined ? undefined : within(`/${name}`, () => parse(value));
}

/** The version in If-Match; `*` takes any. Throws `version_required`, or `malformed`. */
export function requiredVersion(request: FastifyRequest): number | undefined {
  const header = request.headers['if-match'];
  if (header === undefined) {
    throw new BrainError('version_required', 'send If-Match with the ETag of what you read, or * for any', {
      operation: 'http.precondition',
    });
  }
  return versionOf(header, 'http.precondition');
}

/** The version that an ETag names; `*` names any. Throws `malformed`. */
export function versionOf(tag: string, operation: string): number | undefined {
  if (tag.trim() === '*') return undefined;
  // What follows the version tells representations of it apart, which a change need not care about.
  const version = /^\s*"(\d{1,15})(?:-[A-Za-z0-9-]{1,80})?"\s*$/.exec(tag)?.[1];
  if (version !== undefined) return Number(version);
  throw new BrainError(
    'malformed',
    `If-Match is one strong ETag such as "3", or *; not ${tag.slice(0, 50)}`,
    { operation },
  );
}

export function etag(reply: FastifyReply, version: number | string): void {
  reply.header('etag', `"${version}"`);
}

/** The headers of an answer to what was just made. */
export function made(location: string, version: number | string) {
  return { location, etag: `"${version}"` };
}

/** Work that comes to the same however often it is done: its receipt, if one is asked for, is stored after it. */
export function afterwards<T>(
  receipts: ReceiptService,
  work: () => Promise<T>,
): (keep: Keep<T> | undefined) => Promise<T> {
  return async (keep) => {
    const result = await work();
    if (keep) await receipts.keepAfter(owner(), keep, result);
    return result;
  };
}

/** Whether the caller has this version already: then the answer is 304 without a body. */
export function isKnown(request: FastifyRequest, tag: string | number): boolean {
  const header = request.headers['if-none-match'];
  if (header === undefined) return false;
  const known = header.split(',').map((one) => one.trim().replace(/^W\//, ''));
  return known.includes('*') || known.includes(`"${tag}"`);
}

/** Answers 304, without a body; typed so that a handler of any answer may return it. */
export function notModified(reply: { code(status: number): unknown }): never {
  return (reply.code(304) as FastifyReply).send() as never;
}

/** Answers with what is JSON already; typed as `notModified` is. */
export function written(reply: { type(type: string): unknown }, json: string): never {
  return (reply.type('application/json; charset=utf-8') as FastifyReply).send(json) as never;
}

interface PageQuery {
  readonly limit?: number;
  readonly cursor?: string;
}

/** Opens the cursor of a list, and seals the next one; both are bound to the list's filter. */
export function paging(request: FastifyRequest, reply: FastifyReply, cursors: Cursors, listName: string) {
  const { limit = 50, cursor, ...filter } = request.query as PageQuery;
  const list = `${owner()} ${listName} ${JSON.stringify(Object.entries(filter).sort(([a], [b]) => (a < b ? -1 : 1)))}`;
  return {
    page: { limit, after: cursor === undefined ? undefined : cursors.open(list, cursor) },
    /** The page with its cursor sealed, and the same in a Link header. */
    seal<T>(found: { readonly items: readonly T[]; readonly next?: string | undefined }) {
      if (found.next === undefined) return found;
      const next = cursors.seal(list, found.next);
      const url = new URL(request.url, 'http://localhost');
      url.searchParams.set('cursor', next);
      reply.header('link', `<${url.pathname}${url.search}>; rel="next"`);
      return { items: found.items, next };
    },
  };
}
