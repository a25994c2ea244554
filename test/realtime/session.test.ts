import { describe, expect, test } from 'vitest';
import { CLOSE } from '../../src/api/realtime.ts';
import { settle } from '../support/manual-clock.ts';
import { ALICE, BOB, create, greeted, idOf, newHub, newStore, Peer, principalOf, touch } from './peer.ts';

describe('hello and welcome', () => {
  test('[RT9] a connection that says nothing hears nothing, and is closed after 5 seconds', async () => {
    const { hub, clock, store } = newHub();
    const peer = new Peer(hub);
    await create(store, ALICE, [1]);
    await clock.advance(4_999);
    expect(peer.frames).toEqual([]);
    await clock.advance(1);
    expect(peer.frames).toMatchObject([{ action: 'bye', code: CLOSE.helloTimeout, reconnect: false }]);
    expect(peer.closed?.code).toBe(4408);
    expect(hub.metrics.connections).toBe(0);
    expect(clock.waiting).toBe(0);
  });

  test('[RT9] what comes before the welcome is refused, a second hello too', async () => {
    const { hub } = newHub();
    const peer = new Peer(hub);
    peer.say({ action: 'subscribe', id: 'a', filter: {} });
    expect(peer.of('error').map((error) => error.code)).toEqual(['too_early']);
    peer.say({ action: 'hello', token: 'alice' });
    peer.say({ action: 'hello', token: 'alice' });
    await settle();
    expect(peer.actions).toEqual(['error', 'error', 'welcome']);
    expect(peer.of('error').at(-1)?.code).toBe('too_late');
  });

  test('[RT9] a wrong token is bye 4401; keys that cannot be had are bye 4500, to be tried again', async () => {
    const { hub } = newHub();
    const wrong = await greeted(hub, { token: 'wrong' });
    expect(wrong.frames).toMatchObject([{ action: 'bye', code: 4401, reconnect: false }]);
    const busy = await greeted(hub, { token: 'busy' });
    expect(busy.frames).toMatchObject([{ action: 'bye', code: 4500, reconnect: true }]);
    expect(busy.of('bye')[0]?.reason).toBe('unavailable');
  });

  test('[RT9] a ticket is good once, for 30 seconds, and only one that was issued', async () => {
    const { hub, clock } = newHub();
    const { ticket, expiresInMs } = await hub.tickets.issue(principalOf(ALICE));
    expect(expiresInMs).toBe(30_000);
    expect((await greeted(hub, { ticket })).actions).toEqual(['welcome']);
    expect((await greeted(hub, { ticket })).closed?.code).toBe(4401);
    expect((await greeted(hub, { ticket: 'made up' })).closed?.code).toBe(4401);
    const { ticket: late } = await hub.tickets.issue(principalOf(ALICE));
    await clock.advance(30_000);
    expect((await greeted(hub, { ticket: late })).closed?.code).toBe(4401);
  });

  test('[RT9] without the scope to read there is no welcome', async () => {
    const { hub } = newHub();
    const { ticket } = await hub.tickets.issue(principalOf(ALICE, { scopes: ['write'] }));
    expect((await greeted(hub, { ticket })).closed?.code).toBe(4403);
  });

  test('[RT2] without a position it begins at the head: what was is not told, what comes is', async () => {
    const { hub, store, clock } = newHub();
    await create(store, ALICE, [1, 2]);
    const peer = await greeted(hub);
    const { epoch } = await store.head(ALICE);
    expect(peer.frames).toEqual([
      {
        action: 'welcome',
        connectionId: 'c1',
        epoch,
        seq: 2,
        floorSeq: 0,
        pingMs: 25_000,
        maxFrameBytes: 65_536,
        authExpiresAt: null,
        resumed: false,
      },
    ]);
    await create(store, ALICE, [3]);
    await clock.advance(0);
    expect(peer.events).toMatchObject([
      { seq: 3, prev: 2, epoch, type: 'node.created', correlationId: 'call-1' },
    ]);
  });

  test('[RT2] the first event of a log is told to those who waited before there was one', async () => {
    const { hub, store } = newHub();
    const peer = await greeted(hub);
    expect(peer.frames).toMatchObject([{ action: 'welcome', epoch: '', seq: 0 }]);
    await create(store, ALICE, [1]);
    await settle();
    expect(peer.events).toMatchObject([{ seq: 1, prev: 0, epoch: (await store.head(ALICE)).epoch }]);
  });
});

