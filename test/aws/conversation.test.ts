import { expect, test } from 'vitest';
import { ALICE, create } from '../realtime/peer.ts';
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
