import type { FastifyRequest } from 'fastify';

interface ByteRange {
  readonly start: number;
  /** The first byte that is not wanted any more. */
  readonly end: number;
}

const RANGE = /^bytes=(\d{0,15})-(\d{0,15})$/;

/**
 * The one range that the request asks for (RFC 9110, 14.2); undefined where the whole is to be sent: it asks for none,
 * for several, in other units, `If-Range` names another version, or it is no GET.
 */
export function byteRange(
  request: FastifyRequest,
  size: number,
  tag: string,
): ByteRange | 'unsatisfiable' | undefined {
  const { range, 'if-range': ifRange } = request.headers;
  const [, first = '', last = ''] = RANGE.exec(range ?? '') ?? [];
  if (request.method !== 'GET' || (first === '' && last === '') || (ifRange !== undefined && ifRange !== tag))
    return undefined;
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === '' || last === '' ? size : Math.min(size, Number(last) + 1);
  if (first !== '' && last !== '' && Number(last) < Number(first)) return undefined;
  return start >= end ? 'unsatisfiable' : { start, end };
}