describe('expiry and renewal', () => {
  const token = (clock: { nowMs(): number }, inMs: number, owner = 'alice') =>
    `${owner} until ${clock.nowMs() + inMs}`;

  test('[RT9] expiry is announced a minute before, and enforced', async () => {
    const { hub, clock, store } = newHub();
    const peer = await greeted(hub, { token: token(clock, 100_000) });
    expect(peer.of('welcome')[0]?.authExpiresAt).toBe(new Date(clock.nowMs() + 100_000).toISOString());
    await clock.advance(39_999);
    expect(peer.of('auth.expiring')).toEqual([]);
    await clock.advance(1);
    expect(peer.of('auth.expiring')).toEqual([{ action: 'auth.expiring', inMs: 60_000 }]);
    await clock.advance(60_000);
    expect(peer.of('bye')).toMatchObject([{ code: 4401 }]);
    peer.forget();
    await create(store, ALICE, [1]);
    await settle();
    expect(peer.frames).toEqual([]);
  });

  test('[RT9] it is renewed in place, with no event lost, and never for another owner', async () => {
    const { hub, clock, store } = newHub();
    const peer = await greeted(hub, { token: token(clock, 30_000) });
    expect(peer.actions).toEqual(['welcome', 'auth.expiring']);
    peer.say({ action: 'auth', token: token(clock, 90_000) });
    await create(store, ALICE, [1]);
    await settle();
    expect(peer.of('auth.renewed')).toHaveLength(1);
    await clock.advance(40_000);
    expect([peer.closed, peer.seqs]).toEqual([undefined, [1]]);
    peer.say({ action: 'auth', token: token(clock, 90_000, 'bob') });
    await settle();
    expect(peer.closed?.code).toBe(4403);
  });

  test('[RT9] a credential that may not read renews nothing', async () => {
    const { hub, clock, store } = newHub();
    const peer = await greeted(hub, { token: token(clock, 30_000) });
    const { ticket } = await hub.tickets.issue(principalOf(ALICE, { scopes: ['write'] }));
    peer.say({ action: 'auth', ticket });
    await create(store, ALICE, [1]);
    await settle();
    expect([peer.closed?.code, peer.of('auth.renewed')]).toEqual([4403, []]);
  });

  test('[RT9] an expiry beyond the reach of one timer is kept to', async () => {
    const { hub, clock } = newHub({ limits: { pingMs: 1e12 } });
    const month = 40 * 86_400_000;
    const peer = await greeted(hub, { token: token(clock, month) });
    await clock.advance(month - 60_001);
    expect(peer.actions).toEqual(['welcome']);
    await clock.advance(60_001);
    expect(peer.actions).toEqual(['welcome', 'auth.expiring', 'bye']);
  });
});

describe('the heartbeat', () => {
  test('[RT4] a ping comes within a tenth of 25 seconds and carries the head; without a pong in 10 s it ends', async () => {
    const { hub, clock, store } = newHub();
    await create(store, ALICE, [1]);
    const peer = await greeted(hub);
    const { epoch } = await store.head(ALICE);
    await clock.advance(25_000);
    expect(peer.of('ping')).toEqual([{ action: 'ping', epoch, prev: 1, seq: 1 }]);
    peer.answersPings = false;
    await clock.advance(25_000);
    expect(peer.of('ping')).toHaveLength(2);
    await clock.advance(9_999);
    expect(peer.closed).toBeUndefined();
    await clock.advance(1);
    expect(peer.of('bye')).toMatchObject([{ code: 4512, reconnect: true }]);
  });

  test('[RT4] under a filter the ping covers what was left out, and `prev` shows what was not', async () => {
    const { hub, clock, store } = newHub();
    const peer = await greeted(hub, { filter: { types: ['category.*'] } });
    await create(store, ALICE, [1, 2, 3]);
    await settle();
    await clock.advance(25_000);
    const { epoch } = await store.head(ALICE);
    expect(peer.frames.slice(1)).toEqual([{ action: 'ping', epoch, prev: 0, seq: 3 }]);
    peer.say({ action: 'ping' });
    expect(peer.of('pong')).toEqual([{ action: 'pong', epoch, prev: 3, seq: 3 }]);
  });

  test('[RT4] what another process wrote is found at the next ping', async () => {
    const { hub, clock, table } = newHub();
    const peer = await greeted(hub);
    await create(newStore(table), ALICE, [1, 2]);
    await settle();
    expect(peer.events).toEqual([]);
    await clock.advance(25_000);
    expect(peer.seqs).toEqual([1, 2]);
  });
});

describe('owners', () => {
  test('[RT8] what is published for one owner reaches no other, whatever their filters say', async () => {
    const { hub, clock, store } = newHub();
    const filter = { nodeIds: [idOf(1)] };
    const [alice, bob] = [await greeted(hub, { filter }), await greeted(hub, { token: 'bob', filter })];
    await create(store, ALICE, [1]);
    await create(store, BOB, [1, 2]);
    await touch(store, BOB, 1, 'of Bob');
    await clock.advance(100);
    expect([alice.seqs, bob.seqs]).toEqual([[1], [1, 3]]);
    expect(alice.texts.join('')).not.toMatch(/bob/i);
    expect(bob.texts.join('')).not.toMatch(/alice/);
  });
});

describe('the end', () => {
  test('[RT10] a stopping server says bye to every connection before it closes it, and takes no other', async () => {
    const { hub, clock } = newHub();
    const peers = [await greeted(hub), await greeted(hub, { token: 'bob' }), new Peer(hub)];
    hub.close();
    for (const peer of peers) {
      expect(peer.frames.at(-1)).toMatchObject({ action: 'bye', code: 4503, reconnect: true });
      expect(peer.closed?.code).toBe(4503);
    }
    expect(() => new Peer(hub)).toThrow('the hub takes no more');
    expect([hub.metrics.connections, clock.waiting]).toEqual([0, 0]);
    expect(hub.metrics.closes.get('4503')).toBe(3);
  });

  test('[RT10] an owner has a limited number of connections, and so has the process', async () => {
    const { hub } = newHub({ limits: { connectionsOfOwner: 2, connections: 4 } });
    await greeted(hub);
    const second = await greeted(hub);
    expect((await greeted(hub)).closed?.code).toBe(4429);
    await greeted(hub, { token: 'bob' });
    const last = new Peer(hub);
    expect(() => new Peer(hub)).toThrow('the hub takes no more');
    expect(hub.metrics.refused.get('limit')).toBe(1);
    last.session.gone(1001);
    second.session.gone(1001);
    expect((await greeted(hub)).closed).toBeUndefined();
  });
});
