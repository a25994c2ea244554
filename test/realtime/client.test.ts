import { describe, expect, test } from 'vitest';
import type { ServerFrame } from '../../src/api/realtime.ts';
import { judge } from '../../src/client/position.ts';
import { RealtimeClient } from '../../src/client/realtime-client.ts';
import type { RealtimeItem, RealtimeOptions } from '../../src/client/realtime-options.ts';
import { ManualClock, settle } from '../support/manual-clock.ts';
import { ALICE, create, newHub, principalOf, range } from './peer.ts';
import { Network, type MemorySocket } from './network.ts';

/** A client of a hub over a network in memory, with what it was given. */
function connected(options: Partial<RealtimeOptions> = {}, random?: () => number) {
  const clock = new ManualClock(undefined, random);
  const server = newHub({ clock });
  const network = new Network((_wire, frame) => said.push(frame.action));
  network.hub = server.hub;
  const said: string[] = [];
  const tickets: string[] = [];
  const wires: MemorySocket[] = [];
  const items: RealtimeItem[] = [];
  const states: string[] = [];
  const client = new RealtimeClient({
    url: 'http://brain.test',
    clock,
    WebSocket: network.socketClass((wire) => wires.push(wire)),
    ticket: async () => {
      const { ticket } = await server.hub.tickets.issue(principalOf(ALICE));
      tickets.push(ticket);
      return ticket;
    },
    ...options,
  });
  client.on({ item: (item) => items.push(item), state: (state) => states.push(state) });
  const seqs = () => items.flatMap((item) => (item.kind === 'event' ? [item.event.seq] : []));
  return { ...server, clock, network, client, items, states, said, tickets, wires, seqs };
}

const position = (seq: number, epoch = 'e') => ({ epoch, seq });

test.each([
  ['accept', 5, 5, 6],
  ['accept', 5, 3, 9],
  ['duplicate', 5, 4, 5],
  ['duplicate', 5, 0, 1],
  ['gap', 5, 6, 7],
] as const)('[RT1] a frame is an %s by its prev and seq alone', (verdict, last, prev, seq) => {
  expect(judge(position(last), { ...position(seq), prev })).toBe(verdict);
});

test('[RT1] a frame of another log is a gap, but for who stands before the first event of all', () => {
  expect(judge(position(5, 'a'), { ...position(6, 'b'), prev: 5 })).toBe('gap');
  expect(judge(position(0, ''), { ...position(1, 'b'), prev: 0 })).toBe('accept');
});

