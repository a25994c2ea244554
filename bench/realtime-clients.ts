// The readers of the real-time bench, in a process of their own: node bench/realtime-clients.ts KIND URL COUNT ROOMS
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { io, type Socket } from 'socket.io-client';
import { WebSocket } from 'ws';

export type Command =
  | { readonly do: 'connect' | 'reset' | 'wake' }
  /** The first so many read nothing from now on. */
  | { readonly do: 'stall'; readonly readers: number }
  /** So many connections are made, greeted and closed. */
  | { readonly do: 'cycle'; readonly count: number }
  | { readonly do: 'wait'; readonly events: number; readonly forMs: number };

/** What one reader was given since the last reset. */
interface Reader {
  /** Throws when the server does not greet it. */
  connect(): Promise<void>;
  /** The socket of its connection. */
  socket: WebSocket | undefined;
  /** Reads nothing, or did since the last reset: its latencies are not counted, and it comes back when it is cut. */
  isStalled: boolean;
  count: number;
  frames: number;
  last: number;
  doubled: number;
  disordered: number;
}

const [, , kind = 'brain2', url = '', count = '1', rooms = '1'] = process.argv;
let latencies: number[] = [];
const now = (): number => performance.timeOrigin + performance.now();

interface Event {
  readonly seq: number;
  readonly data: {
    readonly changes?: { readonly title: string };
    readonly node?: { readonly title: string };
  };
}

function take(reader: Reader, { seq, data }: Event): void {
  if (seq === reader.last) reader.doubled += 1;
  else if (seq < reader.last) reader.disordered += 1;
  reader.last = Math.max(seq, reader.last);
  reader.count += 1;
  if (!reader.isStalled) latencies.push(now() - Number(data.changes?.title ?? data.node?.title));
}

/** Until the server takes it again. */
async function comeBack(reader: Reader): Promise<void> {
  try {
    await reader.connect();
  } catch {
    await delay(200);
    await comeBack(reader);
  }
}

const blank = () => ({
  socket: undefined,
  isStalled: false,
  count: 0,
  frames: 0,
  last: 0,
  doubled: 0,
  disordered: 0,
});
const socketUrl = `${url.replace('http', 'ws')}/ws`;

function brain2(room: string): Reader {
  let epoch: string | undefined;
  const reader: Reader = {
    ...blank(),
    connect: () =>
      new Promise((resolve, reject) => {
        const socket = new WebSocket(socketUrl, 'brain2.v1', { perMessageDeflate: false });
        reader.socket = socket;
        const resume = epoch === undefined ? {} : { resume: { epoch, seq: reader.last } };
        socket.on('open', () => socket.send(JSON.stringify({ action: 'hello', token: room, ...resume })));
        socket.on('error', reject);
        socket.on('close', (code) => {
          reject(new Error(`closed with ${code}`));
          if (reader.isStalled) void comeBack(reader);
        });
        socket.on('message', (data) => {
          const frame = JSON.parse((data as Buffer).toString()) as {
            action: string;
            epoch: string;
            seq: number;
            events: Event[];
          };
          if (frame.action === 'welcome') {
            if (epoch === undefined) reader.last = frame.seq;
            epoch = frame.epoch;
            resolve();
          } else if (frame.action === 'event') {
            epoch = frame.epoch; // a log has none before its first event
            reader.frames += 1;
            take(reader, frame as never);
          } else if (frame.action === 'batch') {
            reader.frames += 1;
            for (const event of frame.events) take(reader, event);
          } else if (frame.action === 'ping') socket.send('{"action":"pong"}');
        });
      }),
  };
  return reader;
}

function plain(room: string): Reader {
  const reader: Reader = {
    ...blank(),
    connect: () =>
      new Promise((resolve, reject) => {
        const socket = new WebSocket(socketUrl, { perMessageDeflate: false });
        reader.socket = socket;
        socket.on('open', () => socket.send(room));
        socket.on('error', reject);
        socket.on('message', (data) => {
          const frame = JSON.parse((data as Buffer).toString()) as Event & { action: string };
          if (frame.action === 'welcome') return resolve();
          reader.frames += 1;
          take(reader, frame);
        });
      }),
  };
  return reader;
}

function socketIo(room: string): Reader {
  const socket: Socket = io(url, {
    transports: ['websocket'],
    autoConnect: false,
    reconnection: false,
    forceNew: true,
  });
  const reader: Reader = {
    ...blank(),
    connect: () =>
      new Promise((resolve, reject) => {
        socket.once('connect_error', reject);
        socket.once('connect', () => {
          reader.socket = (socket.io.engine.transport as unknown as { readonly ws: WebSocket }).ws;
          if (socket.recovered) return resolve();
          socket.once('welcome', () => resolve());
          socket.emit('join', room);
        });
        socket.connect();
      }),
  };
  socket.on('event', (event: Event) => {
    reader.frames += 1;
    take(reader, event);
  });
  socket.on('disconnect', () => {
    if (reader.isStalled) void comeBack(reader);
  });
  return reader;
}

const make = { brain2, ws: plain, 'socket.io': socketIo }[kind]!;
const readers = Array.from({ length: Number(count) }, (_, at) => make(`room${at % Number(rooms)}`));

/** Above its rate of new connections a server says 503: it is asked again. */
async function cycle(reader: Reader): Promise<void> {
  try {
    await reader.connect();
  } catch (error) {
    if (!String(error).includes('503')) throw error;
    await delay(100);
    return cycle(reader);
  }
  const { socket } = reader;
  const closed = socket && once(socket, 'close');
  socket?.close();
  await closed;
}

async function run(command: Command): Promise<object> {
  switch (command.do) {
    case 'connect':
      for (let at = 0; at < readers.length; at += 50)
        await Promise.all(readers.slice(at, at + 50).map((reader) => reader.connect()));
      return {};
    case 'reset':
      latencies = [];
      for (const reader of readers)
        Object.assign(reader, { isStalled: false, count: 0, frames: 0, doubled: 0, disordered: 0 });
      return {};
    case 'stall':
      for (const reader of readers.slice(0, command.readers)) {
        reader.isStalled = true;
        reader.socket?.pause();
      }
      return {};
    case 'wake':
      for (const reader of readers) reader.socket?.resume();
      return {};
    case 'cycle': {
      let left = command.count;
      const lane = async (): Promise<void> => {
        while (left-- > 0) await cycle(make(`room${left % Number(rooms)}`));
      };
      await Promise.all(Array.from({ length: 20 }, lane));
      return {};
    }
    case 'wait': {
      const end = performance.now() + command.forMs;
      const total = () => readers.reduce((sum, reader) => sum + reader.count, 0);
      while (total() < command.events && performance.now() < end) await delay(5);
      const sum = (of: 'frames' | 'doubled' | 'disordered') =>
        readers.reduce((all, reader) => all + reader[of], 0);
      return {
        events: total(),
        frames: sum('frames'),
        latencies,
        doubled: sum('doubled'),
        disordered: sum('disordered'),
      };
    }
  }
}

console.log('{}');
for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await run(JSON.parse(line) as Command)));
}
process.exit();
