import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ownerId } from '../../src/domain/values.ts';
import type { Store } from '../../src/storage/store.ts';
import type { Commit } from '../../src/storage/transaction.ts';
import { readLog } from './oracle.ts';
import { create, storeMaker } from './store-model.ts';
import type { MadeTable, MakeTable } from './table.ts';

const COMMITS = 20;

/** The rule ST39 of docs/spec/storage.md, for two stores over one table, as in two processes. */
export function followConformance(name: string, makeTable: MakeTable): void {
  describe(`following on ${name}`, () => {
    const owner = ownerId('followed');
    let made: MadeTable;
    const newStore = storeMaker();

    beforeAll(async () => {
      made = await makeTable();
    });
    afterAll(() => made.dispose());

    test('[ST39] what either of two stores commits, who follows on one hears once, in the order of the log', async () => {
      const [here, there] = [made.table, made.other].map((table) => newStore(table, { pollMs: 1 })) as [
        Store,
        Store,
      ];
      const heard: Commit[] = [];
      const all = Promise.withResolvers<void>();
      here.onCommit((commit) => {
        heard.push(commit);
        if (commit.to === COMMITS) all.resolve();
      });
      const stop = await here.follow(owner);
      const numbers = Array.from({ length: COMMITS }, (_, n) => n);
      await Promise.all(
        numbers.map((n) => (n % 2 === 0 ? here : there).write(owner, async (tx) => create(tx, n))),
      );
      await all.promise;
      stop();
      const told = heard.flatMap(({ from, to }) =>
        numbers.map((n) => n + 1).filter((n) => n >= from && n <= to),
      );
      expect(told).toEqual(numbers.map((n) => n + 1));
      const log = await readLog(there, owner);
      expect(heard.flatMap((commit) => commit.events)).toEqual(log.map(({ event }) => event));
    });
  });
}
