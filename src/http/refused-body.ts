import type { FastifyReply, FastifyRequest } from 'fastify';

/** A body above this is not worth its way here. */
const MOST_BYTES = 64 * 1024 * 1024;
const MOST_MS = 15_000;

/**
 * Has a body that was refused by its length come in all the same, and thrown away. Fastify would end the connection, and
 * who writes all of a body before they read, as `fetch` does, would find it broken in the place of the answer.
 */
export function throwAway({ raw }: FastifyRequest, reply: FastifyReply): void {
  const bytes = Number(raw.headers['content-length']);
  if (!(bytes <= MOST_BYTES)) return; // also where it is not said
  reply.removeHeader('connection');
  const timer = setTimeout(() => raw.destroy(), MOST_MS).unref();
  raw.once('close', () => clearTimeout(timer));
}
