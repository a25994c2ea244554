import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { finishCutOff, startUpkeep, type InBackground } from '../../src/server/upkeep.ts';
import type { ImportEntry } from '../../src/services/import-note.ts';
import type { ImportEvent } from '../../src/services/import-events.ts';
import { createLog } from '../../src/shared/log.ts';
import { OWNER } from '../support/arbitraries.ts';
import { settle } from '../support/manual-clock.ts';
import { MemoryTable } from '../support/memory-table.ts';
import { servicesOver } from '../support/services-over.ts';

const UPKEEP_MS = 10_000;
const NOTES = [
  { key: 'vault/a', title: 'a', content: 'Melatonin rises in the evening, and with it comes sleep.' },
  { key: 'vault/b', title: 'b', content: 'Evening light delays melatonin, and with it sleep.' },
];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date', 'setInterval', 'clearInterval'] });
  onTestFinished(() => void vi.useRealTimers());
});

/** A server over a table that others serve as well. */
function serverOn(table: MemoryTable) {
  let linked = 0;
  const { store, services } = servicesOver(table, {
    nowMs: Date.now,
    beforeLinking: async () => void linked++,
  });
  const log = createLog({ level: 'silent', format: 'json' });
  let underWay: unknown;
  const inBackground: InBackground = (owner, work) => {
    const done = work();
    if (owner === undefined) underWay = done;
    return done;
  };
  return {
    store,
    services,
    /** How often a note was linked here. */
    linked: () => linked,
    import: (entries: AsyncIterable<ImportEntry> | Iterable<ImportEntry>) =>
      services.imports.run(OWNER, { collection: 'vault', prune: false, dryRun: false }, entries),
    start: () => finishCutOff({ services, log, inBackground }),
    beginUpkeep() {
      const nothing = async () => {};
      const needs = { services, log, inBackground, sweep: nothing, trim: nothing, indexNotes: 1_000 };
      onTestFinished(startUpkeep(needs));
    },
    /** Lets so many rounds of the upkeep of all servers come, and waits for those of this one. */
    async rounds(count: number) {
      for (let round = 0; round < count; round++) {
        vi.advanceTimersByTime(UPKEEP_MS);
        await underWay;
        await settle();
      }
    },
    edges: async () => (await services.edges.list(OWNER, {}, { limit: 10 })).items.length,
    marks: () => Array.fromAsync(store.read(OWNER).pending.all()),
  };
}

/** An import that comes to its notes and then is cut off, once it is let. */
function cutOffImport(server: ReturnType<typeof serverOn>) {
  const { promise: isCut, resolve: cut } = Promise.withResolvers<void>();
  const { promise: isStored, resolve } = Promise.withResolvers<void>();
  let notes = 0;
  server.store.onCommit(({ events }) => {
    notes += events.filter(({ type }) => type === 'node.created').length;
    if (notes === NOTES.length) resolve();
  });
  async function* entries(): AsyncGenerator<ImportEntry> {
    yield* NOTES;
    await isCut;
    throw new Error('cut off');
  }
  const importing = Array.fromAsync(server.import(entries()));
  importing.catch(() => {}); // looked at below
  return {
    isStored,
    async cutOff() {
      cut();
      await expect(importing).rejects.toThrow('cut off');
    },
  };
}

describe('upkeep of one server', () => {
  it('links nothing of an import that goes on at another, also while that links', async () => {
    const table = new MemoryTable();
    const [a, b] = [serverOn(table), serverOn(table)];
    await b.services.owners.meet(OWNER);
    b.beginUpkeep();
    const events: ImportEvent[] = [];
    for await (const event of a.import(NOTES)) {
      events.push(event);
      await b.rounds(6);
    }
    expect(events.map(({ type }) => type)).toEqual(['item', 'item', 'progress', 'summary']);
    expect([a.linked(), b.linked(), await a.edges(), await a.marks()]).toEqual([2, 0, 1, []]);
  });

  it('links what an import at another has stored once that was not heard of for half a minute', async () => {
    const table = new MemoryTable();
    const [a, b] = [serverOn(table), serverOn(table)];
    await b.services.owners.meet(OWNER);
    b.beginUpkeep();
    const { isStored, cutOff } = cutOffImport(a);
    await isStored;
    await b.rounds(6);
    await cutOff();
    await b.rounds(2);
    expect([b.linked(), (await b.marks()).length]).toEqual([0, 1]);
    await b.rounds(2);
    expect([b.linked(), await b.edges(), await b.marks()]).toEqual([2, 1, []]);
  });

  it('that begins while an import seems to go on at another comes back to it', async () => {
    const table = new MemoryTable();
    const a = serverOn(table);
    await a.services.owners.meet(OWNER);
    const { isStored, cutOff } = cutOffImport(a);
    await isStored;
    await cutOff();
    const b = serverOn(table);
    await b.start();
    expect([b.linked(), b.services.owners.met()]).toEqual([0, [OWNER]]);
    b.beginUpkeep();
    await b.rounds(4);
    expect([b.linked(), await b.edges(), await b.marks()]).toEqual([2, 1, []]);
  });
});

it('an import leaves to another server what goes on there, unless it comes with the same notes', async () => {
  const table = new MemoryTable();
  const [a, b] = [serverOn(table), serverOn(table)];
  const { isStored, cutOff } = cutOffImport(a);
  await isStored;
  await Array.fromAsync(b.import([{ key: 'other/tea', title: 'Tea', content: 'Leaves in hot water.' }]));
  expect([b.linked(), (await b.marks()).length]).toEqual([1, 1]);
  await cutOff();
  await Array.fromAsync(b.import(NOTES));
  expect([await b.edges(), await b.marks()]).toEqual([1, []]);
});
