import * as fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { mapConcurrent } from './map-concurrent.ts';

/** Work that ends only when it is told to. */
function heldWork() {
  const held = new Map<number, { readonly finish: () => void; readonly fail: (error: Error) => void }>();
  const signals = new Map<number, AbortSignal>();
  const started: number[] = [];
  const work = (item: number, { signal }: { readonly signal: AbortSignal }): Promise<number> => {
    started.push(item);
    signals.set(item, signal);
    return new Promise((resolve, reject) => {
      held.set(item, { finish: () => resolve(item * 10), fail: reject });
    });
  };
  return { held, started, signals, work };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const TIMEOUT_MS = 20;

/** What becomes of an item, and when, in milliseconds from its start. */
const plans = fc.array(
  fc.record({
    tookMs: fc.integer({ min: 0, max: 30 }).filter((ms) => ms !== TIMEOUT_MS),
    end: fc.constantFrom('value', 'throws', 'throws at once', 'hangs'),
  }),
  { maxLength: 20 },
);

afterEach(() => {
  vi.useRealTimers();
});

describe('mapConcurrent', () => {
  test('gives what came of each item in their order, whatever becomes of the others, and never has more under way than its limit', async () => {
    const property = fc.asyncProperty(plans, fc.integer({ min: 1, max: 6 }), async (items, limit) => {
      vi.useFakeTimers();
      let going = 0;
      let most = 0;
      const all = mapConcurrent(
        items,
        { limit, timeoutMs: TIMEOUT_MS },
        ({ tookMs, end }, { index, signal }) => {
          if (end === 'throws at once') throw new Error(`at once ${index}`);
          most = Math.max(most, ++going);
          signal.addEventListener('abort', () => (going -= 1));
          return new Promise<string>((resolve, reject) => {
            if (end === 'hangs') return;
            setTimeout(() => {
              if (signal.aborted) return;
              going -= 1;
              if (end === 'value') resolve(`value ${index}`);
              else reject(new Error(`late ${index}`));
            }, tookMs);
          });
        },
      );
      await vi.runAllTimersAsync();
      const expected = items.map(({ tookMs, end }, index) => {
        if (end === 'throws at once') return `at once ${index}`;
        if (end === 'hangs' || tookMs > TIMEOUT_MS) return 'TimeoutError';
        return end === 'value' ? `value ${index}` : `late ${index}`;
      });
      const found = (await all).map((outcome) => {
        if (outcome.status === 'fulfilled') return outcome.value;
        const { name, message } = outcome.reason as Error;
        return name === 'TimeoutError' ? name : message;
      });
      expect(found).toEqual(expected);
      expect(most).toBeLessThanOrEqual(limit);
    });
    await fc.assert(property, { numRuns: 200 });
  });

  test('has as many under way as its limit, in any schedule', async () => {
    const property = fc.asyncProperty(
      fc.scheduler(),
      fc.array(fc.integer(), { maxLength: 20 }),
      fc.integer({ min: 1, max: 6 }),
      async (scheduler, items, limit) => {
        let going = 0;
        let most = 0;
        const options = { limit, timeoutMs: Infinity };
        const all = mapConcurrent(items, options, async (item, { index }) => {
          most = Math.max(most, ++going);
          await scheduler.schedule(Promise.resolve());
          going -= 1;
          return `${index}:${item}`;
        });
        const done = await scheduler.waitFor(all);
        expect(done.map((outcome) => outcome.status === 'fulfilled' && outcome.value)).toEqual(
          items.map((item, index) => `${index}:${item}`),
        );
        expect(most).toBe(Math.min(limit, items.length));
      },
    );
    await fc.assert(property, { numRuns: 200 });
  });

  test('gives an item 5 seconds unless told otherwise, tells its work, and goes on with the next', async () => {
    vi.useFakeTimers();
    const { held, signals, started, work } = heldWork();
    const all = mapConcurrent([0, 1], { limit: 1 }, work);
    await vi.advanceTimersByTimeAsync(4_999);
    expect([started, signals.get(0)?.aborted]).toEqual([[0], false]);
    await vi.advanceTimersByTimeAsync(1);
    expect([started, signals.get(0)?.aborted]).toEqual([[0, 1], true]);
    held.get(0)?.fail(new Error('too late to be heard'));
    held.get(1)?.finish();
    expect(await all).toMatchObject([
      { status: 'rejected', reason: { name: 'TimeoutError' } },
      { status: 'fulfilled', value: 10 },
    ]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('starts nothing more when it is aborted, tells the work under way, waits for it, and throws the reason', async () => {
    const { held, started, signals, work } = heldWork();
    const controller = new AbortController();
    const settled: unknown[] = [];
    const options = { limit: 2, timeoutMs: Infinity, signal: controller.signal };
    const all = mapConcurrent([0, 1, 2, 3], options, work).catch((error: unknown) => settled.push(error));
    const enough = new Error('enough');
    controller.abort(enough);
    expect([...signals.values()].map(({ reason }) => reason as unknown)).toEqual([enough, enough]);
    held.get(0)?.finish();
    await turn();
    expect(settled).toEqual([]);
    held.get(1)?.fail(new Error('by then nobody asks'));
    await all;
    expect([settled, started]).toEqual([[enough], [0, 1]]);
  });

  test('starts nothing at all when it was aborted before', async () => {
    const { started, work } = heldWork();
    const signal = AbortSignal.abort(new Error('before'));
    await expect(mapConcurrent([1, 2], { limit: 2, signal }, work)).rejects.toThrow('before');
    expect(started).toEqual([]);
  });

  test('maps nothing to nothing, and takes any iterable', async () => {
    expect(await mapConcurrent([], { limit: 3 }, async () => 1)).toEqual([]);
    expect(await mapConcurrent(new Set([2, 3]), { limit: 1 }, async (item) => item * 2)).toEqual([
      { status: 'fulfilled', value: 4 },
      { status: 'fulfilled', value: 6 },
    ]);
  });
});
