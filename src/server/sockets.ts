import { STATUS_CODES, type IncomingMessage, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type RawData, type WebSocket } from 'ws';
import { CLOSE, FRAME_LIMITS, SUBPROTOCOL, type ServerFrame } from '../api/realtime.ts';
import { Allowance } from '../realtime/allowance.ts';
import type { Hub } from '../realtime/hub.ts';
import type { Session } from '../realtime/session.ts';
import type { Socket } from '../realtime/socket.ts';
import { systemClock } from '../shared/clock.ts';
import { isOriginAllowed } from './origin.ts';
import { textFrame } from './text-frame.ts';

export interface SocketsNeeds {
  readonly server: Server;
  readonly hub: Hub;
  /** Other places whose pages may connect, besides this server's own. */
  readonly origins: readonly string[];
}

const PATH = '/ws';
/** New connections: as many as come back at once after a restart, then as many a second as greeting them takes. */
const ACCEPTED = { atOnce: 2_000, aSecond: 500 };
/** Above the limit of frames, so that a frame that is too long is answered by name; far above it the socket is cut. */
const MAX_PAYLOAD_BYTES = 4 * FRAME_LIMITS.bytesIn;
/** Said to whom no session can be made for. */
const FULL = {
  action: 'bye',
  code: CLOSE.shutdown,
  reason: 'there are too many connections, or the server is stopping',
  reconnect: true,
  retryAfterMs: 1_000,
} as const satisfies ServerFrame;
/** A peer that does not answer the end is cut off. */
const CLOSE_MS = 3_000;
/** What a socket that ended without a code of its own is counted under. */
const NO_CODE = 1006;

/** WebSockets of `brain2.v1` on the server's own port, at `/ws`. Gives the way to end them all. */
export function serveSockets({ server, hub, origins }: SocketsNeeds): () => Promise<void> {
  const sockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: MAX_PAYLOAD_BYTES,
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
  });
  const accepted = new Allowance(systemClock, ACCEPTED);
  const open = new Map<WebSocket, Session>();
  // One function for all sockets, who are `this`: a closure for each would be a kilobyte of what an idle one costs.
  const onMessage = function (this: WebSocket, data: RawData, isBinary: boolean): void {
    const session = open.get(this);
    if (isBinary) session?.receiveOther('a binary frame');
    else session?.receive(textOf(data));
  };
  const onClose = function (this: WebSocket, code: number): void {
    const session = open.get(this);
    open.delete(this);
    session?.gone(code || NO_CODE);
  };
  const framed = framesOnce();
  const attach = (webSocket: WebSocket, request: IncomingMessage): void => {
    webSocket.on('error', ignore); // what was wrong with it is in the code of its close
    const session = hub.accept(new WebSocketTransport(webSocket, request.socket, framed));
    if (!session) {
      webSocket.send(JSON.stringify(FULL));
      return end(webSocket, FULL.code, FULL.reason);
    }
    open.set(webSocket, session);
    webSocket.on('message', onMessage);
    webSocket.on('close', onClose);
    if (webSocket.protocol !== SUBPROTOCOL)
      session.bye('subprotocol', `offer the subprotocol ${SUBPROTOCOL}`);
  };

  server.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    stream.on('error', destroy);
    // What cannot be parsed, such as `//`, is no path of ours; thrown here it would be caught by nobody.
    if (URL.parse(request.url ?? '/', 'http://localhost')?.pathname !== PATH) return refuse(stream, 404);
    if (!isOriginAllowed(request.headers, origins)) {
      hub.metrics.refused.add('origin');
      return refuse(stream, 403);
    }
    if (!accepted.take()) {
      hub.metrics.refused.add('rate');
      return refuse(stream, 503);
    }
    sockets.handleUpgrade(request, stream, head, attach);
  });

  return async () => {
    hub.close();
    const closed = [...open.keys()].map(
      (webSocket) => new Promise<void>((resolve) => webSocket.once('close', () => resolve())),
    );
    await Promise.all(closed);
    sockets.close();
  };
}

/**
 * Writes past `ws` to the stream beneath it: an event that goes to a hundred sockets is framed once, and each costs one
 * write of the same bytes, where `ws` makes a header for each and writes two. Nothing else of `ws` is left out, for
 * without compression it queues nothing itself, and what it writes (pongs, the close) keeps its place.
 */
class WebSocketTransport implements Socket {
  readonly #webSocket: WebSocket;
  readonly #stream: Duplex;
  readonly #framed: (payload: Uint8Array) => Buffer;

  constructor(webSocket: WebSocket, stream: Duplex, framed: (payload: Uint8Array) => Buffer) {
    this.#webSocket = webSocket;
    this.#stream = stream;
    this.#framed = framed;
  }

  get bufferedAmount(): number {
    return this.#stream.writableLength;
  }

  send(payload: Uint8Array): void {
    if (this.#webSocket.readyState === this.#webSocket.OPEN) this.#stream.write(this.#framed(payload));
  }

  close(code: number, reason: string): void {
    end(this.#webSocket, code, reason);
  }
}

/** Frames; what it is asked for again and again, as one event for many sockets is, it frames once. */
function framesOnce(): (payload: Uint8Array) => Buffer {
  let last: Uint8Array | undefined;
  let frame: Buffer = Buffer.alloc(0);
  return (payload) => {
    if (payload !== last) frame = textFrame((last = payload));
    return frame;
  };
}

function ignore(): void {}

function destroy(this: Duplex): void {
  this.destroy();
}

function end(webSocket: WebSocket, code: number, reason: string): void {
  webSocket.close(code, reason);
  const timer = setTimeout(() => webSocket.terminate(), CLOSE_MS);
  webSocket.once('close', () => clearTimeout(timer));
}

function textOf(data: RawData): string {
  return Array.isArray(data) ? Buffer.concat(data).toString() : Buffer.from(data as Buffer).toString();
}

/** Answers an upgrade that does not come about. */
function refuse(stream: Duplex, status: 403 | 404 | 503): void {
  const retry = status === 503 ? 'Retry-After: 1\r\n' : '';
  stream.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${retry}Content-Length: 0\r\nConnection: close\r\n\r\n`,
  );
}
