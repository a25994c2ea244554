import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ownerId } from '../../src/domain/values.ts';
import { nodeIdOf } from '../support/arbitraries.ts';
import { create, range, storeMaker, update } from './store-model.ts';
import type { MadeTable, MakeTable } from './table.ts';

/** The rule ST53 of docs/spec/storage.md, for two stores over one table, as in two processes. */
export function readAllConformance(name: string, makeTable: MakeTable): void {
  describe(`reading all on ${name}`, () => {
    const owner = ownerId('read');
    let made: MadeTable;
    const storeOn = storeMaker();

    beforeAll(async () => {
      made = await makeTable();
    });
    afterAll(() => made.dispose());

    test('[ST53] what is read through stands between the positions it says, at one where the engine keeps a moment', async () => {
      const [store, rival] = [storeOn(made.table), storeOn(made.other)];
      const raise = (): Promise<void> =>
        rival.write(owner, async (tx) => {
          const { version } = await tx.nodes.get(nodeIdOf(1));
          await update(tx, 1, { title: `v${version + 1}` });
        });
      await store.write(owner, async (tx) => create(tx, 1));
      for (const crossings of range(0, 4)) {
        const { value, from, to } = await store.readAll(owner, async (stored) => {
          const versions: number[] = [];
          for (const _ of range(0, crossings)) {
            versions.push((await stored.nodes.get(nodeIdOf(1))).version);
            await raise();
          }
          return [...versions, (await stored.nodes.get(nodeIdOf(1))).version];
        });
        const head = await store.head(owner); // each version is an event
        expect(head.seq - from.seq).toBe(crossings);
        expect(to).toEqual({ epoch: head.epoch, seq: made.table.atRest ? from.seq : head.seq });
        expect([Math.min(...value), Math.max(...value)]).toEqual([from.seq, to.seq]);
      }
    });
  });
}
