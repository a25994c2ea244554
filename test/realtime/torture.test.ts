import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect as connectTcp, type AddressInfo, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import type { ServerFrame } from '../../src/api/realtime.ts';
import { serveSockets } from '../../src/server/sockets.ts';
import { systemClock } from '../../src/shared/clock.ts';
import { ALICE, create, newHub } from './peer.ts';
import { RawPeer, listeningBrain } from './server.ts';

/** Somebody who behaves, and must not notice anything. */
async function witness(url: string) {
  const peer = await new RawPeer(url).greet();
  onTestFinished(() => peer.end());
  return peer;
}

/** Nobody was harmed: the witness hears of a note, and a newcomer is greeted. */
async function expectUnharmed(
  server: Awaited<ReturnType<typeof listeningBrain>>,
  peer: RawPeer,
): Promise<void> {
  const before = peer.frames.length;
  await server.client.create({ content: 'are you there?' });
  // By itself, or together with what was written just before.
  const tells = ({ action }: ServerFrame): boolean => action === 'event' || action === 'batch';
  while (!peer.frames.slice(before).some(tells)) await nextTurn();
  const newcomer = await new RawPeer(server.socketUrl).greet();
  newcomer.end();
}

const MASK = Buffer.from([1, 2, 3, 4]);

/** A client's frame of the WebSocket protocol, byte by byte. */
function rawFrame(payload: Buffer, { opcode = 1, fin = true } = {}): Buffer {
  const length =
    payload.length < 126
      ? Buffer.from([0x80 | payload.length])
      : payload.length < 65_536
        ? Buffer.from([0x80 | 126, payload.length >> 8, payload.length & 255])
        : Buffer.concat([
            Buffer.from([0x80 | 127, 0, 0, 0, 0]),
            Buffer.from(new Uint32Array([payload.length]).buffer).reverse(),
          ]);
  const masked = payload.map((byte, index) => byte ^ (MASK[index % 4] ?? 0));
  return Buffer.concat([Buffer.from([(fin ? 0x80 : 0) | opcode]), length, MASK, masked]);
}

/** A connection on which everything can be sent. */
async function rawSocket(url: string): Promise<Socket> {
  const socket = askForSocket(url, '/ws');
  await once(socket, 'data');
  return socket;
}

