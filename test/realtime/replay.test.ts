import { describe, expect, test } from 'vitest';
import { Hub } from '../../src/realtime/hub.ts';
import { settle } from '../support/manual-clock.ts';
import { ALICE, authenticate, create, greeted, newHub, Peer, range, touch } from './peer.ts';

describe('resuming', () => {
  test('[RT2] every event after the position comes once, in order, marked, and then the live ones', async () => {
    const { hub, store, clock } = newHub();
    await create(store, ALICE, [1]);
    for (const number of range(2, 200)) await create(store, ALICE, [number]);
    const { epoch } = await store.head(ALICE);
    for (const from of [0, 1, 63, 64, 65, 199, 200]) {
      const peer = await greeted(hub, { resume: { epoch, seq: from } });
      await settle(200);
      expect(peer.of('welcome')).toMatchObject([{ resumed: true, seq: 200 }]);
      expect(peer.seqs).toEqual(range(from + 1, 200));
      expect(peer.events.every((event) => event.replayed === true)).toBe(true);
      expect(peer.events.map((event) => event.prev)).toEqual(range(from, 199));
      expect(peer.of('replay.begin')).toEqual([{ action: 'replay.begin', from, to: 200 }]);
      expect(peer.frames.at(-1)).toEqual({ action: 'replay.end', from, to: 200, count: 200 - from });
      peer.session.gone(1001);
    }
    const peer = await greeted(hub, { resume: { epoch, seq: 190 } });
    await create(store, ALICE, [201]);
    await clock.advance(20);
    expect(peer.seqs).toEqual(range(191, 201));
    expect(peer.events.at(-1)?.replayed).toBeUndefined();
    expect(hub.metrics.replays.get('complete')).toBe(8);
  });

  test('whoever leaves while the log is read leaves nothing behind, at whatever moment', async () => {
    const { hub, store, clock } = newHub();
    await create(store, ALICE, [1, 2]);
    const { epoch } = await store.head(ALICE);
    let last = 0;
    for (let turns = 0; last < 2; turns++) {
      const peer = new Peer(hub);
      peer.say({ action: 'hello', token: 'alice', resume: { epoch, seq: 0 } });
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      last = peer.seqs.at(-1) ?? 0;
      peer.session.gone(1001);
      await settle();
      expect([turns, clock.waiting]).toEqual([turns, 0]);
    }
  });

  test('[RT2] under a filter a replay leaves out what is not wanted, and says so by `prev`', async () => {
    const { hub, store } = newHub();
    for (const number of range(1, 5)) {
      await create(store, ALICE, [number], number % 2 ? { tags: ['odd'] } : {});
      await touch(store, ALICE, number, 'again');
    }
    const { epoch } = await store.head(ALICE);
    const peer = await greeted(hub, {
      resume: { epoch, seq: 2 },
      filter: { tags: ['Odd'], types: ['node.updated'] },
    });
    await settle(100);
    expect(peer.events.map(({ prev, seq }) => [prev, seq])).toEqual([
      [2, 6],
      [6, 10],
    ]);
    expect(peer.of('replay.end')).toMatchObject([{ from: 2, to: 10, count: 2 }]);
  });

  test.each([
    ['epoch_changed', { epoch: 'another', seq: 3 }],
    ['invalid', { seq: 99 }],
    ['trimmed', { seq: 1 }],
    ['too_many', { seq: 3 }],
  ])(
    '[RT2] where that cannot be, there is one resync that says %s, and no part of anything',
    async (reason, from) => {
      const { hub, store, clock } = newHub({ limits: { replayEvents: 6 } });
      for (const number of range(1, 10)) await create(store, ALICE, [number]);
      const { epoch } = await store.head(ALICE);
      await store.trim(ALICE, { events: 7, since: '' as never });
      const peer = await greeted(hub, { resume: { epoch, ...from } });
      await create(store, ALICE, [11]);
      await clock.advance(100);
      expect(peer.actions).toEqual(['welcome', 'resync']);
      expect(peer.of('welcome')[0]?.resumed).toBe(false);
      expect(peer.of('resync')).toEqual([
        { action: 'resync', reason, epoch, seq: 10, snapshotUrl: '/api/v2/graph' },
      ]);
      expect(hub.metrics.replays.get(reason)).toBe(1);
      peer.say({ action: 'resume', epoch, seq: 9 });
      await settle(100);
      expect(peer.seqs).toEqual([10, 11]);
    },
  );

  test('[RT1 RT2] a ping moves no reader that stands where the log cannot be read on from', async () => {
    const { hub, store, clock } = newHub();
    await create(store, ALICE, [1, 2, 3]);
    const { epoch } = await store.head(ALICE);
    const peer = await greeted(hub, { resume: { epoch: 'another', seq: 9 } });
    await clock.advance(30_000);
    peer.say({ action: 'resume', epoch, seq: 99 });
    await settle();
    peer.say({ action: 'ping' });
    expect(peer.of('ping')).toEqual([{ action: 'ping', epoch: 'another', prev: 9, seq: 9 }]);
    expect(peer.of('pong')).toEqual([{ action: 'pong', epoch, prev: 99, seq: 99 }]);
  });

  test('[RT2] a log that is trimmed under a reader strands it by name, never past a hole', async () => {
    const { hub, store } = newHub();
    for (const number of range(1, 300)) await create(store, ALICE, [number]);
    const { epoch } = await store.head(ALICE);
    const trimming = new Hub({
      log: {
        head: (owner) => store.head(owner),
        onCommit: (listener) => store.onCommit(listener),
        async changes(owner, after, limit) {
          if (after.seq >= 64) await store.trim(ALICE, { events: 50, since: '' as never });
          return store.changes(owner, after, limit);
        },
      },
      authenticate,
      newId: () => 'c1',
    });
    const peer = await greeted(trimming, { resume: { epoch, seq: 0 } });
    await settle(200);
    expect(peer.seqs).toEqual(range(1, 64));
    expect(peer.frames.at(-1)).toMatchObject({ action: 'resync', reason: 'trimmed', seq: 300 });
    hub.close();
    trimming.close();
  });

  test('[RT3] it works on another process over the same log', async () => {
    const first = newHub();
    await create(first.store, ALICE, range(1, 5));
    const peer = await greeted(first.hub);
    await create(first.store, ALICE, range(6, 9));
    await settle();
    const last = peer.events.at(-1);
    // The process is gone without a word.
    const second = newHub({}, first.table);
    await create(second.store, ALICE, range(10, 12));
    const again = await greeted(second.hub, { resume: { epoch: last?.epoch ?? '', seq: last?.seq ?? 0 } });
    await settle(50);
    expect([...peer.seqs, ...again.seqs]).toEqual(range(6, 12));
  });

  test('[RT1] a client that found a hole resumes on the same connection', async () => {
    const { hub, store, clock } = newHub();
    const peer = await greeted(hub);
    await create(store, ALICE, range(1, 5));
    await settle();
    peer.forget();
    const { epoch } = await store.head(ALICE);
    peer.say({ action: 'resume', epoch, seq: 2 });
    await create(store, ALICE, [6]);
    await clock.advance(50);
    expect(peer.seqs).toEqual([3, 4, 5, 6]);
    expect(peer.actions[0]).toBe('replay.begin');
    expect(hub.metrics.gaps.get()).toBe(1);
  });

  test('[RT2] of two resumes one after the other the last counts', async () => {
    const { hub, store } = newHub();
    for (const number of range(1, 200)) await create(store, ALICE, [number]);
    const peer = await greeted(hub);
    const { epoch } = await store.head(ALICE);
    peer.say({ action: 'resume', epoch, seq: 0 });
    peer.say({ action: 'resume', epoch, seq: 100 });
    await settle(200);
    expect(peer.of('replay.begin').at(-1)?.from).toBe(100);
    const lastBegin = peer.frames.findLastIndex((frame) => frame.action === 'replay.begin');
    expect(
      peer.frames.slice(lastBegin).flatMap((f) => (f.action === 'batch' ? f.events.map((e) => e.seq) : [])),
    ).toEqual(range(101, 200));
  });
});

