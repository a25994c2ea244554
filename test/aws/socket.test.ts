import { once } from 'node:events';
import { WebSocket, type ClientOptions } from 'ws';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { EventFrame, Position, ServerFrame } from '../../src/api/realtime.ts';
import { RealtimeClient } from '../../src/client/realtime-client.ts';
import type { RealtimeItem } from '../../src/client/realtime-options.ts';
import { ownerId, tokenId } from '../../src/domain/values.ts';
import { RawPeer } from '../realtime/server.ts';
import { startDynamo, type TestDynamo } from '../support/dynamo.ts';
import { newCloud, type Cloud } from './cloud.ts';

// The client that users have, over a real socket, through a stand-in for the gateway to our handlers on DynamoDB.

type PeerOptions = ClientOptions & { readonly protocol?: string };

let dynamo: TestDynamo;
beforeAll(async () => void (dynamo = await startDynamo()));
afterAll(() => dynamo.stop());

/** The next items, each awaited. */
async function take(events: AsyncIterator<RealtimeItem>, count: number): Promise<readonly EventFrame[]> {
  const taken: EventFrame[] = [];
  while (taken.length < count) {
    const { value } = (await events.next()) as { value: RealtimeItem };
    if (value.kind !== 'event') throw new Error(`${value.kind}: ${value.reason}`);
    taken.push(value.event);
  }
  return taken;
}

function live<S extends Position>(client: RealtimeClient<S>): Promise<void> {
  return new Promise((resolve) => {
    const off = client.on({
      state(state) {
        if (state !== 'live') return;
        off();
        resolve();
      },
    });
  });
}

describe('a client of brain2.v1 through the gateway', () => {
  test('[RT2 RT8] is greeted, hears what happens, and nothing of another owner', async () => {
    const cloud = await newCloud(dynamo);
    const [alice, bob] = [await cloud.clientOf('alice'), await cloud.clientOf('bob')];
    const events = alice.events();
    const isLive = live(events);
    const heard = events[Symbol.asyncIterator]();
    await isLive;
    await bob.http.nodes.create({ content: 'of bob, and nobody else is told' });
    const made = await alice.http.nodes.create({ content: 'of alice' });
    const [created] = await take(heard, 1);
    expect(created).toMatchObject({ type: 'node.created', nodeId: made.id, seq: 1, prev: 0 });
    await alice.http.nodes.create({ content: 'another' });
    expect((await take(heard, 1))[0]).toMatchObject({ seq: 2, prev: 1 });
    events.stop();
  });

  test('[RT2 RT3] a client that was cut off hears what it missed, in order, each once', async () => {
    const cloud = await newCloud(dynamo);
    const alice = await cloud.clientOf('alice');
    const events = alice.events();
    let isLive = live(events);
    const heard = events[Symbol.asyncIterator]();
    await isLive;
    await alice.http.nodes.create({ content: 'before' });
    await take(heard, 1);
    const frames: ServerFrame['action'][] = [];
    events.on({ frame: ({ action }) => frames.push(action) });
    isLive = live(events);
    await cloud.aws.cut();
    for (let n = 0; n < 5; n++) await alice.http.nodes.create({ content: `missed ${n}` });
    const missed = await take(heard, 5);
    expect(missed.map(({ seq }) => seq)).toEqual([2, 3, 4, 5, 6]);
    await isLive;
    expect(frames).toEqual(expect.arrayContaining(['welcome', 'replay.begin', 'replay.end']));
    await alice.http.nodes.create({ content: 'after' });
    expect((await take(heard, 1))[0]).toMatchObject({ seq: 7, prev: 6 });
    events.stop();
  });
});

test('a client that changes its filter twice hears what it asked for last, though frames overtake each other', async () => {
  const chances: number[] = [];
  const cloud = await newCloud(dynamo, { random: () => chances.shift() ?? 1 });
  const { http, events } = await cloud.clientOf('alice');
  const client = events({ filter: { types: ['category.*'] } });
  const isLive = live(client);
  const heard = client[Symbol.asyncIterator]();
  await isLive;
  const confirmed: ServerFrame[] = [];
  const both = new Promise<void>((resolve) => {
    client.on({
      frame: (frame) => frame.action === 'subscribed' && confirmed.push(frame) === 2 && resolve(),
    });
  });
  cloud.aws.mischief = { ...cloud.aws.mischief, late: 0.5, delayMs: 4_000 };
  chances.push(0.1, 0.1); // the first frame is late, by 0.4 s
  client.setFilter({ types: ['edge.*'] });
  client.setFilter({ types: ['node.*'] });
  await both;
  const [{ subscriptions } = { subscriptions: [] }] = await cloud.parts.connections.ofOwner(ownerId('alice'));
  expect(subscriptions).toEqual([['hello', { types: ['node.*'] }]]);
  await http.nodes.create({ content: 'a note' });
  expect((await take(heard, 1))[0]).toMatchObject({ type: 'node.created' });
  client.stop();
});

