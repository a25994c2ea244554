import { expect, it } from 'vitest';
import { create, update } from '../../test/conformance/store-model.ts';
import { nodeIdOf, OWNER } from '../../test/support/arbitraries.ts';
import { MemoryTable } from '../../test/support/memory-table.ts';
import { serviceParts } from '../../test/support/service-parts.ts';
import { instant } from '../domain/values.ts';
import { uuidv7Generator } from '../shared/uuid.ts';
import { Store } from '../storage/store.ts';
import { indexInProcess, IndexThread } from './index-thread.ts';
import type { Linker } from './linker.ts';
import { createServices } from './services.ts';

it('the mark of a note that is changed and promised again while it is linked stays', async () => {
  const table = new MemoryTable();
  const newId = uuidv7Generator(Date.now);
  const now = () => instant(Date.now());
  const newStore = () => new Store({ table, now, newEpoch: newId, correlationId: () => '-' });
  const [store, rival] = [newStore(), newStore()];
  const snapshots = { load: async () => undefined, save: async () => {} };
  const indexThread = new IndexThread(indexInProcess);
  const markOf = (version: number) => ({ kind: 'link', nodeId: nodeIdOf(1), version }) as const;
  let links = 0;
  const watchLinker = ({ link }: Linker): Linker => ({
    async link(...asked) {
      if (++links === 1)
        await rival.write(OWNER, async (tx) => {
          await update(tx, 1, { title: 'Another text' });
          tx.pending.replace(undefined, markOf(2));
        });
      return link(...asked);
    },
  });
  const parts = { ...serviceParts(table), store, snapshots, indexThread, newId, watchLinker };
  const { pending } = createServices(parts);
  await store.write(OWNER, async (tx) => {
    create(tx, 1);
    tx.pending.replace(undefined, markOf(1));
  });
  const marks = () => Array.fromAsync(store.read(OWNER).pending.all());
  await pending.finish(OWNER);
  expect(await marks()).toEqual([markOf(2)]);
  await pending.finish(OWNER);
  expect(await marks()).toEqual([]);
});
