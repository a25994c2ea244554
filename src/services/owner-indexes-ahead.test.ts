import { describe, expect, it } from 'vitest';
import { create } from '../../test/conformance/store-model.ts';
import { at, nodeIdOf, OWNER } from '../../test/support/arbitraries.ts';
import { MemoryTable } from '../../test/support/memory-table.ts';
import { Store } from '../storage/store.ts';
import type { Tx } from '../storage/transaction.ts';
import { indexInProcess, IndexThread } from './index-thread.ts';
import { OwnerIndexes } from './owner-indexes.ts';

/** Two stores over one table, as in two processes, and the indexes of the first. */
function place() {
  const table = new MemoryTable();
  const newStore = () =>
    new Store({ table, now: () => at(0), newEpoch: () => 'e', correlationId: () => 'call-1' });
  const store = newStore();
  const snapshots = { load: async () => undefined, save: async () => {} };
  const indexes = new OwnerIndexes({ store, snapshots, thread: new IndexThread(indexInProcess) });
  return { store, rival: newStore(), indexes };
}

describe('the indexes of owners', () => {
  it('hold nothing of a note that was decided on a state which was not the current one', async () => {
    const { store, rival, indexes } = place();
    await indexes.ready(OWNER);
    let runs = 0;
    const createUnlessBeaten = async (tx: Tx): Promise<boolean> => {
      if (await tx.nodes.find(nodeIdOf(2))) return false;
      create(tx, 1);
      return true;
    };
    const isMade = await indexes.write(OWNER, async (tx, ahead) => {
      await indexes.ready(OWNER, tx);
      const isMade = await createUnlessBeaten(tx);
      if (isMade) ahead.place(await tx.nodes.get(nodeIdOf(1)));
      if (++runs === 1) await rival.write(OWNER, async (other) => create(other, 2));
      return isMade;
    });
    expect([runs, isMade]).toEqual([2, false]);
    const index = await indexes.ready(OWNER);
    expect([...index.ids()]).toEqual([nodeIdOf(2)]);
    expect((await store.read(OWNER).nodes.list()).items).toHaveLength(1);
  });
});
