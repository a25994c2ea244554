import { expect, it } from 'vitest';
import { create, update } from '../../test/conformance/store-model.ts';
import { nodeIdOf, OWNER } from '../../test/support/arbitraries.ts';
import { MemoryTable } from '../../test/support/memory-table.ts';
import { servicesOver } from '../../test/support/services-over.ts';

it('the mark of a note that is changed and promised again while it is linked stays', async () => {
  const table = new MemoryTable();
  const rival = servicesOver(table).store;
  const markOf = (version: number) => ({ kind: 'link', nodeId: nodeIdOf(1), version }) as const;
  let links = 0;
  const { store, services } = servicesOver(table, {
    async beforeLinking() {
      if (++links > 1) return;
      await rival.write(OWNER, async (tx) => {
        await update(tx, 1, { title: 'Another text' });
        tx.pending.replace(undefined, markOf(2));
      });
    },
  });
  const { pending } = services;
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
