import { expect, test } from 'vitest';
import { ALICE, create, range } from '../realtime/peer.ts';
import { newConnection } from './one-connection.ts';

// A frame is heard in an invocation of its own, beside others of the same connection.

test('[RT2] of two subscriptions at once each hears every event after the number that it was told', async () => {
  const { after, connections, delivery, log, frames, greet, stored, hear, invoke, seqs } = newConnection();
  await create(log, ALICE, [1]);
  await greet();
  await connections.save({ ...(await stored()), subscriptions: [] });
  const second = invoke();
  const [hasRead, isSaved] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let other: Promise<void> | undefined;
  after.changes = async () => {
    await create(log, ALICE, [2]);
    after.changes = async () => {
      hasRead.resolve();
      await isSaved.promise;
    };
    other = second.hear({ action: 'subscribe', id: 'edges', filter: { types: ['edge.*'] } });
    await hasRead.promise;
  };
  await hear({ action: 'subscribe', id: 'notes', filter: { types: ['node.*'] } });
  expect(frames).toEqual([{ action: 'subscribed', id: 'notes', fromSeq: 1 }]);
  isSaved.resolve();
  await other;
  await delivery.toOwner(ALICE);
  expect([...second.seqs(), ...seqs()]).toEqual([2]);
});

test('[RT2] a resume that cannot be is answered, whatever else changes the connection meanwhile', async () => {
  const { after, delivery, connections, log, frames, greet, stored, hear } = newConnection();
  await create(log, ALICE, [1]);
  const { epoch } = await greet();
  after.head = async () => connections.save({ ...(await stored()), covered: 1 });
  await hear({ action: 'resume', epoch: 'another', seq: 1 });
  expect(frames).toMatchObject([{ action: 'resync', reason: 'epoch_changed', epoch, seq: 1 }]);
  await create(log, ALICE, [2]);
  await delivery.toOwner(ALICE);
  expect(frames).toHaveLength(1);
});

test('[RT2] a resync that the gateway refuses is said again for the position that was asked for', async () => {
  const { delivery, log, frames, hooks, greet, hear } = newConnection();
  for (const number of range(1, 9)) await create(log, ALICE, [number]);
  const { epoch } = await greet();
  await log.trim(ALICE, { events: 2, since: '' as never });
  hooks.onPost = async () => 'full';
  await hear({ action: 'resume', epoch, seq: 3 });
  hooks.onPost = async () => 'sent';
  await delivery.toOwner(ALICE);
  expect(frames).toMatchObject([{ action: 'resync', reason: 'trimmed', seq: 9 }]);
});

test('[RT10] a hello beside a frame that is refused is answered', async () => {
  const { after, connections, frames, hear } = newConnection();
  await connections.arrive('c', undefined);
  after.token = () => hear('no JSON');
  await hear({ action: 'hello', token: 'alice' });
  expect(frames.map(({ action }) => action)).toEqual(['error', 'welcome']);
});

test('[RT9] a credential that may not read renews nothing', async () => {
  const { frames, greet, hear } = newConnection();
  await greet();
  await hear({ action: 'auth', token: 'alice who writes' });
  expect(frames).toMatchObject([{ action: 'bye', code: 4403 }]);
});

test('[RT9] a connection that was not welcomed yet hears nothing, not even a ping', async () => {
  const { after, connections, log, frames, stored, hear, invoke } = newConnection();
  await create(log, ALICE, [1]);
  await connections.arrive('c', undefined);
  const other = invoke();
  after.head = async () => {
    await other.delivery.beat(await stored(), 'ping');
    await other.delivery.toOwner(ALICE);
  };
  await hear({ action: 'hello', token: 'alice' });
  expect([other.frames, frames.map(({ action }) => action)]).toEqual([[], ['welcome']]);
});
