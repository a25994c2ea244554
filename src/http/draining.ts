import { Server as NetServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';

/** No answer for so long: whoever was busy has had one that ended the connection. */
const QUIET_MS = 50;
const LONGEST_MS = 1_000;

declare module 'fastify' {
  interface FastifyInstance {
    /** To be awaited before `close`: takes no new connections, and resolves when those that are there have ended. */
    drain(): Promise<void>;
  }
}

/**
 * A kept connection that is closed while the next request is on its way fails that request, and its sender cannot know
 * whether it was done. So first nobody new is taken, while those who are there still have their connections; then each
 * is told by the answer that it carries (RFC 9112, 9.6), and only who was quiet is closed.
 */
export function useDraining(app: FastifyInstance): void {
  let isDraining = false;
  let answered = 0;
  app.addHook('onSend', (_request, reply, _payload, done) => {
    answered += 1;
    if (isDraining) reply.header('connection', 'close');
    done();
  });
  app.decorate('drain', async () => {
    const { server } = app;
    if (!server.listening) return;
    isDraining = true;
    // Not the server's own, which closes at once who has no request under way.
    const closed = new Promise((resolve) => NetServer.prototype.close.call(server, resolve));
    const end = performance.now() + LONGEST_MS;
    for (let before = -1; before !== answered && performance.now() < end;) {
      before = answered;
      await delay(QUIET_MS);
    }
    server.closeIdleConnections();
    await closed;
  });
}
