import type { FastifyReply } from 'fastify';

/** Says that the answer depends on this header of the request, beside those that were said before. */
export function varyBy(reply: FastifyReply, header: string): void {
  const before = reply.getHeader('vary');
  const known = before === undefined ? [] : String(before).split(/\s*,\s*/);
  if (!known.includes(header)) reply.header('vary', [...known, header].join(', '));
}