test('[RT9] a client whose credentials are refused stops, though the gateway closes with a code of its own', async () => {
  const cloud = await newCloud(dynamo);
  const client = new RealtimeClient({ url: cloud.aws.url, ticket: async () => 'made up' });
  await expect(client[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 4401 });
  expect(client.state).toBe('stopped');
});

/** Somebody who says what they are told to. */
async function peerOf(cloud: Cloud, search = ''): Promise<RawPeer> {
  const peer = new RawPeer(`${cloud.aws.url.replace('http', 'ws')}/ws${search}`);
  await once(peer.socket, 'open');
  return peer;
}

/** The status with which a connection is refused. */
async function refusalOf(url: string, { protocol = 'brain2.v1', ...more }: PeerOptions = {}) {
  const socket = new WebSocket(url, protocol, more);
  socket.on('error', () => undefined);
  const [, { statusCode }] = (await once(socket, 'unexpected-response')) as [unknown, { statusCode: number }];
  socket.terminate();
  return statusCode;
}

describe('what a client may say', () => {
  test('[RT9 RT10] only a hello with a good credential opens, and refusals have their names', async () => {
    const cloud = await newCloud(dynamo);
    const { secret, http } = await cloud.clientOf('alice');
    const peer = await peerOf(cloud);
    peer.say({ action: 'ping' });
    expect(await peer.get('error')).toMatchObject({ code: 'too_early' });
    peer.say({ action: 'hello', token: 'b2t_wrong' });
    expect(await peer.get('bye')).toMatchObject({ code: 4401, reconnect: false });
    await peer.closed;
    const other = await peerOf(cloud);
    other.say({ action: 'hello', token: secret });
    const { connectionId, pingMs } = await other.get('welcome');
    expect(cloud.aws.connections).toEqual([connectionId]);
    expect(pingMs).toBe(240_000);
    other.say({ action: 'subscribe', id: 's', filter: { types: ['note.created'] } });
    expect(await other.get('error')).toMatchObject({ code: 'invalid_filter' });
    other.say({ action: 'subscribe', id: 's', filter: { types: ['edge.*'] } });
    other.say({ action: 'unsubscribe', id: 'hello' });
    await other.get('subscribed');
    await other.get('unsubscribed');
    await http.nodes.create({ content: 'which nobody asked for' });
    other.say({ action: 'ping' });
    expect(await other.get('pong')).toMatchObject({ prev: 0, seq: 1 });
    expect(other.frames.map(({ action }) => action)).not.toContain('event');
    other.end();
  });

  test('[RT10] a frame as long as the welcome allows is heard: the gateway would end a longer one', async () => {
    const cloud = await newCloud(dynamo);
    const { secret } = await cloud.clientOf('alice');
    const peer = await peerOf(cloud);
    peer.say({ action: 'hello', token: secret });
    const { maxFrameBytes } = await peer.get('welcome');
    peer.say('x'.repeat(maxFrameBytes));
    expect(await peer.get('error')).toMatchObject({ code: 'bad_json' });
    peer.end();
  });

  test('[RT9] a ticket in the address admits the connection itself, once; a foreign page is turned away', async () => {
    const cloud = await newCloud(dynamo);
    const { http } = await cloud.clientOf('alice');
    const { ticket } = await http.ticket();
    const peer = await peerOf(cloud, `?ticket=${ticket}`);
    peer.say({ action: 'hello' });
    await peer.get('welcome');
    const url = `${cloud.aws.url.replace('http', 'ws')}/ws`;
    expect(await refusalOf(`${url}?ticket=${ticket}`)).toBe(403);
    expect(await refusalOf(url, { headers: { origin: 'https://evil.example' } })).toBe(403);
    expect(await refusalOf(url, { protocol: 'other' })).toBe(400);
    peer.end();
  });

  test('[RT9] what never says hello, and whose credential ends, is sent away by the minute', async () => {
    let nowMs = Date.now();
    const cloud = await newCloud(dynamo, { nowMs: () => nowMs });
    const { secret } = await cloud.clientOf('alice', new Date(nowMs + 150_000).toISOString());
    const [silent, greeted] = [await peerOf(cloud), await peerOf(cloud)];
    greeted.say({ action: 'hello', token: secret });
    await greeted.get('welcome');
    nowMs += 60_000;
    await cloud.beat();
    expect(await silent.get('bye')).toMatchObject({ code: 4408 });
    expect(await greeted.get('auth.expiring')).toEqual({ action: 'auth.expiring', inMs: 90_000 });
    nowMs += 90_000;
    await cloud.beat();
    expect(await greeted.get('bye')).toMatchObject({ code: 4401 });
    await Promise.all([silent.closed, greeted.closed]);
    await cloud.aws.quiet();
    const left = await Promise.all(
      Array.from({ length: 64 }, (_, shard) => Array.fromAsync(cloud.parts.connections.arrivals(shard))),
    );
    expect(left.flat()).toEqual([]);
  });

  test('[RT9] a token that is revoked ends its connections within a minute, and from then on none begins', async () => {
    let nowMs = Date.now();
    const cloud = await newCloud(dynamo, { nowMs: () => nowMs });
    const { secret, http } = await cloud.clientOf('alice');
    const other = await cloud.clientOf('alice');
    const [heard, untouched] = [await peerOf(cloud), await peerOf(cloud)];
    heard.say({ action: 'hello', token: secret });
    untouched.say({ action: 'hello', token: other.secret });
    await Promise.all([heard.get('welcome'), untouched.get('welcome')]);
    const [{ ticket }, inAddress] = [await http.ticket(), await http.ticket()];
    const [late, early] = [await peerOf(cloud), await peerOf(cloud, `?ticket=${inAddress.ticket}`)];
    const { tokenId: id = '' } = await cloud.parts.tokens.authenticate(secret);
    await cloud.parts.tokens.revoke(ownerId('alice'), tokenId(id));
    late.say({ action: 'hello', ticket });
    early.say({ action: 'hello' });
    expect([await late.get('bye'), await early.get('bye')]).toMatchObject([{ code: 4401 }, { code: 4401 }]);
    nowMs += 60_000;
    await cloud.beat();
    expect(await heard.get('bye')).toMatchObject({ code: 4401, reason: 'the token was revoked' });
    await Promise.all([heard, late, early].map(({ closed }) => closed));
    await cloud.aws.quiet();
    expect(await cloud.parts.connections.ofOwner(ownerId('alice'))).toHaveLength(1);
    untouched.end();
  });

  test.each([
    [2, { BRAIN2_SOCKETS_PER_OWNER: '2' }],
    [10, {}],
  ])(
    '[RT10] an owner has %s connections at most, as the setting says it to a server; one more is bye 4429',
    async (most, settings) => {
      const cloud = await newCloud(dynamo, { settings });
      const { secret } = await cloud.clientOf('alice');
      for (let count = 0; count < most; count++) {
        const peer = await peerOf(cloud);
        peer.say({ action: 'hello', token: secret });
        await peer.get('welcome');
      }
      const more = await peerOf(cloud);
      more.say({ action: 'hello', token: secret });
      const answer = await Promise.race([more.get('bye'), more.get('welcome')]);
      expect(answer).toMatchObject({ action: 'bye', code: 4429 });
      const other = await peerOf(cloud);
      other.say({ action: 'hello', token: (await cloud.clientOf('bob')).secret });
      await other.get('welcome');
    },
  );

  test('[RT10] connections that ended without a word do not count against their owner', async () => {
    const cloud = await newCloud(dynamo, { settings: { BRAIN2_SOCKETS_PER_OWNER: '2' } });
    const { secret } = await cloud.clientOf('alice');
    const greet = async (): Promise<RawPeer> => {
      const peer = await peerOf(cloud);
      peer.say({ action: 'hello', token: secret });
      const answer = await Promise.race([peer.get('welcome'), peer.get('bye')]);
      expect(answer.action).toBe('welcome');
      return peer;
    };
    cloud.aws.mischief = { ...cloud.aws.mischief, silentEnd: 1 };
    await Promise.all([greet(), greet()]);
    await cloud.aws.quiet();
    await cloud.aws.cut();
    const back = await greet();
    expect(await cloud.parts.connections.ofOwner(ownerId('alice'))).toHaveLength(1);
    back.end();
  });

  test('[RT4] each connection is pinged once in four minutes, with the position, and sent away before two hours', async () => {
    let nowMs = Date.now();
    const cloud = await newCloud(dynamo, { nowMs: () => nowMs });
    const { secret, http } = await cloud.clientOf('alice');
    const peer = await peerOf(cloud);
    peer.say({ action: 'hello', token: secret, filter: null });
    await peer.get('welcome');
    await http.nodes.create({ content: 'nobody asked for it' });
    for (let minute = 0; minute < 8; minute++) {
      nowMs += 60_000;
      await cloud.beat();
    }
    nowMs += 110 * 60_000;
    await cloud.beat();
    expect(await peer.get('bye')).toMatchObject({ code: 4503, reconnect: true });
    const pings = peer.frames.filter(({ action }) => action === 'ping'); // all came before the end did
    expect(pings).toMatchObject([
      { prev: 0, seq: 1 },
      { prev: 1, seq: 1 },
    ]);
  });

  test('[RT4] a beat that begins a little early or late takes no turn twice and leaves none out', async () => {
    let nowMs = Date.now();
    const cloud = await newCloud(dynamo, { nowMs: () => nowMs });
    const { secret } = await cloud.clientOf('alice');
    const peers = await Promise.all([peerOf(cloud), peerOf(cloud), peerOf(cloud)]);
    for (const peer of peers) peer.say({ action: 'hello', token: secret });
    await Promise.all(peers.map((peer) => peer.get('welcome')));
    const firstMs = Math.ceil(nowMs / 60_000) * 60_000 + 59_000;
    for (let run = 0; run < 4; run++) {
      const dueMs = firstMs + run * 60_000;
      nowMs = dueMs + (run % 2 === 0 ? 500 : 1_500);
      await cloud.beat({ time: new Date(dueMs).toISOString() });
    }
    for (const peer of peers) peer.say({ action: 'ping' });
    await Promise.all(peers.map((peer) => peer.get('pong')));
    const pings = peers.map(({ frames }) => frames.filter(({ action }) => action === 'ping').length);
    expect(pings).toEqual([1, 1, 1]);
    for (const peer of peers) peer.end();
  });

  test('[RT4] one that ended without a word is forgotten when it is pinged', async () => {
    let nowMs = Date.now();
    const cloud = await newCloud(dynamo, { nowMs: () => nowMs });
    const { secret } = await cloud.clientOf('alice');
    cloud.aws.mischief = { ...cloud.aws.mischief, silentEnd: 1 };
    const peer = await peerOf(cloud);
    peer.say({ action: 'hello', token: secret });
    await peer.get('welcome');
    await cloud.aws.quiet();
    await cloud.aws.cut();
    expect(await cloud.parts.connections.ofOwner(ownerId('alice'))).toHaveLength(1);
    for (let minute = 0; minute < 4; minute++) {
      nowMs += 60_000;
      await cloud.beat();
    }
    expect(await cloud.parts.connections.ofOwner(ownerId('alice'))).toEqual([]);
  });

  test('[RT2] a position of another log is answered with resync, and nothing comes until it says where to go on', async () => {
    const cloud = await newCloud(dynamo);
    const { secret, http } = await cloud.clientOf('alice');
    await http.nodes.create({ content: 'one' });
    const peer = await peerOf(cloud);
    peer.say({ action: 'hello', token: secret, resume: { epoch: 'another', seq: 1 } });
    expect(await peer.get('welcome')).toMatchObject({ resumed: false });
    const { reason, epoch, seq } = await peer.get('resync');
    expect({ reason, seq }).toEqual({ reason: 'epoch_changed', seq: 1 });
    await http.nodes.create({ content: 'two' });
    peer.say({ action: 'resume', epoch, seq });
    await peer.get('replay.end');
    const actions = peer.frames.map(({ action }) => action);
    expect(actions).toEqual(['welcome', 'resync', 'replay.begin', 'event', 'replay.end']);
    peer.end();
  });
});
