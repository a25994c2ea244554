import { Server as NetServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';

/** No answer for so long: whoever was busy has had one that ended the connection. */
const QUIET_MS = 50;
const LONGEST_MS = 1_000;
/** Who takes nothing of an answer for so long is cut off: that answer might never end. */
const STALLED_MS = 30_000;

declare module 'fastify' {
  interface FastifyInstance {
    /** To be awaited before `close`: takes no new connections, and resolves when those that are there have ended. */
    drain(): Promise<void>;
  }
}

/**
 * A kept connection that is closed while the next request is on its way fails that request, and its sender cannot know
 * whether it was done. So first nobody new is taken, while those who are there still have their connections; then each
 * is told by the answer that it carries (RFC 9112, 9.6), and only who was quiet is closed. An answer under way is waited
 * for as long as it is taken.
 */
export function useDraining(app: FastifyInstance, stalledMs = STALLED_MS): void {
  let isDraining = false;
  let answered = 0;
  const sockets = new Set<Socket>();
  app.server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
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
    const stopLooking = cutOffStalled(sockets, stalledMs);
    await closed;
    stopLooking();
  });
}

/** Looks now and then whether more was sent of what waits to be; returns the way to stop. */
function cutOffStalled(sockets: ReadonlySet<Socket>, stalledMs: number): () => void {
  const sent = new Map<Socket, number>();
  const timer = setInterval(() => {
    for (const socket of sockets) {
      const { bytesWritten, writableLength } = socket;
      const wasSent = bytesWritten - writableLength; // what waits is counted as written
      if (writableLength > 0 && sent.get(socket) === wasSent) socket.destroy();
      sent.set(socket, wasSent);
    }
  }, stalledMs);
  return () => clearInterval(timer);
}
