import type { FastifyReply, FastifyRequest } from 'fastify';

/** A body above this is not worth its way here. */
const MOST_BYTES = 64 * 1024 * 1024;
const MOST_MS = 15_000;

/**
 * Sends a refusal so that it arrives where its request has a body that was not read. That body comes in all the same,
 * and is thrown away: who writes all of it before they read, as `fetch` does, would else find a broken connection in the
 * place of the answer. Who keeps the connection is answered at once, who does not after their body.
 */
export function afterBody({ raw }: FastifyRequest, reply: FastifyReply, send: () => void): void {
  const isShort = Number(raw.headers['content-length']) <= MOST_BYTES; // not where it is not said
  if (raw.complete || raw.destroyed || !isShort) return send();
  const late = setTimeout(() => raw.destroy(), MOST_MS).unref();
  if (reply.raw.shouldKeepAlive) {
    raw.once('close', () => clearTimeout(late));
    reply.removeHeader('connection'); // which the framework has set
    return send(); // then Node reads what is left
  }
  raw.once('close', () => {
    clearTimeout(late);
    send();
  });
  raw.resume();
}
