import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mapConcurrent } from './map-concurrent.ts';

/** Work that ends only when it is told to. */
function heldWork() {
  const held = new Map<number, { readonly finish: () => void; readonly fail: (error: Error) => void }>();
  const started: number[] = [];
  const work = (item: number): Promise<number> => {
    started.push(item);
    return new Promise((resolve, reject) => {
      held.set(item, { finish: () => resolve(item * 10), fail: reject });
    });
  };
  return { held, started, work };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('mapConcurrent', () => {
  test('keeps the order of the items and never has more under way than its limit, in any schedule', async () => {
    const property = fc.asyncProperty(
      fc.scheduler(),
      fc.array(fc.integer(), { maxLength: 20 }),
      fc.integer({ min: 1, max: 6 }),
      async (scheduler, items, limit) => {
        let going = 0;
        let most = 0;
        const work = async (item: number, index: number): Promise<string> => {
          most = Math.max(most, ++going);
          await scheduler.schedule(Promise.resolve());
          going -= 1;
          return `${index}:${item}`;
        };
        const done = await scheduler.waitFor(mapConcurrent(items, { limit }, work));
        expect(done).toEqual(items.map((item, index) => `${index}:${item}`));
        expect(most).toBe(Math.min(limit, items.length));
      },
    );
    await fc.assert(property, { numRuns: 200 });
  });

  test('starts nothing more after a failure, waits for what is under way, and throws the first error', async () => {
    const { held, started, work } = heldWork();
    const settled: string[] = [];
    const all = mapConcurrent([0, 1, 2, 3, 4], { limit: 2 }, work).catch((error: Error) => {
      settled.push(error.message);
    });
    held.get(0)?.fail(new Error('first'));
    await turn();
    expect([started, settled]).toEqual([[0, 1], []]);
    held.get(1)?.fail(new Error('second'));
    await all;
    expect([started, settled]).toEqual([[0, 1], ['first']]);
  });

  test('stops likewise when it is aborted', async () => {
    const { held, started, work } = heldWork();
    const controller = new AbortController();
    const all = mapConcurrent([0, 1, 2, 3], { limit: 2, signal: controller.signal }, work).catch(
      (error: unknown) => error,
    );
    controller.abort(new Error('enough'));
    held.get(0)?.finish();
    held.get(1)?.finish();
    expect(await all).toEqual(new Error('enough'));
    expect(started).toEqual([0, 1]);
  });

  test('starts nothing at all when it was aborted before', async () => {
    const { started, work } = heldWork();
    const signal = AbortSignal.abort(new Error('before'));
    await expect(mapConcurrent([1, 2], { limit: 2, signal }, work)).rejects.toThrow('before');
    expect(started).toEqual([]);
  });

  test('maps nothing to nothing, and takes any iterable', async () => {
    expect(await mapConcurrent([], { limit: 3 }, async () => 1)).toEqual([]);
    expect(await mapConcurrent(new Set([2, 3]), { limit: 1 }, async (item) => item * 2)).toEqual([4, 6]);
  });
});