describe('slow readers', () => {
  test('[RT6] above 256 KB waiting nothing more is sent; when it drains, the log serves on, nothing lost', async () => {
    const { hub, store, clock } = newHub();
    const slow = await greeted(hub);
    const quick = await greeted(hub);
    slow.isStalled = true;
    for (const number of range(1, 60)) await create(store, ALICE, [number], { content: 'x'.repeat(20_000) });
    await clock.advance(500);
    expect(quick.seqs).toEqual(range(1, 60));
    const sent = slow.seqs.length;
    expect(sent).toBeLessThan(20);
    expect(slow.bufferedAmount).toBeLessThan(256 * 1024 + 30_000);
    expect(hub.metrics.lagging).toBe(1);
    await clock.advance(20_000);
    expect(slow.seqs).toHaveLength(sent);
    slow.isStalled = false;
    slow.bufferedAmount = 0;
    await clock.advance(100);
    expect(slow.seqs).toEqual(range(1, 60));
    expect(hub.metrics.lagging).toBe(0);
    await create(store, ALICE, [61]);
    await clock.advance(100);
    expect(slow.seqs.at(-1)).toBe(61);
  });

  test('[RT6] one that lags for more than 30 seconds is sent away, to come back and resume', async () => {
    const { hub, store, clock } = newHub();
    const slow = await greeted(hub);
    slow.isStalled = true;
    slow.answersPings = false; // it does not read them
    for (const number of range(1, 30)) await create(store, ALICE, [number], { content: 'x'.repeat(20_000) });
    await clock.advance(500);
    await clock.advance(29_400);
    expect(slow.closed).toBeUndefined();
    await clock.advance(1_000);
    expect(slow.of('bye')).toMatchObject([{ code: 4508, reconnect: true }]);
    const last = slow.events.at(-1);
    const again = await greeted(hub, { resume: { epoch: last?.epoch ?? '', seq: last?.seq ?? 0 } });
    await settle(100);
    expect([...slow.seqs, ...again.seqs]).toEqual(range(1, 30));
  });

  test('[RT6] in a replay too, and the replay still ends with its count', async () => {
    const { hub, store, clock } = newHub();
    for (const number of range(1, 60)) await create(store, ALICE, [number], { content: 'x'.repeat(20_000) });
    const { epoch } = await store.head(ALICE);
    const peer = await greeted(hub, { filter: null });
    peer.isStalled = true;
    peer.say({ action: 'subscribe', id: 'all', filter: {} });
    peer.say({ action: 'resume', epoch, seq: 0 });
    await settle(100);
    expect(peer.seqs.length).toBeLessThan(20);
    peer.isStalled = false;
    peer.bufferedAmount = 0;
    await clock.advance(100);
    expect(peer.seqs).toEqual(range(1, 60));
    expect(peer.of('replay.end')).toEqual([{ action: 'replay.end', from: 0, to: 60, count: 60 }]);
  });
});

test('[RT7] a snapshot and a resume from its position give exactly the state, whatever is written meanwhile', async () => {
  const { hub, store, clock } = newHub();
  await create(store, ALICE, range(1, 10));
  const writing = range(11, 40).map((number) => create(store, ALICE, [number]));
  const { value, position } = await store.snapshot(ALICE, async (from) => {
    const titles = new Map<string, string>();
    for await (const node of from.nodes.all()) titles.set(node.id, node.title);
    return titles;
  });
  await Promise.all(writing);
  const peer = await greeted(hub, { resume: position });
  await clock.advance(100);
  for (const { nodeId, data } of peer.events)
    value.set(nodeId ?? '', (data as { node: { title: string } }).node.title);
  const all = await store.snapshot(ALICE, (from) => Array.fromAsync(from.nodes.all()));
  expect(value).toEqual(new Map(all.value.map((node) => [node.id, node.title])));
  expect(peer.events.length).toBe(40 - position.seq);
});
