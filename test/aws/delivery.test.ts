import { expect, test } from 'vitest';
import type { ServerFrame } from '../../src/api/realtime.ts';
import { LEASE_MS } from '../../src/aws/delivery.ts';
import { ALICE, create, range } from '../realtime/peer.ts';
import { newConnection } from './one-connection.ts';

test('[RT2] a resync that the gateway refuses is said again: who was never told waits for nothing', async () => {
  const { delivery, log, frames, hooks, greet, stored } = newConnection();
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
  const { delivery, connections, log, hooks, greet, stored } = newConnection();
  const connection = await greet();
  await create(log, ALICE, [1]);
  hooks.onPost = async () => {
    await connections.save({ ...(await stored()), subscriptions: [] });
    return 'full';
  };
  expect(await delivery.bringUp(connection)).toEqual(await stored());
});

test('[RT2] a replay that is begun anew while it runs is left to whoever began it anew, and so in order', async () => {
  const { delivery, log, hooks, greet, begun, invoke, seqs } = newConnection();
  await greet();
  for (let first = 1; first <= 600; first += 20) await create(log, ALICE, range(first, first + 19));
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

/** What a replay says of itself, and whether each event says that it is one of it. */
function replayIn(frames: readonly ServerFrame[]) {
  const said = frames.filter(({ action }) => action.startsWith('replay.'));
  const marks = frames.flatMap((frame) => (frame.action === 'batch' ? frame.events : []));
  return { said, isMarked: marks.every(({ replayed }) => replayed === true) };
}

test('[RT2] a replay of which the gateway takes no more goes on as the replay that it is, and says its end', async () => {
  const { delivery, log, frames, hooks, greet, stored, begun, seqs } = newConnection();
  await greet();
  for (let first = 1; first <= 600; first += 20) await create(log, ALICE, range(first, first + 19));
  let taken = 0;
  hooks.onPost = async () => (++taken === 4 || taken === 9 ? 'full' : 'sent');
  await delivery.replay(await begun(), 600);
  expect(seqs().length).toBeLessThan(600);
  await delivery.toOwner(ALICE);
  await delivery.beat(await stored(), 'ping');
  expect(seqs()).toEqual(range(1, 600));
  expect(replayIn(frames)).toEqual({
    said: [
      { action: 'replay.begin', from: 0, to: 600 },
      { action: 'replay.end', from: 0, to: 600, count: 600 },
    ],
    isMarked: true,
  });
  expect(frames.at(-1)).toMatchObject({ action: 'ping', prev: 600, seq: 600 });
});

test('[RT2] the end of a replay that the gateway refuses is said again', async () => {
  const { delivery, log, frames, hooks, greet, begun } = newConnection();
  await greet();
  await create(log, ALICE, [1, 2]);
  hooks.onPost = async ({ action }) => (action === 'replay.end' ? 'full' : 'sent');
  await delivery.replay(await begun(), 2);
  hooks.onPost = async () => 'sent';
  await delivery.toOwner(ALICE);
  expect(frames.at(-1)).toEqual({ action: 'replay.end', from: 0, to: 2, count: 2 });
});

test('[RT2] a replay whose invocation ends in its middle is ended by whoever comes after its lease', async () => {
  const { delivery, wait, log, hooks, greet, begun, invoke } = newConnection();
  await greet();
  for (let first = 1; first <= 600; first += 20) await create(log, ALICE, range(first, first + 19));
  let taken = 0;
  hooks.onPost = async () => {
    if (++taken === 7) throw new Error('the function is out of time');
    return 'sent';
  };
  await expect(delivery.replay(await begun(), 600)).rejects.toThrow('out of time');
  const second = invoke();
  await second.delivery.toOwner(ALICE);
  expect(second.frames).toEqual([]);
  wait(LEASE_MS);
  await second.delivery.toOwner(ALICE);
  const { said, isMarked } = replayIn(second.frames);
  expect(said).toEqual([{ action: 'replay.end', from: 0, to: 600, count: 600 }]);
  expect(isMarked).toBe(true);
});

test('[RT4] a ping in the middle of a replay tells of no hole: what is on its way is not missing', async () => {
  const { delivery, log, frames, hooks, greet, stored, begun, invoke, seqs } = newConnection();
  await greet();
  for (let first = 1; first <= 600; first += 20) await create(log, ALICE, range(first, first + 19));
  const beating = invoke();
  const told: [number, number][] = [];
  hooks.onPost = async ({ action }) => {
    if (action !== 'batch') return 'sent';
    await beating.delivery.beat(await stored(), 'ping');
    const ping = beating.frames.at(-1);
    if (ping?.action === 'ping') told.push([ping.prev, seqs().at(-1) ?? 0]);
    return 'sent';
  };
  await delivery.replay(await begun(), 600);
  expect(told.length).toBeGreaterThan(9);
  expect(told.filter(([prev, got]) => prev > got)).toEqual([]);
  expect(frames.at(-1)).toMatchObject({ action: 'replay.end', count: 600 });
});

test('[RT2] a replay that was left off goes on though the clock of who comes is an hour behind', async () => {
  const { delivery, wait, log, hooks, greet, begun, invoke } = newConnection();
  await greet();
  await create(log, ALICE, [1]);
  hooks.onPost = async () => {
    throw new Error('the function is out of time');
  };
  await expect(delivery.replay(await begun(), 1)).rejects.toThrow('out of time');
  const second = invoke();
  wait(-3_600_000);
  await second.delivery.toOwner(ALICE);
  expect(second.frames.map(({ action }) => action)).toEqual(['event', 'replay.end']);
});
