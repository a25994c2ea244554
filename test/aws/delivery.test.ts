import { expect, test } from 'vitest';
import type { ServerFrame } from '../../src/api/realtime.ts';
import { Connections, type Connection } from '../../src/aws/connections.ts';
import { Delivery, LEASE_MS } from '../../src/aws/delivery.ts';
import type { Gateway, Posted } from '../../src/aws/gateway.ts';
import { serverFrame } from '../realtime/frames.ts';
import { ALICE, create, newStore, principalOf, range } from '../realtime/peer.ts';
import { MemoryTable } from '../support/memory-table.ts';

/** Not in the past, or the table would forget what it is given. */
const START_MS = Date.now();

/** A gateway that does what `onPost` says, and what it took. */
function newGateway() {
  const frames: ServerFrame[] = [];
  const hooks: { onPost: (frame: ServerFrame) => Promise<Posted> } = { onPost: async () => 'sent' };
  const gateway: Gateway = {
    async post(_id, bytes) {
      const frame = serverFrame(Buffer.from(bytes).toString());
      const posted = await hooks.onPost(frame);
      if (posted === 'sent') frames.push(frame);
      return posted;
    },
    close: async () => undefined,
  };
  const events = (frame: ServerFrame) =>
    frame.action === 'event' ? [frame] : frame.action === 'batch' ? frame.events : [];
  return { gateway, frames, hooks, seqs: () => frames.flatMap(events).map(({ seq }) => seq) };
}

/** Deliveries to one connection, over a table in memory. */
function newDelivery() {
  const table = new MemoryTable();
  let looks = 0;
  const nowMs = () => START_MS + looks++;
  const log = newStore(table);
  const connections = new Connections({ table, nowMs });
  /** Somebody who was greeted, and is live at the head of the log. */
  async function greet(): Promise<Connection> {
    const { epoch, seq } = await log.head(ALICE);
    const connection: Connection = {
      id: 'c',
      owner: ALICE,
      principal: principalOf(ALICE),
      helloId: 'm',
      subscriptions: [['hello', {}]],
      epoch,
      covered: seq,
      told: seq,
      phase: { kind: 'live' },
      ver: 1,
    };
    await connections.arrive('c', undefined);
    await connections.greet((await connections.arrival('c'))!, connection);
    return connection;
  }
  const stored = async () => (await connections.find(ALICE, 'c'))!;
  const invoke = () => {
    const made = newGateway();
    return { ...made, delivery: new Delivery({ log, connections, gateway: made.gateway, nowMs }) };
  };
  return { nowMs, connections, log, greet, stored, invoke, ...invoke() };
}

test('[RT2] a resync that the gateway refuses is said again: who was never told waits for nothing', async () => {
  const { delivery, log, frames, hooks, greet, stored } = newDelivery();
  await create(log, ALICE, [1]);
  await greet();
  for (const number of range(2, 9)) await create(log, ALICE, [number]);
  await log.trim(ALICE, { events: 2, since: '' as never });
  hooks.onPost = async () => 'full';
  await delivery.toOwner(ALICE);
  hooks.onPost = async () => 'sent';
  await delivery.beat(await stored(), 'ping');
  expect(frames.filter(({ action }) => action === 'resync')).toMatchObject([{ reason: 'trimmed', seq: 9 }]);
  expect((await stored()).phase).toEqual({ kind: 'stranded' });
});

test('[RT6] a connection that changes while the gateway refuses its frames is not taken for one that is gone', async () => {
  const { delivery, connections, log, hooks, greet, stored } = newDelivery();
  const connection = await greet();
  await create(log, ALICE, [1]);
  hooks.onPost = async () => {
    await connections.save({ ...(await stored()), subscriptions: [] });
    return 'full';
  };
  expect(await delivery.bringUp(connection)).toEqual(await stored());
});

test('[RT2] a replay that is begun anew while it runs is left to whoever began it anew, and so in order', async () => {
  const { delivery, nowMs, connections, log, hooks, greet, stored, invoke, seqs } = newDelivery();
  await greet();
  for (let first = 1; first <= 600; first += 20) await create(log, ALICE, range(first, first + 19));
  const { epoch } = await log.head(ALICE);
  const begun = async () =>
    (await connections.save({
      ...(await stored()),
      epoch,
      covered: 0,
      told: 0,
      phase: { kind: 'replaying', from: 0, count: 0, untilMs: nowMs() + LEASE_MS },
    }))!;
  const second = invoke();
  const isLeft = Promise.withResolvers<void>();
  const hasClaimed = Promise.withResolvers<void>();
  second.hooks.onPost = async ({ action }) => {
    if (action === 'batch') hasClaimed.resolve();
    if (action === 'batch') await isLeft.promise;
    return 'sent';
  };
  let again: Promise<unknown> | undefined;
  hooks.onPost = async ({ action }) => {
    if (action === 'batch') again ??= second.delivery.replay(await begun(), 600);
    if (action === 'batch') await hasClaimed.promise;
    return 'sent';
  };
  await delivery.replay(await begun(), 600);
  isLeft.resolve();
  await again;
  expect(Math.max(...seqs())).toBeLessThan(600);
  expect(second.seqs()).toEqual(range(1, 600));
});