/** An upgrade of any address, well formed or not. */
function askForSocket(url: string, address: string): Socket {
  const { hostname, port } = new URL(url);
  const socket = connectTcp(Number(port), hostname);
  socket.on('error', () => undefined);
  onTestFinished(() => void socket.destroy());
  socket.write(
    `GET ${address} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: brain2.v1\r\n\r\n',
  );
  return socket;
}

async function connected(socket: Socket): Promise<void> {
  if (socket.connecting) await once(socket, 'connect');
}

describe('frames that nobody should send', () => {
  const cases: [string, (peer: RawPeer) => void, { readonly error?: string; readonly code?: number }][] = [
    ['what is not JSON', (peer) => peer.say('{"action":'), { error: 'bad_json' }],
    ['JSON that is no object', (peer) => peer.say('null'), { error: 'unknown_action' }],
    [
      'an action that does not exist',
      (peer) => peer.say('{"action":"subscibe"}'),
      { error: 'unknown_action' },
    ],
    ['the name of a prototype', (peer) => peer.say('{"action":"__proto__"}'), { error: 'unknown_action' }],
    [
      'an unknown field',
      (peer) => peer.say('{"action":"ack","seq":1,"owner":"bob"}'),
      { error: 'bad_frame' },
    ],
    [
      'a number that is none',
      (peer) => peer.say('{"action":"resume","epoch":"e","seq":-1}'),
      { error: 'bad_frame' },
    ],
    [
      'a type that no event has',
      (peer) => peer.say('{"action":"subscribe","id":"a","filter":{"types":["node.made"]}}'),
      { error: 'invalid_filter' },
    ],
    ['a second hello', (peer) => peer.say('{"action":"hello"}'), { error: 'too_late' }],
    [
      'a very deep frame',
      (peer) => peer.say(`{"action":"ack","seq":${'['.repeat(30_000)}${']'.repeat(30_000)}}`),
      { error: 'bad_frame' },
    ],
    ['a binary frame', (peer) => peer.socket.send(Buffer.from([1, 2, 3])), { code: 4400 }],
    [
      'a frame above 64 KB',
      (peer) => peer.say(`{"action":"ack","seq":1${' '.repeat(65_536)}}`),
      { code: 4413 },
    ],
    ['one above 256 KB', (peer) => peer.say(' '.repeat(300_000)), { code: 1009 }],
    ['ten that are refused', (peer) => Array.from({ length: 10 }, () => peer.say('{')), { code: 4400 }],
    [
      'ten thousand subscriptions',
      (peer) => {
        for (let id = 0; id < 10_000; id++) peer.say({ action: 'subscribe', id: `${id}`, filter: {} });
      },
      { code: 4400 },
    ],
  ];
  const refused = cases.filter(([, , { error }]) => error !== undefined);
  test.each(refused)(
    '[RT10] %s is answered by name, and the connection goes on',
    async (_what, send, { error }) => {
      const server = await listeningBrain();
      const other = await witness(server.socketUrl);
      const peer = await new RawPeer(server.socketUrl).greet();
      send(peer);
      expect((await peer.get('error')).code).toBe(error);
      peer.say({ action: 'ping' });
      await peer.get('pong');
      peer.end();
      await expectUnharmed(server, other);
    },
  );

  const ended = cases.filter(([, , { code }]) => code !== undefined);
  test.each(ended)('[RT10] %s ends the connection by name', async (_what, send, { code = 0 }) => {
    const server = await listeningBrain();
    const other = await witness(server.socketUrl);
    const peer = await new RawPeer(server.socketUrl).greet();
    send(peer);
    expect((await peer.closed).code).toBe(code);
    const named = peer.frames.flatMap((frame) => (frame.action === 'bye' ? [frame.code] : []));
    expect(named).toEqual(code < 4000 ? [] : [code]);
    await expectUnharmed(server, other);
  });

  test('[RT10] more than 32 subscriptions are refused, one by one', async () => {
    const { socketUrl } = await listeningBrain();
    const peer = await new RawPeer(socketUrl).greet();
    for (let id = 0; id < 33; id++)
      peer.say({ action: 'subscribe', id: `${id}`, filter: { types: ['node.*'] } });
    expect(await peer.get('error')).toMatchObject({ code: 'limit' });
    const subscribed = () => peer.frames.filter((frame) => frame.action === 'subscribed').length;
    await expect.poll(subscribed).toBe(31); // hello is one too
    peer.end();
  });

  test('[RT10] a frame in pieces is one frame; a text that is not UTF-8 ends it with 1007', async () => {
    const server = await listeningBrain();
    const other = await witness(server.socketUrl);
    const socket = await rawSocket(server.url);
    const text = Buffer.from('{"action":"hello"}');
    text.forEach((byte, at) =>
      socket.write(rawFrame(Buffer.from([byte]), { opcode: at === 0 ? 1 : 0, fin: at === text.length - 1 })),
    );
    const [welcome] = (await once(socket, 'data')) as [Buffer];
    expect(welcome.toString()).toContain('"action":"welcome"');
    socket.write(rawFrame(Buffer.from([0x7b, 0xff, 0xfe])));
    const [end] = (await once(socket, 'data')) as [Buffer];
    expect([end[0], end.readUInt16BE(2)]).toEqual([0x88, 1007]);
    await expectUnharmed(server, other);
  });

  test('[RT10] random bytes on the wire harm nobody', async () => {
    const server = await listeningBrain();
    const other = await witness(server.socketUrl);
    for (let seed = 1; seed <= 60; seed++) {
      const socket = await rawSocket(server.url);
      const noise = Buffer.from(Array.from({ length: 200 }, (_, at) => (seed * 7_919 + at * at * 31) & 255));
      socket.write(Buffer.concat([rawFrame(Buffer.from('{"action":"hello"}')), noise]));
      socket.end();
      await once(socket, 'close');
    }
    expect(other.frames.map((frame) => frame.action)).toEqual(['welcome']);
    await expectUnharmed(server, other);
  });
});

describe('who may connect', () => {
  test('[RT10] without the subprotocol it is bye 4406', async () => {
    const { socketUrl } = await listeningBrain();
    const peer = new RawPeer(socketUrl, { protocol: '' });
    expect((await peer.closed).code).toBe(4406);
    expect((await peer.get('bye')).code).toBe(4406);
    // A client that offers another gives up by itself.
    const socket = new WebSocket(socketUrl, 'graphql-ws');
    const [error] = (await once(socket, 'error')) as [Error];
    expect(error.message).toContain('subprotocol');
  });

  const origins: [string | undefined, number][] = [
    [undefined, 101],
    ['http://HOST', 101],
    ['https://evil.example', 403],
    ['null', 403],
    ['http://127.0.0.1:1', 403],
    ['file://HOST', 403],
  ];
  test.each(origins)('[RT9] a page of %s is answered with %i', async (origin, status) => {
    const { socketUrl } = await listeningBrain();
    const { host } = new URL(socketUrl);
    const headers = origin === undefined ? {} : { origin: origin.replace('HOST', host) };
    const socket = new WebSocket(socketUrl, 'brain2.v1', { headers });
    socket.on('error', () => undefined);
    const answered = await Promise.race([
      once(socket, 'open').then(() => 101),
      once(socket, 'unexpected-response').then(([, answer]) => (answer as { statusCode: number }).statusCode),
    ]);
    expect(answered).toBe(status);
    socket.terminate();
  });

  test('[RT9] a name that was turned to this machine is not this machine', async () => {
    const { socketUrl } = await listeningBrain();
    const { port } = new URL(socketUrl);
    const host = `evil.example:${port}`;
    const socket = new WebSocket(socketUrl, 'brain2.v1', { headers: { host, origin: `http://${host}` } });
    socket.on('error', () => undefined);
    const [, answer] = (await once(socket, 'unexpected-response')) as [unknown, { statusCode: number }];
    expect(answer.statusCode).toBe(403);
    socket.terminate();
  });

  test('[RT10] another path is 404, and a socket that stays half open keeps nobody waiting', async () => {
    const { socketUrl, url } = await listeningBrain();
    const elsewhere = new WebSocket(`${url.replace('http', 'ws')}/elsewhere`, 'brain2.v1');
    elsewhere.on('error', () => undefined);
    const [, answer] = (await once(elsewhere, 'unexpected-response')) as [unknown, { statusCode: number }];
    expect(answer.statusCode).toBe(404);
    elsewhere.terminate();
    const peer = await new RawPeer(socketUrl).greet();
    peer.end();
  });

  test.each(['//', 'http://[', 'ws://:x/ws'])(
    '[RT10] the address %s, which is none, is 404 too',
    async (address) => {
      const server = await listeningBrain();
      const peer = await witness(server.socketUrl);
      const [answer] = (await once(askForSocket(server.url, address), 'data')) as [Buffer];
      expect(answer.toString()).toMatch(/^HTTP\/1\.1 404 /);
      await expectUnharmed(server, peer);
    },
  );
});

