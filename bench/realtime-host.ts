// One server of the real-time bench: node bench/realtime-host.ts brain2|ws|socket.io FOLDER [PORT]
// Takes commands as lines of JSON on stdin and answers each with a line on stdout.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { Server as SocketIo } from 'socket.io';
import { WebSocketServer, type WebSocket } from 'ws';
import { createNode, updateNode } from '../src/domain/node.ts';
import { instant, nodeId, ownerId } from '../src/domain/values.ts';
import { Hub } from '../src/realtime/hub.ts';
import { serveSockets } from '../src/server/sockets.ts';
import { uuidv7Generator } from '../src/shared/uuid.ts';
import { SqliteTable } from '../src/storage/embedded/sqlite-table.ts';
import { Store } from '../src/storage/store.ts';

/** What each kind of server can be told. */
interface Host {
  publish(room: string, text: string, padding: string): Promise<void>;
  cut(): void;
}

export type Command =
  | {
      readonly do: 'publish';
      readonly rooms: readonly string[];
      readonly perSecond: number;
      readonly count: number;
      /** Added to each event. */
      readonly bytes?: number;
    }
  | { readonly do: 'cut' | 'memory' | 'cpu' };

const [, , kind = 'brain2', folder = '.', port = '0'] = process.argv;
const http = createServer();
const host: Host = { brain2, ws, 'socket.io': socketIo }[kind]!();

function brain2(): Host {
  const newId = uuidv7Generator(Date.now);
  const table = new SqliteTable({ path: join(folder, 'bench.sqlite') });
  const store = new Store({
    table,
    now: () => instant(Date.now()),
    newEpoch: newId,
    correlationId: () => 'bench',
  });
  const hub = new Hub({
    log: store,
    newId,
    authenticate: async (token) => ({ owner: ownerId(token ?? ''), scopes: ['read'] }),
    limits: { connectionsOfOwner: 10_000 },
  });
  serveSockets({ server: http, hub, origins: [] });
  const streams = new Set<{ destroy(): void }>();
  http.on('upgrade', (_request, stream) => {
    streams.add(stream);
    stream.once('close', () => streams.delete(stream));
  });
  const notes = new Map<string, ReturnType<typeof nodeId>>();
  return {
    publish: (room, title, padding) =>
      store.write(ownerId(room), async (tx) => {
        const known = notes.get(room);
        const id = known ?? nodeId(newId());
        notes.set(room, id);
        const made = { id, owner: tx.owner, now: tx.now };
        tx.nodes.apply(
          known
            ? updateNode(await tx.nodes.get(id), { title, content: padding && `${padding} ${title}` }, tx.now)
            : createNode({ title }, made),
        );
      }),
    cut: () => streams.forEach((stream) => stream.destroy()),
  };
}

/** An event as a peer sends it: with the members, and so the bytes, of one of Brain2's. */
const eventOf = (seq: number, title: string, content: string) => ({
  action: 'event',
  prev: seq - 1,
  type: 'node.updated',
  nodeId: '0190a7c4-5b3e-7000-8100-000000000001',
  data: { changes: { title, content } },
  version: seq,
  timestamp: new Date().toISOString(),
  seq,
  epoch: '0190a7c4-5b3e-7000-8100-000000000002',
  correlationId: 'bench',
});

/** The floor: a socket, a room, one JSON text sent to each. */
function ws(): Host {
  const rooms = new Map<string, Set<WebSocket>>();
  const server = new WebSocketServer({ server: http, path: '/ws', perMessageDeflate: false });
  server.on('connection', (socket) => {
    socket.once('message', (data) => {
      const room = (data as Buffer).toString();
      rooms.set(room, (rooms.get(room) ?? new Set()).add(socket));
      socket.on('close', () => rooms.get(room)?.delete(socket));
      socket.send('{"action":"welcome"}');
    });
  });
  let seq = 0;
  return {
    async publish(room, title, content) {
      const text = JSON.stringify(eventOf(++seq, title, content));
      for (const socket of rooms.get(room) ?? []) socket.send(text);
    },
    cut: () => server.clients.forEach((socket) => socket.terminate()),
  };
}

function socketIo(): Host {
  const server = new SocketIo(http, {
    transports: ['websocket'],
    connectionStateRecovery: { maxDisconnectionDuration: 120_000, skipMiddlewares: true },
  });
  server.on('connection', (socket) => {
    socket.on('join', async (room: string) => {
      await socket.join(room);
      socket.emit('welcome');
    });
  });
  const seqs = new Map<string, number>();
  return {
    async publish(room, title, content) {
      const seq = (seqs.get(room) ?? 0) + 1;
      seqs.set(room, seq);
      server.to(room).emit('event', eventOf(seq, title, content));
    },
    cut: () => server.sockets.sockets.forEach((socket) => socket.conn.close()),
  };
}

/** Now, on a clock that two processes share. */
const now = (): number => performance.timeOrigin + performance.now();

/** Bytes. `queued` is what may wait for readers: the heap with its buffers, without SQLite's cache of pages. */
function memory() {
  const { rss, heapUsed: heap, external } = process.memoryUsage();
  return { rss, heap, queued: heap + external };
}

async function run(command: Command): Promise<object> {
  switch (command.do) {
    case 'publish': {
      const { rooms, perSecond, count, bytes = 0 } = command;
      const padding = 'x'.repeat(bytes);
      const start = performance.now();
      for (let at = 0; at < count; at++) {
        const due = start + (at * 1_000) / perSecond;
        const leftMs = due - performance.now();
        if (leftMs > 1) await delay(leftMs);
        await Promise.all(rooms.map((room) => host.publish(room, String(now()), padding)));
      }
      return {};
    }
    case 'cut':
      host.cut();
      return {};
    case 'memory':
      for (let pass = 0; pass < 3; pass++) {
        global.gc?.();
        await delay(100);
      }
      return memory();
    case 'cpu': {
      const { user, system } = process.cpuUsage();
      return { cpuMs: (user + system) / 1_000 };
    }
  }
}

http.listen(Number(port), '127.0.0.1');
await once(http, 'listening');
console.log(JSON.stringify({ url: `http://127.0.0.1:${(http.address() as AddressInfo).port}` }));
for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await run(JSON.parse(line) as Command)));
}
process.exit();