describe('the client', () => {
  test('[RT2] begins with what is new, and goes on where it was after a cut, with a fresh ticket each time', async () => {
    const { client, store, clock, wires, seqs, tickets, states } = connected();
    await create(store, ALICE, [1, 2]);
    client.start();
    await settle();
    expect([client.position?.seq, client.state]).toEqual([2, 'live']);
    await create(store, ALICE, [3]);
    await settle();
    wires.at(-1)?.cut();
    await create(store, ALICE, [4, 5]);
    await clock.advance(5_000);
    expect(seqs()).toEqual([3, 4, 5]);
    expect(states).toEqual(['connecting', 'live', 'waiting', 'connecting', 'replaying', 'live']);
    expect(new Set(tickets).size).toBe(2);
    client.stop();
    await settle();
    expect(clock.waiting).toBe(0);
  });

  test('[RT1] finds a frame that was lost, under a filter too, by the next frame or the next ping', async () => {
    const { client, store, clock, wires, seqs, said, hub } = connected({
      filter: { types: ['node.created'] },
    });
    client.start();
    await settle();
    await create(store, ALICE, [1]);
    await clock.advance(50);
    wires[0]!.lose = 1;
    await create(store, ALICE, [2]);
    await clock.advance(50);
    await create(store, ALICE, [3]);
    await clock.advance(50);
    expect(seqs()).toEqual([1, 2, 3]);
    wires[0]!.lose = 1;
    await create(store, ALICE, [4]);
    await clock.advance(50);
    expect(seqs()).toEqual([1, 2, 3]);
    await clock.advance(30_000);
    expect(seqs()).toEqual([1, 2, 3, 4]);
    expect(wires).toHaveLength(1);
    expect(said.filter((action) => action === 'resume')).toHaveLength(2);
    expect(hub.metrics.gaps.get()).toBe(2);
  });

  test('[RT4] takes silence for the end', async () => {
    const { client, store, clock, wires, seqs } = connected();
    client.start();
    await settle();
    wires[0]!.isDead = true;
    await create(store, ALICE, [1]);
    await clock.advance(25_000 * 1.1 + 10_000 + 40_000);
    expect(wires.length).toBe(2);
    expect(seqs()).toEqual([1]);
  });

  test('[RT2] reads everything anew where the log cannot be read on, and goes on from exactly there', async () => {
    const snapshots: number[] = [];
    const made = connected({
      from: position(7, 'gone'),
      snapshot: async () => {
        const { epoch, seq } = await made.store.head(ALICE);
        snapshots.push(seq);
        await create(made.store, ALICE, [seq + 1]);
        return { epoch, seq };
      },
    });
    await create(made.store, ALICE, [1, 2, 3]);
    made.client.start();
    await settle(50);
    expect(made.items.map((item) => [item.kind, item.position.seq])).toEqual([
      ['snapshot', 3],
      ['event', 4],
    ]);
    expect(made.items[0]).toMatchObject({ reason: 'epoch_changed' });
    expect(snapshots).toEqual([3]);
  });

  test('[RT2] without a snapshot it says what is to be read anew, and goes on from the head', async () => {
    const { client, store, items } = connected({ from: position(7, 'gone') });
    await create(store, ALICE, [1, 2, 3]);
    client.start();
    await settle(50);
    await create(store, ALICE, [4]);
    await settle(50);
    expect(items.map((item) => [item.kind, item.position.seq])).toEqual([
      ['reset', 3],
      ['event', 4],
    ]);
  });

  test('breaks a loop of snapshots that do not help, and says why', async () => {
    const { client, store, clock, items } = connected({
      from: position(7, 'gone'),
      snapshot: async () => position(7, 'gone too'),
    });
    await create(store, ALICE, [1]);
    const events = client[Symbol.asyncIterator]();
    await clock.advance(200_000);
    expect(client.state).toBe('stopped');
    expect(items.filter((item) => item.kind === 'snapshot').length).toBeLessThanOrEqual(5);
    while (events.size > 0) await events.next();
    await expect(events.next()).rejects.toThrow('reading everything anew did not help: epoch_changed');
  });

  test('gives up a connection on which the same hole comes again and again', async () => {
    const { client, store, clock, wires, seqs } = connected();
    client.start();
    await settle();
    wires[0]!.lose = 1_000;
    for (const number of range(1, 12)) {
      await create(store, ALICE, [number]);
      await clock.advance(50);
    }
    await clock.advance(150_000);
    expect(wires.length).toBeGreaterThan(1);
    expect(seqs()).toEqual(range(1, 12));
  });

  test('[RT1] gives up a connection on which a resume is not answered: it would take no event any more', async () => {
    const { client, store, clock, wires, seqs } = connected();
    client.start();
    await settle();
    const [wire] = wires;
    const send = wire!.send.bind(wire);
    wire!.send = (text) => (text.includes('"resume"') ? undefined : send(text));
    wire!.lose = 1;
    for (const number of [1, 2]) {
      await create(store, ALICE, [number]);
      await clock.advance(50);
    }
    expect(seqs()).toEqual([]);
    await clock.advance(11_000);
    await create(store, ALICE, [3]);
    await clock.advance(50);
    expect([seqs(), wires.length, client.state]).toEqual([[1, 2, 3], 2, 'live']);
  });

  test('asks for another ticket where one does not come, and has no use for it when it comes', async () => {
    const late = Promise.withResolvers<string>();
    let asked = 0;
    const made = connected({
      ticket: async () => {
        asked += 1;
        return asked === 1 ? late.promise : (await made.hub.tickets.issue(principalOf(ALICE))).ticket;
      },
    });
    made.client.start();
    await made.clock.advance(31_000);
    expect([asked, made.client.state]).toEqual([2, 'live']);
    late.reject(new Error('the network is gone'));
    await made.clock.advance(60_000);
    expect([asked, made.client.state, made.wires.length]).toEqual([2, 'live', 1]);
  });

  test('started again it minds no failure of the attempt that was stopped', async () => {
    const tickets = [Promise.withResolvers<string>(), Promise.withResolvers<string>()];
    let asked = 0;
    const { client, clock, wires, hub } = connected({ ticket: () => tickets[asked++]!.promise });
    client.start();
    client.stop();
    client.start();
    tickets[0]!.reject(new Error('of before'));
    await settle();
    tickets[1]!.resolve((await hub.tickets.issue(principalOf(ALICE))).ticket);
    await clock.advance(5_000);
    expect([asked, wires.length, client.state]).toEqual([2, 1, 'live']);
  });

  test('waits up to 0.5 s after the first failure, and twice as long after each, up to 30 s', async () => {
    const { client, network, clock, wires } = connected({}, () => 0.999);
    network.hub = undefined;
    client.start();
    await settle();
    const waits: number[] = [];
    for (let at = 0, last = clock.nowMs(), known = 1; at < 40_000 && waits.length < 9; at++) {
      await clock.advance(100);
      if (wires.length === known) continue;
      known = wires.length;
      waits.push(Math.round((clock.nowMs() - last) / 500) * 500);
      last = clock.nowMs();
    }
    expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
  });

  test('[RT9] renews its credential in place when it is told that it expires', async () => {
    const made = connected({
      ticket: async () => {
        const principal = principalOf(ALICE, { expiresAtMs: made.clock.nowMs() + 90_000 });
        return (await made.hub.tickets.issue(principal)).ticket;
      },
    });
    made.client.start();
    await made.clock.advance(400_000);
    expect(made.wires).toHaveLength(1);
    expect(made.said.filter((action) => action === 'auth').length).toBeGreaterThan(5);
    expect(made.client.state).toBe('live');
  });

  test('[RT9] stops when its credentials are refused three times, not before, and not in a hurry', async () => {
    const { client, clock, wires } = connected({ ticket: async () => 'made up' });
    client.start();
    await settle();
    expect([wires.length, client.state]).toEqual([1, 'waiting']);
    await clock.advance(60_000);
    expect([wires.length, client.state, client.error?.code]).toEqual([3, 'stopped', 4401]);
  });

  test('[RT9] started again after that it minds three refusals anew', async () => {
    const made = connected({
      ticket: async () =>
        made.wires.length < 4 ? 'made up' : (await made.hub.tickets.issue(principalOf(ALICE))).ticket,
    });
    made.client.start();
    await made.clock.advance(60_000);
    expect(made.client.state).toBe('stopped');
    made.client.start();
    await made.clock.advance(60_000);
    expect([made.client.state, made.client.error]).toEqual(['live', undefined]);
  });

  test('does not wait long for the close that a bye has announced', async () => {
    const made = connected({
      ticket: async () => (await hub.tickets.issue(principalOf(ALICE))).ticket,
    });
    let { hub } = made;
    const { client, clock, network, wires, seqs } = made;
    client.on({ frame: ({ action }) => action === 'bye' && (wires[0]!.isDead = true) });
    client.start();
    await settle();
    const next = newHub({ clock }, made.table);
    hub.close();
    network.hub = hub = next.hub;
    await create(next.store, ALICE, [1]);
    await clock.advance(10_000);
    expect([wires.length, seqs(), client.state]).toEqual([2, [1], 'live']);
  });

  test('hears something else from the event on that the server names', async () => {
    const { client, store, clock, items } = connected({ filter: { types: ['category.*'] } });
    const frames: ServerFrame[] = [];
    client.on({ frame: (frame) => frames.push(frame) });
    client.start();
    await settle();
    await create(store, ALICE, [1, 2]);
    await clock.advance(20);
    client.setFilter({ types: ['node.*'] });
    await settle();
    await create(store, ALICE, [3]);
    await clock.advance(20);
    expect(frames.filter((frame) => frame.action === 'subscribed')).toEqual([
      { action: 'subscribed', id: 'hello', fromSeq: 2 },
    ]);
    expect(items.map((item) => item.position.seq)).toEqual([3]);
  });

  test('sends a filter that was set while it was connecting', async () => {
    const { client, store, seqs } = connected({ filter: { types: ['category.*'] } });
    client.start();
    client.setFilter({ types: ['node.*'] });
    await settle();
    await create(store, ALICE, [1]);
    await settle();
    expect(seqs()).toEqual([1]);
  });

  test('a consumer that is too slow costs the connection, never an event', async () => {
    const { client, store, clock, wires } = connected({ mostWaiting: 10 });
    const events = client[Symbol.asyncIterator]();
    await settle();
    for (const number of range(1, 40)) await create(store, ALICE, [number]);
    await clock.advance(1_000);
    expect([client.state, events.size]).toEqual(['paused', 10]);
    const taken: number[] = [];
    while (taken.length < 40) {
      const next = events.next();
      await clock.advance(1_000);
      const { value } = await next;
      taken.push(value?.position.seq ?? 0);
    }
    expect(taken).toEqual(range(1, 40));
    expect(wires.length).toBeGreaterThan(3);
    await events.return();
    client.stop();
  });

  test('a consumer that leaves while it is the one that is too slow keeps the others from nothing', async () => {
    const { client, store, clock, seqs } = connected({ mostWaiting: 10 });
    const [slow, quick] = [client[Symbol.asyncIterator](), client[Symbol.asyncIterator]()];
    const taken: number[] = [];
    const takeAll = async (): Promise<void> => {
      for await (const { position: at } of quick) taken.push(at.seq);
    };
    const end = takeAll();
    await settle();
    for (const number of range(1, 40)) await create(store, ALICE, [number]);
    await clock.advance(1_000);
    expect([client.state, slow.size, taken]).toEqual(['paused', 10, range(1, 10)]);
    await slow.return();
    await clock.advance(1_000);
    expect([client.state, taken, seqs()]).toEqual(['live', range(1, 40), range(1, 40)]);
    expect(await slow.next()).toEqual({ value: undefined, done: true });
    client.stop();
    await end;
  });

  test('where no socket can be made it stops and says so: trying again is of no use', async () => {
    const { client, clock } = connected({ url: 'no address' });
    await expect(client[Symbol.asyncIterator]().next()).rejects.toThrow(
      'no socket can be made to no address',
    );
    expect([client.state, client.error?.code, clock.waiting]).toEqual(['stopped', 0, 0]);
  });

  test('iterations end when it is stopped, and a listener that stops it gets nothing more', async () => {
    const { client, store, clock, items } = connected();
    const events = client[Symbol.asyncIterator]();
    await settle();
    client.on({ item: (item) => item.position.seq === 2 && client.stop() });
    const waiting = [events.next(), events.next(), events.next()];
    await create(store, ALICE, range(1, 9));
    await clock.advance(100);
    expect((await Promise.all(waiting)).map(({ value }) => value?.position.seq)).toEqual([1, 2, undefined]);
    expect(items.map((item) => item.position.seq)).toEqual([1, 2]);
  });
});