describe('how many an owner may have', () => {
  test('[RT10] sockets and streams count together, up to the setting; one more is bye 4429', async () => {
    const { socketUrl, url } = await listeningBrain({ socketsOfOwner: 2 });
    const peer = await witness(socketUrl);
    const stream = await fetch(`${url}/api/v2/events`);
    const more = new RawPeer(socketUrl);
    await once(more.socket, 'open');
    more.say({ action: 'hello' });
    expect([(await more.closed).code, (await more.get('bye')).code]).toEqual([4429, 4429]);
    peer.end();
    await peer.closed;
    await witness(socketUrl);
    await stream.body!.cancel();
  });

  test("[RT10] without it they are a hundred on one's own machine, and ten where others are served too", async () => {
    const local = await listeningBrain();
    const served = await listeningBrain({ auth: 'token' });
    const limitOf = ({ brain }: typeof local) => brain.hub.limits.connectionsOfOwner;
    expect([limitOf(local), limitOf(served)]).toEqual([100, 10]);
  });
});

describe('peers by the thousand', () => {
  const open: RawPeer[] = [];
  afterEach(() => {
    for (const peer of open.splice(0)) peer.end();
  });

  test('[RT9 RT10] a thousand that say nothing hear nothing, and others are served meanwhile', async () => {
    const server = await listeningBrain();
    const other = await witness(server.socketUrl);
    for (let count = 0; count < 1_000; count++) {
      open.push(new RawPeer(server.socketUrl));
      if (count % 100 === 99) await Promise.all(open.slice(-100).map(({ socket }) => once(socket, 'open')));
    }
    const { metrics } = server.brain.hub;
    // On a busy machine the first may have been sent away before the last has come.
    expect(metrics.connections + metrics.closes.get('4408')).toBe(1_001);
    await expectUnharmed(server, other);
    expect(open.every((peer) => peer.frames.length === 0 || peer.frames[0]?.action === 'bye')).toBe(true);
    const ends = await Promise.all(open.map((peer) => peer.closed));
    expect(new Set(ends.map(({ code }) => code))).toEqual(new Set([4408]));
    expect(metrics.closes.get('4408')).toBe(1_000);
    await expectUnharmed(server, other);
  });

  test('[RT10] a thousand that stop in the middle of their upgrade are no connections, and others are served meanwhile', async () => {
    const server = await listeningBrain();
    const other = await witness(server.socketUrl);
    const { hostname, port } = new URL(server.url);
    const halves: Socket[] = [];
    onTestFinished(() => halves.forEach((half) => half.destroy()));
    for (let count = 0; count < 1_000; count++) {
      const half = connectTcp(Number(port), hostname);
      half.on('error', () => undefined);
      halves.push(half);
      half.write(`GET /ws HTTP/1.1\r\nHost: ${hostname}:${port}\r\nUpgrade: websocket\r\nConn`);
      if (count % 100 === 99) await Promise.all(halves.slice(-100).map(connected));
    }
    expect(server.brain.hub.metrics.connections).toBe(1);
    await expectUnharmed(server, other);
    expect(server.brain.app.server.headersTimeout).toBeLessThanOrEqual(15_000); // which ends them
  });

  test('[RT4 RT10] peers that never answer are ended with 4512, and those who do go on', async () => {
    const { hub, store } = newHub({ clock: systemClock, limits: { pingMs: 200, pongMs: 1_500 } });
    const server = createServer();
    const close = serveSockets({ server, hub, origins: [] });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws`;
    const hello = async (answers: boolean): Promise<RawPeer> => {
      const peer = new RawPeer(url);
      open.push(peer);
      await once(peer.socket, 'open');
      peer.say({ action: 'hello', token: 'alice' });
      await peer.get('welcome');
      if (answers) peer.socket.on('message', () => peer.say({ action: 'pong' }));
      return peer;
    };
    const good = await hello(true);
    const silent = await Promise.all(Array.from({ length: 50 }, () => hello(false)));
    const ends = await Promise.all(silent.map((peer) => peer.closed));
    expect(new Set(ends.map(({ code }) => code))).toEqual(new Set([4512]));
    expect([good.socket.readyState, hub.metrics.connections]).toEqual([WebSocket.OPEN, 1]);
    await create(store, ALICE, [1]);
    await good.get('event');
    await close();
    server.close();
  });

  test('[RT6 RT10] peers that never read cost a bounded memory each, and keep nobody waiting', async () => {
    const server = await listeningBrain();
    const other = await witness(server.socketUrl);
    for (let count = 0; count < 5; count++) {
      const peer = await new RawPeer(server.socketUrl).greet();
      peer.socket.pause();
      open.push(peer);
    }
    const { metrics } = server.brain.hub;
    const { id } = await server.client.create({ title: 'long', content: 'long' });
    // The kernel takes some megabytes before anything waits here.
    for (let edit = 0; metrics.lagging < 5; edit++) {
      expect([...metrics.closes.all]).toEqual([]); // one that was sent away cannot lag any more
      await server.client.patch(id, { content: `${edit} ${'x'.repeat(20_000)}` });
    }
    const [sent, edits] = [metrics.sent.get(), 20];
    const before = process.memoryUsage().arrayBuffers;
    for (let edit = 0; edit < edits; edit++) await server.client.patch(id, { content: `again ${edit}` });
    expect(metrics.sent.get() - sent).toBeLessThanOrEqual(edits + 1); // to the witness alone
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20 * 1024 * 1024);
    await expectUnharmed(server, other);
    const [first] = open;
    first!.socket.resume();
    const seqs = () =>
      first!.frames.flatMap((f) =>
        f.action === 'event' ? [f.seq] : f.action === 'batch' ? f.events.map((e) => e.seq) : [],
      );
    const { seq } = await server.client.get<{ seq: number }>('/graph');
    while ((seqs().at(-1) ?? 0) < seq) await nextTurn();
    expect(seqs()).toEqual(Array.from({ length: seq }, (_, at) => at + 1));
  });
});

test('[RT6 RT10] a stream that nobody reads is cut off with its bye, and keeps no server from its end', async () => {
  const { url, client, brain } = await listeningBrain();
  const { hostname, port, host } = new URL(url);
  const reader = connectTcp(Number(port), hostname);
  onTestFinished(() => void reader.destroy());
  reader.on('error', () => undefined);
  reader.write(`GET /api/v2/events HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  await once(reader, 'data');
  reader.pause();
  const { id } = await client.create({ title: 'long', content: 'long' });
  const { metrics } = brain.hub;
  for (let edit = 0; metrics.lagging < 1; edit++)
    await client.patch(id, { content: `${edit} ${'x'.repeat(20_000)}` });
  await client.close();
  expect([metrics.connections, [...metrics.closes.all]]).toEqual([0, [['4503', 1]]]);
});

test('[RT10] at its end the server says bye to every socket, and closes them', async () => {
  const server = await listeningBrain();
  const peers = await Promise.all([1, 2, 3].map(() => new RawPeer(server.socketUrl).greet()));
  const events = await fetch(`${server.url}/api/v2/events`);
  await server.client.close();
  for (const peer of peers) {
    expect(await peer.get('bye')).toMatchObject({ code: 4503, reconnect: true });
    expect((await peer.closed).code).toBe(4503);
  }
  expect(await events.text()).toMatch(/event: bye\ndata: .*4503/);
});

test('[RT10] whoever comes while the server stops is told so before the end', async () => {
  const { socketUrl, brain } = await listeningBrain();
  brain.hub.close();
  const peer = new RawPeer(socketUrl);
  expect(await peer.get('bye')).toMatchObject({ code: 4503, reconnect: true });
  expect((await peer.closed).code).toBe(4503);
});
