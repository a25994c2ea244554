import { expect, onTestFinished, test, vi } from 'vitest';
import { MemoryTable } from '../../test/support/memory-table.ts';
import { createNode } from '../domain/node.ts';
import { instant, nodeId, ownerId, type OwnerId } from '../domain/values.ts';
import { uuidv7Generator } from '../shared/uuid.ts';
import { Store } from '../storage/store.ts';
import { indexInProcess, IndexThread } from './index-thread.ts';
import { OwnerIndexes } from './owner-indexes.ts';

const [ANN, BOB, CID] = ['ann', 'bob', 'cid'].map(ownerId) as [OwnerId, OwnerId, OwnerId];

/** Three owners with three notes each, and what was looked for in the place of snapshots. */
async function place() {
  const newId = uuidv7Generator(Date.now);
  const now = () => instant(Date.now());
  const store = new Store({ table: new MemoryTable(), now, newEpoch: newId, correlationId: () => '-' });
  for (const owner of [ANN, BOB, CID])
    await store.write(owner, async (tx) => {
      for (const content of ['one', 'two', 'three'])
        tx.nodes.apply(createNode({ content }, { id: nodeId(newId()), owner, now: tx.now }));
    });
  const opened: OwnerId[] = [];
  const saved: OwnerId[] = [];
  const snapshots = {
    load: async (owner: OwnerId) => void opened.push(owner),
    save: async (owner: OwnerId) => void saved.push(owner),
  };
  const indexes = new OwnerIndexes({ store, snapshots, thread: new IndexThread(indexInProcess) });
  onTestFinished(() => indexes.close());
  return {
    indexes,
    saved,
    /** Asks each, and tells whose had to be opened for it. */
    async asked(...owners: readonly OwnerId[]) {
      opened.length = 0;
      for (const owner of owners) expect((await indexes.ready(owner)).size).toBe(3);
      return [...opened];
    },
  };
}

test('indexes beyond what is to be held are let go of, those not used for longest first, and opened anew', async () => {
  const { indexes, saved, asked } = await place();
  expect(await asked(ANN, BOB, CID)).toEqual([ANN, BOB, CID]);
  await indexes.keepWithin(9);
  expect(await asked(BOB, CID, ANN)).toEqual([]); // there was room for all; BOB is the one not used for longest now
  await indexes.keepWithin(8);
  expect(await asked(CID, ANN)).toEqual([]);
  expect(await asked(BOB)).toEqual([BOB]);
  await indexes.keepWithin(0); // the one used last stays, however large it is
  expect(await asked(BOB, CID, ANN)).toEqual([CID, ANN]);
  expect(saved).toEqual([]);
});

test('one that may still be in use is kept, and one that is not is stored before it is let go of', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  onTestFinished(() => vi.useRealTimers() && undefined);
  const { indexes, saved, asked } = await place();
  await asked(ANN, BOB);
  vi.advanceTimersByTime(1_000);
  await asked(CID, BOB);
  await indexes.keepWithin(0, { idleMs: 1_000, saves: true });
  expect(saved).toEqual([ANN]);
  expect(await asked(BOB, CID, ANN)).toEqual([ANN]);
});
