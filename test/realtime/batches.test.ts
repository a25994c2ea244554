import { describe, expect, test } from 'vitest';
import { updateNode } from '../../src/domain/node.ts';
import { settle } from '../support/manual-clock.ts';
import { ALICE, create, greeted, idOf, newHub, newStore, range } from './peer.ts';

describe('batches', () => {
  test('[RT5] five frames leave at once, and what follows as one batch each 8 ms, by the timer', async () => {
    const { hub, clock, store } = newHub();
    const peer = await greeted(hub);
    for (const number of range(1, 5)) {
      await create(store, ALICE, [number]);
      await settle();
    }
    expect(peer.actions.slice(1)).toEqual(['event', 'event', 'event', 'event', 'event']);
    for (const number of [6, 7, 8]) await create(store, ALICE, [number]);
    await clock.advance(7);
    expect(peer.seqs).toEqual(range(1, 5));
    await clock.advance(1);
    expect(peer.actions.at(-1)).toBe('batch');
    expect(peer.events.map(({ seq, prev }) => [prev, seq])).toEqual(range(1, 8).map((seq) => [seq - 1, seq]));
    await create(store, ALICE, [9]);
    await clock.advance(7);
    expect(peer.seqs).toEqual(range(1, 8));
    await clock.advance(1);
    expect(peer.seqs).toEqual(range(1, 9));
  });

  test('[RT5] events that come every 10 ms, a timer late or early, leave each at once', async () => {
    const { hub, clock, store } = newHub();
    const peer = await greeted(hub);
    const waits = [5, 15, 5, 5, 20, 0, 0, 30, 10, 10, 3, 17];
    for (const [at, waitMs] of [...waits, ...waits, ...waits].entries()) {
      await clock.advance(waitMs);
      await create(store, ALICE, [at + 1]);
      await settle();
      expect(peer.seqs.at(-1)).toBe(at + 1);
    }
  });

  test('[RT5] a busy log leaves in a frame each 8 ms, however many events it has', async () => {
    const { hub, clock, store } = newHub();
    const peer = await greeted(hub);
    for (const number of range(1, 200)) {
      await create(store, ALICE, [number]);
      await clock.advance(1);
    }
    await clock.advance(10);
    expect(peer.seqs).toEqual(range(1, 200));
    const frames = peer.actions.slice(1).length;
    expect(frames).toBeGreaterThanOrEqual(200 / 8);
    expect(frames).toBeLessThanOrEqual(200 / 8 + 5);
  });

  test('[RT5] an event waits no longer because somebody read what came before it meanwhile', async () => {
    const { hub, clock, store } = newHub();
    const peer = await greeted(hub);
    for (const number of range(1, 5)) {
      await create(store, ALICE, [number]);
      await settle();
    }
    await create(store, ALICE, [6]);
    const { epoch } = await store.head(ALICE);
    const resumed = await greeted(hub, { resume: { epoch, seq: 5 } });
    await create(store, ALICE, [7]);
    await clock.advance(8);
    expect([peer.seqs, resumed.seqs]).toEqual([range(1, 7), [6, 7]]);
  });

  test('[RT5] what another process commits before its commits are followed does not wait for a ping', async () => {
    const isFollowed = Promise.withResolvers<() => void>();
    const { hub, store, table } = newHub({ follow: () => isFollowed.promise });
    await create(store, ALICE, [1]);
    const peer = await greeted(hub);
    await create(newStore(table), ALICE, [2]);
    isFollowed.resolve(() => undefined);
    await settle(50);
    expect(peer.seqs).toEqual([2]);
  });

  test('[RT5] a clock that is set back by an hour keeps no event waiting for more than 8 ms', async () => {
    const { hub, clock, store } = newHub();
    const peer = await greeted(hub);
    for (const number of range(1, 6)) await create(store, ALICE, [number]);
    await clock.advance(20);
    await clock.advance(-3_600_000);
    for (const number of range(7, 20)) {
      await create(store, ALICE, [number]);
      await clock.advance(8);
      expect(peer.seqs.at(-1)).toBe(number);
    }
  });

  test('[RT5] a batch has at most 64 events and 30 KB', async () => {
    const { hub, clock, store } = newHub();
    const peer = await greeted(hub);
    await create(store, ALICE, [1]);
    await store.write(ALICE, async (tx) => {
      for (const number of range(1, 159)) {
        const node = await tx.nodes.get(idOf(1));
        tx.nodes.apply(updateNode(node, { title: `${number}` }, tx.now));
      }
    });
    for (const number of range(200, 206))
      await create(store, ALICE, [number], { content: 'x'.repeat(9_000) });
    await clock.advance(1_000);
    const batches = peer.of('batch');
    expect(Math.max(...batches.map((batch) => batch.events.length))).toBe(64);
    for (const text of peer.texts) expect(Buffer.byteLength(text)).toBeLessThanOrEqual(30_100);
    expect(peer.seqs).toEqual(range(1, 167));
  });

  test('[RT5] an event above 24 KB comes without its data, and says where that is', async () => {
    const { hub, store } = newHub();
    const peer = await greeted(hub);
    await create(store, ALICE, [1], { content: 'é'.repeat(12_000) });
    await settle();
    const { epoch } = await store.head(ALICE);
    expect(peer.events).toMatchObject([
      { data: null, ref: `/api/v2/changes?after=0&epoch=${epoch}&limit=1`, version: 1 },
    ]);
    await create(store, ALICE, [2], { content: 'e'.repeat(12_000) });
    await settle();
    expect(Buffer.byteLength(peer.texts.at(-1) ?? '')).toBeLessThan(30_000);
  });

  test('[RT5] one event is serialised once, however many listen and whatever they filter', async () => {
    const { hub, clock, store } = newHub();
    const peers = await Promise.all(
      range(1, 50).map((n) => greeted(hub, n % 2 ? {} : { filter: { types: ['node.*'] } })),
    );
    for (const number of range(1, 20)) await create(store, ALICE, [number]);
    await clock.advance(100);
    for (const peer of peers) expect(peer.seqs).toEqual(range(1, 20));
    expect(hub.metrics.serialised.get()).toBe(20);
    expect(hub.metrics.sent.get()).toBe(1_000);
  });

  test('[RT5] what was read of the log is shared for five seconds, and kept no longer', async () => {
    const { hub, clock, store } = newHub();
    const reads = { count: 0 };
    const { changes } = store;
    store.changes = (...given) => (reads.count++, changes.apply(store, given));
    await create(store, ALICE, range(1, 20));
    const { epoch } = await store.head(ALICE);
    const resume = { epoch, seq: 3 };
    for (const _ of range(1, 5)) expect((await greeted(hub, { resume })).seqs).toEqual(range(4, 20));
    const shared = reads.count;
    await clock.advance(5_000);
    reads.count = 0;
    const late = await greeted(hub, { resume });
    expect(late.seqs).toEqual(range(4, 20));
    expect([shared, reads.count]).toEqual([1, 1]);
  });

  test('[RT5] readers who all want something else each get it, though what was made for them is not kept', async () => {
    const { hub, clock, store } = newHub();
    const peers = await Promise.all(
      range(1, 20).map((n) => greeted(hub, { filter: { nodeIds: [idOf(n), idOf(100)] } })),
    );
    await create(store, ALICE, [...range(1, 30), 100]);
    await clock.advance(100);
    for (const [at, peer] of peers.entries()) expect(peer.seqs).toEqual([at + 1, 31]);
    expect(hub.metrics.serialised.get()).toBe(21);
  });

  test('[RT5] publishing costs nothing when nobody listens: the log is not read, nothing is serialised', async () => {
    const { hub, clock, store } = newHub();
    const reads = { count: 0 };
    const { changes, head } = store;
    store.changes = (...given) => (reads.count++, changes.apply(store, given));
    store.head = (...given) => (reads.count++, head.apply(store, given));
    await create(store, ALICE, range(1, 20));
    const other = await greeted(hub, { token: 'bob' });
    reads.count = 0;
    await create(store, ALICE, range(21, 40));
    await clock.advance(1_000);
    expect([reads.count, hub.metrics.serialised.get(), clock.waiting]).toEqual([0, 0, 1]);
    other.session.gone(1001);
    expect(clock.waiting).toBe(0);
  });
});
