import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createNode } from '../../src/domain/node.ts';
import { ownerId } from '../../src/domain/values.ts';
import { Store } from '../../src/storage/store.ts';
import type { Commit } from '../../src/storage/transaction.ts';
import { at, nodeIdOf } from '../support/arbitraries.ts';
import { readLog } from './oracle.ts';
import type { MadeTable, MakeTable } from './table.ts';

const COMMITS = 20;

/** The rule ST39 of docs/spec/storage.md, for two stores over one table, as in two processes. */
export function followConformance(name: string, makeTable: MakeTable): void {
  describe(`following on ${name}`, () => {
    const owner = ownerId('followed');
    let made: MadeTable;
    let clock = 0;
    const storeOn = (table: MadeTable['table']): Store =>
      new Store({
        table,
        now: () => at(++clock),
        newEpoch: () => `epoch-${++clock}`,
        correlationId: () => '-',
        pollMs: 1,
      });

    beforeAll(async () => {
      made = await makeTable();
    });
    afterAll(() => made.dispose());

    test('[ST39] what either of two stores commits, who follows on one hears once, in the order of the log', async () => {
      const [here, there] = [storeOn(made.table), storeOn(made.other)];
      const heard: Commit[] = [];
      const all = Promise.withResolvers<void>();
      here.onCommit((commit) => {
        heard.push(commit);
        if (commit.to === COMMITS) all.resolve();
      });
      const stop = await here.follow(owner);
      const numbers = Array.from({ length: COMMITS }, (_, n) => n);
      await Promise.all(
        numbers.map((n) =>
          (n % 2 === 0 ? here : there).write(owner, async (tx) => {
            const id = nodeIdOf(n);
            tx.nodes.apply(createNode({ title: `Note ${n}` }, { id, owner, now: tx.now }));
          }),
        ),
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
