import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Log } from '../../src/realtime/channel.ts';
import { settle } from '../support/manual-clock.ts';
import { ALICE, create, greeted, newHub, newStore, range, type Peer } from './peer.ts';
import { MemoryTable } from '../support/memory-table.ts';

/** Exactly these events, and each frame follows on the one before it. */
function expectWhole(peer: Peer, from: number, to: number): void {
  expect(peer.seqs).toEqual(range(from, to));
  expect(peer.events.map((event) => event.prev)).toEqual(range(from - 1, to - 1));
  expect(peer.of('replay.end')).toHaveLength(1);
}

/** The log, with `step` before and after each of its answers. */
function steppedLog(log: Log, step: () => Promise<void>): Log {
  const around = async <T>(answer: () => Promise<T>): Promise<T> => {
    await step();
    const value = await answer();
    await step();
    return value;
  };
  return {
    head: (owner) => around(() => log.head(owner)),
    changes: (owner, after, limit) => around(() => log.changes(owner, after, limit)),
    onCommit: (listener) => log.onCommit(listener),
  };
}

const BEFORE = 130;

/** A reader that resumes from the beginning while commits come at the given steps of its way to live. */
async function resumeAcross(
  commitsAt: ReadonlySet<number>,
): Promise<{ readonly steps: number; readonly written: number }> {
  const store = newStore(new MemoryTable());
  let steps = 0;
  let written = BEFORE;
  const step = async (): Promise<void> => {
    if (commitsAt.has(steps++)) await create(store, ALICE, [++written]);
  };
  const { hub, clock } = newHub({ log: steppedLog(store, step), turn: step });
  for (let first = 1; first <= BEFORE; first += 26) await create(store, ALICE, range(first, first + 25));
  const { epoch } = await store.head(ALICE);
  const live = await greeted(hub); // so that the channel is on its way already
  const peer = await greeted(hub, { resume: { epoch, seq: 0 } });
  await settle(60);
  await create(store, ALICE, [++written]);
  // A step may have committed at the very end; every window after it finds that.
  for (let window = 0; window < 5; window++) await clock.advance(20);
  expectWhole(peer, 1, written);
  expect(live.seqs).toEqual(range(written - live.seqs.length + 1, written));
  return { steps, written };
}

test('[RT2] there is no hole and no overlap where a replay goes live, with a commit at any one step', async () => {
  const { steps } = await resumeAcross(new Set());
  expect(steps).toBeGreaterThan(10);
  for (let at = 0; at < steps + 4; at++)
    expect((await resumeAcross(new Set([at]))).written).toBeGreaterThan(BEFORE);
});

test('[RT2] nor with commits at any two steps, or at every one', async () => {
  const { steps } = await resumeAcross(new Set());
  for (let first = 0; first < steps; first++)
    for (let second = first + 1; second < steps + 4; second += 3)
      await resumeAcross(new Set([first, second]));
  const { written } = await resumeAcross(new Set(range(0, steps * 2)));
  expect(written).toBeGreaterThan(BEFORE + steps);
});

test('[RT2] nor in any order in which reads, commits and readers may come to pass', async () => {
  const property = fc.asyncProperty(
    fc.scheduler(),
    fc.array(fc.record({ from: fc.nat({ max: 20 }), wanted: fc.boolean() }), { minLength: 1, maxLength: 4 }),
    fc.integer({ min: 1, max: 12 }),
    async (scheduler, readers, commits) => {
      const store = newStore(new MemoryTable());
      await create(store, ALICE, range(1, 20));
      const { epoch } = await store.head(ALICE);
      const step = (): Promise<void> => scheduler.schedule(Promise.resolve());
      const { hub, clock } = newHub({ log: steppedLog(store, step), turn: step });
      const writing = (async () => {
        for (const number of range(21, 20 + commits)) {
          await step();
          await create(store, ALICE, [number]);
        }
      })();
      const joining = readers.map(async ({ from, wanted }) => {
        await step();
        const filter = wanted ? {} : { types: ['category.*'] };
        return { from, wanted, peer: await greeted(hub, { resume: { epoch, seq: from }, filter }) };
      });
      const state = { isDone: false };
      const all = Promise.all([writing, ...joining]).then(() => (state.isDone = true));
      while (!state.isDone) {
        if (scheduler.count() > 0) await scheduler.waitOne();
        else await settle(1);
      }
      await all;
      for (let round = 0; round < 40; round++) {
        while (scheduler.count() > 0) await scheduler.waitOne();
        const passing = clock.advance(10);
        await settle(2);
        while (scheduler.count() > 0) await scheduler.waitOne();
        await passing;
      }
      for (const { peer, from, wanted } of await Promise.all(joining)) {
        const to = wanted ? 20 + commits : from;
        expect(peer.seqs).toEqual(range(from + 1, to));
        expect(peer.events.map((event) => event.prev)).toEqual(range(from, to - 1));
        expect(peer.of('replay.end')).toHaveLength(1);
      }
    },
  );
  await fc.assert(property, { numRuns: 30, seed: 4 });
});
