import { describe, expect, it } from 'vitest';
import { create } from '../../test/conformance/store-model.ts';
import { at, nodeIdOf, OWNER } from '../../test/support/arbitraries.ts';
import { MemoryTable } from '../../test/support/memory-table.ts';
import { BrainError } from '../domain/error.ts';
import { Store } from '../storage/store.ts';
import type { Tx } from '../storage/transaction.ts';
import { indexInProcess, IndexThread } from './index-thread.ts';
import { OwnerIndexes } from './owner-indexes.ts';

/** Two stores over one table, as in two processes, each work a round of its own; and the indexes of the first. */
function place() {
  const table = new MemoryTable();
  const round = { works: 1, ms: 1_000 };
  const newStore = () =>
    new Store({ table, round, now: () => at(0), newEpoch: () => 'e', correlationId: () => 'call-1' });
  const store = newStore();
  const snapshots = { load: async () => undefined, save: async () => {} };
  const indexes = new OwnerIndexes({ store, snapshots, thread: new IndexThread(indexInProcess) });
  return { table, store, rival: newStore(), indexes };
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

  it('hold nothing of a note whose write has failed, also where work above it had seen it', async () => {
    const { table, store, indexes } = place();
    await indexes.ready(OWNER);
    const [failed, isAbove] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const transact = table.transact.bind(table);
    table.transact = async () => {
      table.transact = transact;
      await isAbove.promise;
      throw new BrainError('storage_full', 'full');
    };
    const below = indexes.write(OWNER, async (tx, ahead) => {
      await indexes.ready(OWNER, tx);
      create(tx, 1);
      ahead.place(await tx.nodes.get(nodeIdOf(1)));
    });
    below.catch(() => failed.resolve());
    const seen: boolean[] = [];
    await store.write(OWNER, async (tx) => {
      isAbove.resolve();
      await failed.promise;
      seen.push((await indexes.ready(OWNER, tx)).has(nodeIdOf(1)));
    });
    await expect(below).rejects.toMatchObject({ code: 'storage_full' });
    expect(seen).toEqual([true, false]);
    expect((await indexes.ready(OWNER)).size).toBe(0);
  });
});
