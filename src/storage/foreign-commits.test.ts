import * as fc from 'fast-check';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { MemoryTable } from '../../test/support/memory-table.ts';
import { createNode } from '../domain/node.ts';
import { nodeId, ownerId, type OwnerId } from '../domain/values.ts';
import { at, nodeIdOf } from '../../test/support/arbitraries.ts';
import { keys } from './keys.ts';
import { Store } from './store.ts';
import type { Table } from './table.ts';
import type { Commit } from './transaction.ts';

const OWNER = ownerId('o');
let clock = 0;

/** A store as of a process of its own, over the one table. */
function storeOn(table: Table): Store {
  return new Store({
    table,
    now: () => at(++clock),
    newEpoch: () => `epoch-${++clock}`,
    correlationId: () => '-',
    pollMs: 1,
  });
}

let notes = 0;
const write = (store: Store, owner: OwnerId = OWNER, count = 1): Promise<void> =>
  store.write(owner, async (tx) => {
    for (let n = 0; n < count; n++) {
      const id = nodeId(nodeIdOf(++notes));
      tx.nodes.apply(createNode({ title: 'A note' }, { id, owner, now: tx.now }));
    }
  });

/** Keeps what the store tells, and waits until it told so much. */
function listen(store: Store) {
  const heard: Commit[] = [];
  let wanted = Infinity;
  let reached = Promise.withResolvers<void>();
  store.onCommit((commit) => {
    heard.push(commit);
    if (commit.to >= wanted) reached.resolve();
  });
  return {
    heard,
    async until(seq: number): Promise<void> {
      wanted = seq;
      reached = Promise.withResolvers();
      if ((heard.at(-1)?.to ?? 0) < seq) await reached.promise;
    },
  };
}

const numbers = (heard: readonly Commit[]): number[] =>
  heard.flatMap(({ from, to }) => Array.from({ length: to - from + 1 }, (_, n) => from + n));
const upTo = (seq: number): number[] => Array.from({ length: seq }, (_, n) => n + 1);

test('[ST39] what another process commits is told as if it were committed here, events and all', async () => {
  const table = new MemoryTable();
  const [here, there] = [storeOn(table), storeOn(table)];
  const { heard, until } = listen(here);
  onTestFinished(await here.follow(OWNER));
  await write(there, OWNER, 3);
  await until(3);
  const log = await here.changes(OWNER, { seq: 0 }, 10);
  expect(numbers(heard)).toEqual([1, 2, 3]);
  expect(heard.flatMap((commit) => commit.events)).toEqual(log.events.map(({ event }) => event));
  expect(heard[0]).toMatchObject({ owner: OWNER, epoch: log.epoch });
});

test('[ST39] whichever process commits, each event is told once and in the order of the log', async () => {
  const works = fc.array(fc.record({ here: fc.boolean(), count: fc.integer({ min: 1, max: 3 }) }), {
    minLength: 1,
    maxLength: 25,
  });
  const property = fc.asyncProperty(works, fc.boolean(), async (sequence, atOnce) => {
    const table = new MemoryTable();
    const [here, there] = [storeOn(table), storeOn(table)];
    const { heard, until } = listen(here);
    const stop = await here.follow(OWNER);
    const going: Promise<void>[] = [];
    for (const work of sequence) {
      going.push(write(work.here ? here : there, OWNER, work.count));
      if (!atOnce) await going.at(-1);
    }
    await Promise.all(going);
    const total = sequence.reduce((sum, work) => sum + work.count, 0);
    await until(total);
    stop();
    expect(numbers(heard)).toEqual(upTo(total));
  });
  await fc.assert(property, { numRuns: 100, endOnFailure: true }); // a race does not come again
});

test('[ST39] what was committed before following, and after its end, is not told', async () => {
  const table = new MemoryTable();
  const [here, there] = [storeOn(table), storeOn(table)];
  const { heard, until } = listen(here);
  await write(there);
  const stop = await here.follow(OWNER);
  await write(there);
  await until(2);
  stop();
  await write(there);
  await write(here); // told as this process's own
  expect(numbers(heard)).toEqual([2, 4]);
});

test('[ST39] a log that was replaced is told on from where it stands', async () => {
  const table = new MemoryTable();
  const [here, there] = [storeOn(table), storeOn(table)];
  const { heard, until } = listen(here);
  await write(there, OWNER, 5);
  onTestFinished(await here.follow(OWNER));
  await table.transact([
    [{ del: keys.head(OWNER) }, ...upTo(5).map((seq) => ({ del: keys.logEntry(OWNER, seq) }))],
  ]);
  while (heard.length === 0) {
    await write(there);
    await nextTurn();
  }
  const { epoch, seq } = await here.head(OWNER);
  await until(seq);
  expect(new Set(heard.map((commit) => commit.epoch))).toEqual(new Set([epoch]));
  const [first = 0] = numbers(heard);
  expect(numbers(heard)).toEqual(upTo(seq).slice(first - 1));
});

test('[ST39] a table that cannot be read for a while is asked again, and nothing is missed', async () => {
  const table = new MemoryTable();
  let failures = 4;
  const fail = (): void => {
    if (failures-- > 0) throw new Error('not now');
  };
  const [here, there] = [storeOn(watched(table, fail)), storeOn(table)];
  const { heard, until } = listen(here);
  onTestFinished(await here.follow(OWNER));
  await write(there, OWNER, 2);
  await until(2);
  expect(numbers(heard)).toEqual([1, 2]);
});

test('[ST39] where nobody follows, nothing is read', async () => {
  vi.useFakeTimers();
  onTestFinished(() => vi.useRealTimers() && undefined);
  let reads = 0;
  const here = storeOn(watched(new MemoryTable(), () => (reads += 1)));
  const stop = await here.follow(OWNER);
  await vi.advanceTimersByTimeAsync(100);
  expect(reads).toBeGreaterThan(50);
  stop();
  await vi.advanceTimersByTimeAsync(10); // the look that was due
  reads = 0;
  await vi.advanceTimersByTimeAsync(10_000);
  expect(reads).toBe(0);
});

/** Calls `before` at each look at the heads. */
function watched(table: MemoryTable, before: () => void): Table {
  return new Proxy(table, {
    get(target, name: Exclude<keyof Table, 'atRest'>) {
      const member = target[name];
      if (typeof member !== 'function') return member;
      return (...args: never[]) => {
        if (name === 'batchGet') before();
        return (member as (...given: never[]) => unknown).apply(target, args);
      };
    },
  });
}
