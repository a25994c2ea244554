import { describe, expect, it } from 'vitest';
import { at, nodeIdOf, OWNER } from '../../test/support/arbitraries.ts';
import { connect, create } from '../../test/conformance/store-model.ts';
import { MemoryTable } from '../../test/support/memory-table.ts';
import { Store } from '../storage/store.ts';
import type { Tx } from '../storage/transaction.ts';
import { BareNotes } from './bare-notes.ts';

/** Two stores over one table, as in two processes. */
function twoStores(): readonly [Store, Store] {
  const table = new MemoryTable();
  const newStore = () =>
    new Store({ table, now: () => at(0), newEpoch: () => 'e', correlationId: () => 'call-1' });
  return [newStore(), newStore()];
}

async function make(store: Store, bare: BareNotes, ...numbers: readonly number[]): Promise<void> {
  await store.write(OWNER, async (tx) => {
    for (const number of numbers) {
      create(tx, number);
      bare.add(nodeIdOf(number), tx);
    }
  });
}

const bareIn = (store: Store, bare: BareNotes, ...numbers: readonly number[]): Promise<readonly boolean[]> =>
  store.write(OWNER, async (tx: Tx) => numbers.map((number) => bare.has(nodeIdOf(number), tx)));

describe('bare notes', () => {
  it('are those that were just made, until an edge of theirs is committed', async () => {
    const [store] = twoStores();
    const bare = new BareNotes(store, OWNER);
    await make(store, bare, 1, 2);
    await make(store, bare, 3);
    expect(await bareIn(store, bare, 1, 2, 3, 4)).toEqual([true, true, true, false]);
    await store.write(OWNER, async (tx) => connect(tx, 1, 2));
    expect(await bareIn(store, bare, 1, 2, 3)).toEqual([false, false, true]);
  });

  it('are none once another process has written, whose edges were not heard of', async () => {
    const [store, rival] = twoStores();
    const bare = new BareNotes(store, OWNER);
    await make(store, bare, 1, 2);
    await rival.write(OWNER, async (tx) => connect(tx, 1, 2));
    expect(await bareIn(store, bare, 1, 2)).toEqual([false, false]);
    await make(store, bare, 3);
    expect(await bareIn(store, bare, 1, 2, 3)).toEqual([false, false, true]);
  });
});
