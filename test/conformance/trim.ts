import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ownerId, type OwnerId } from '../../src/domain/values.ts';
import type { Store } from '../../src/storage/store.ts';
import { at } from '../support/arbitraries.ts';
import { readLog } from './oracle.ts';
import { create, range, storeMaker } from './store-model.ts';
import type { MadeTable, MakeTable } from './table.ts';

/** The rule ST50 of docs/spec/storage.md, for the store over any engine. */
export function trimConformance(name: string, makeTable: MakeTable): void {
  describe(`a trimmed log on ${name}`, () => {
    let made: MadeTable;
    /** Two stores over one table, as in two processes. */
    let store: Store;
    let rival: Store;
    let owners = 0;
    const freshOwner = (): OwnerId => ownerId(`o${++owners}`);
    const newStore = storeMaker();

    /** A store that does something before each page that it reads. */
    const readerThat = (before: () => Promise<unknown>): Store => {
      const { table } = made;
      return newStore({
        get: (key) => table.get(key),
        batchGet: (keys) => table.batchGet(keys),
        has: (keys) => table.has(keys),
        transact: (transactions) => table.transact(transactions),
        close: () => table.close(),
        async query(...query) {
          await before();
          return table.query(...query);
        },
      });
    };

    beforeAll(async () => {
      made = await makeTable();
      store = newStore(made.table);
      rival = newStore(made.other);
    });
    afterAll(() => made.dispose());

    test('[ST50] trimming takes the oldest transactions, whole, and what is left is read as before', async () => {
      const owner = freshOwner();
      for (const n of range(0, 4))
        await store.write(owner, async (tx) => range(0, 3).forEach((m) => create(tx, n * 3 + m)));
      const whole = await readLog(store, owner);
      const { epoch } = await store.head(owner);
      expect(await store.trim(owner, { events: 7, since: at(0) })).toBe(3);
      expect(await store.trim(owner, { events: 7, since: at(0) })).toBe(0);
      expect(await store.head(owner)).toMatchObject({ epoch, seq: 12, floorSeq: 3, counts: { nodes: 12 } });
      for (const seq of range(3, 13))
        expect((await store.changes(owner, { epoch, seq }, 99)).events).toEqual(whole.slice(seq));
      await expect(store.changes(owner, { epoch, seq: 2 }, 9)).rejects.toMatchObject({
        code: 'position_gone',
        details: { reason: 'trimmed', floorSeq: 3, seq: 12 },
      });
      const third = whole[8]!;
      const beforeLast = at((Date.parse(third.at) - Date.parse(at(0))) / 1_000 + 0.001);
      expect(await store.trim(owner, { events: 99, since: beforeLast }, 1)).toBe(6);
      expect(await store.trim(owner, { events: 1, since: at(1_000_000) })).toBe(3);
      await store.write(owner, async (tx) => create(tx, 12));
      expect((await store.changes(owner, { epoch, seq: 12 }, 9)).events.map((e) => e.seq)).toEqual([13]);
    });

    test('[ST50] who reads while it is trimmed is told so, and is never led over a hole', async () => {
      const owner = freshOwner();
      for (const n of range(0, 4)) await store.write(owner, async (tx) => create(tx, n));
      const { epoch } = await store.head(owner);
      for (const events of [2, 0]) {
        const reader = readerThat(() => store.trim(owner, { events, since: at(0) }));
        const from = (await store.head(owner)).floorSeq;
        await expect(reader.changes(owner, { epoch, seq: from }, 9)).rejects.toMatchObject({
          details: { reason: 'trimmed', floorSeq: 4 - events },
        });
      }
    });

    test('[ST50] who reads a log of several pages while it is trimmed gets what stands before the hole', async () => {
      const owner = freshOwner();
      for (const n of range(0, 80)) await store.write(owner, async (tx) => create(tx, n));
      let pages = 0;
      const reader = readerThat(async () => {
        if (++pages === 2) await store.trim(owner, { events: 10, since: at(0) });
      });
      const { events, position, hasMore } = await reader.changes(owner, { seq: 0 }, 99);
      expect(events.map((e) => e.seq)).toEqual(range(1, 51));
      expect([position.seq, hasMore, pages]).toEqual([50, true, 2]);
      await expect(reader.changes(owner, position, 99)).rejects.toMatchObject({
        details: { reason: 'trimmed', floorSeq: 70, seq: 80 },
      });
    });

    test('[ST50] trimming and writing throw nothing of each other away', async () => {
      const owner = freshOwner();
      const writing = range(0, 40).map((n) => store.write(owner, async (tx) => create(tx, n)));
      const trimming = range(0, 10).map(() => rival.trim(owner, { events: 5, since: at(0) }));
      await Promise.all([...writing, ...trimming]);
      while ((await store.trim(owner, { events: 5, since: at(0) })) > 0);
      const head = await store.head(owner);
      expect(head).toMatchObject({ seq: 40, counts: { nodes: 40 } });
      const { events } = await store.changes(owner, { epoch: head.epoch, seq: head.floorSeq }, 99);
      expect(events.map((e) => e.seq)).toEqual(range(head.floorSeq + 1, 41));
    });
  });
}
