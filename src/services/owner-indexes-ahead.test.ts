import { describe, expect, it } from 'vitest';
import { create, update } from '../../test/conformance/store-model.ts';
import { at, nodeIdOf, OWNER } from '../../test/support/arbitraries.ts';
import { MemoryTable } from '../../test/support/memory-table.ts';
import { BrainError } from '../domain/error.ts';
import { deleteNode } from '../domain/node.ts';
import { pks } from '../storage/keys.ts';
import { Store } from '../storage/store.ts';
import type { Tx } from '../storage/transaction.ts';
import { indexInProcess, IndexThread } from './index-thread.ts';
import { OwnerIndexes, type Ahead } from './owner-indexes.ts';

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

  it('hold nothing of a note that is to be decided again, for the work that is decided before it', async () => {
    const { store, rival, indexes } = place();
    await indexes.ready(OWNER);
    const seen: (readonly [inIndex: boolean, inStore: boolean])[] = [];
    const look = async (tx: Tx): Promise<void> => {
      const inIndex = (await indexes.ready(OWNER, tx)).has(nodeIdOf(1));
      seen.push([inIndex, (await tx.nodes.find(nodeIdOf(1))) !== undefined]);
    };
    let looking: Promise<void> | undefined;
    const make = async (tx: Tx, ahead: Ahead): Promise<void> => {
      await indexes.ready(OWNER, tx);
      create(tx, 1);
      ahead.place(await tx.nodes.get(nodeIdOf(1)));
      if (looking) return;
      await rival.write(OWNER, async (other) => create(other, 2));
      looking = store.write(OWNER, look); // on top of it, and before bulk when both are decided again
    };
    await indexes.write(OWNER, make, { bulk: true });
    await looking;
    expect(seen).toEqual([
      [true, true],
      [false, false],
    ]);
  });

  it('keep what a write under way told, whatever a reader found stored just before', async () => {
    const { table, rival, indexes } = place();
    await rival.write(OWNER, async (tx) => create(tx, 1));
    await indexes.ready(OWNER);
    await rival.write(OWNER, (tx) => update(tx, 1, { title: 'changed elsewhere' }));
    const [isRead, goesOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const batchGet = table.batchGet.bind(table);
    table.batchGet = async (keys) => {
      table.batchGet = batchGet;
      const items = await batchGet(keys);
      isRead.resolve();
      await goesOn.promise;
      return items;
    };
    const reading = indexes.ready(OWNER);
    await isRead.promise;
    await indexes.write(OWNER, async (tx, ahead) => {
      const index = await indexes.ready(OWNER, tx);
      const node = await tx.nodes.get(nodeIdOf(1));
      tx.nodes.apply(deleteNode(node, tx.now));
      ahead.remove(node);
      goesOn.resolve();
      await reading;
      expect(index.has(nodeIdOf(1))).toBe(false);
    });
    expect((await indexes.ready(OWNER)).size).toBe(0);
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

  it('hold nothing of a note that a write under way takes away, when a change of it below that is committed', async () => {
    const { table, store, indexes } = place();
    await store.write(OWNER, async (tx) => create(tx, 1));
    await indexes.ready(OWNER);
    const [isDeleted, isRead, isSeen] = Array.from({ length: 3 }, () => Promise.withResolvers<void>());
    const transact = table.transact.bind(table);
    const holds = [isDeleted, isSeen];
    table.transact = async (transactions) => {
      await holds.shift()?.promise;
      return transact(transactions);
    };
    const changing = indexes.write(OWNER, async (tx, ahead) => {
      await indexes.ready(OWNER, tx);
      await update(tx, 1, { title: 'changed' });
      ahead.place(await tx.nodes.get(nodeIdOf(1)));
    });
    const deleting = indexes.write(OWNER, async (tx, ahead) => {
      await indexes.ready(OWNER, tx);
      const node = await tx.nodes.get(nodeIdOf(1));
      tx.nodes.apply(deleteNode(node, tx.now));
      ahead.remove(node);
      isDeleted?.resolve();
    });
    const looking = store.write(OWNER, async (tx) => {
      await isRead?.promise;
      const isInIndex = (await indexes.ready(OWNER, tx)).has(nodeIdOf(1));
      isSeen?.resolve();
      return isInIndex;
    });
    await changing;
    await indexes.ready(OWNER); // a reader, for whom the note is still there
    isRead?.resolve();
    expect(await looking).toBe(false);
    await deleting;
    expect((await indexes.ready(OWNER)).size).toBe(0);
  });

  it('read no note anew whose commit stands in the log before this process is told of it, but for who changed it since', async () => {
    const { table, rival, indexes } = place();
    await indexes.ready(OWNER);
    const batchGet = table.batchGet.bind(table);
    const read: string[] = [];
    table.batchGet = async (keys) => {
      read.push(...keys.map(({ sk }) => sk));
      return batchGet(keys);
    };
    const transact = table.transact.bind(table);
    table.transact = async (transactions) => {
      table.transact = transact;
      const outcome = await transact(transactions);
      await indexes.ready(OWNER);
      expect(read).toEqual([]);
      await rival.write(OWNER, (tx) => update(tx, 1, { title: 'changed elsewhere' }));
      await indexes.ready(OWNER);
      return outcome;
    };
    await indexes.write(OWNER, async (tx, ahead) => {
      await indexes.ready(OWNER, tx);
      create(tx, 1);
      ahead.place(await tx.nodes.get(nodeIdOf(1)));
    });
    const index = await indexes.ready(OWNER);
    expect(index.versionOf(nodeIdOf(1))).toBe(2);
  });

  it('are filled anew where the log that they were to read on in is trimmed meanwhile', async () => {
    const { table, rival, indexes } = place();
    await rival.write(OWNER, async (tx) => create(tx, 1));
    await indexes.ready(OWNER);
    for (const number of [2, 3]) await rival.write(OWNER, async (tx) => create(tx, number));
    const query = table.query.bind(table);
    table.query = async (pk, options) => {
      table.query = query;
      if (pk === pks.log(OWNER)) await rival.trim(OWNER, { events: 1, since: at(1) });
      return query(pk, options);
    };
    expect((await indexes.ready(OWNER)).size).toBe(3);
  });
});
