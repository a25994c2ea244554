import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { eachConcurrent } from './each-concurrent.ts';

async function* itemsThen(items: readonly number[], end: () => Promise<void>): AsyncGenerator<number> {
  yield* items;
  await end();
}

describe('eachConcurrent', () => {
  it('yields results in the order of the items, with at most `limit` under way', async () => {
    let underWay = 0;
    let most = 0;
    const waits = [3, 1, 2, 0, 5, 1];
    const results = await Array.fromAsync(
      eachConcurrent(waits.keys(), { limit: 3 }, async (at) => {
        most = Math.max(most, ++underWay);
        for (let turn = 0; turn <= (waits[at] ?? 0); turn++) await setImmediate();
        underWay -= 1;
        return at;
      }),
    );
    expect(results).toEqual([0, 1, 2, 3, 4, 5]);
    expect(most).toBe(3);
  });

  it('yields what is done while the next item does not come', async () => {
    const never = itemsThen([1, 2], () => new Promise(() => {}));
    const results = eachConcurrent(never, { limit: 10 }, async (item) => item * 10);
    expect((await results.next()).value).toBe(10);
    expect((await results.next()).value).toBe(20);
  });

  it('throws the first rejection when those under way have settled, and starts no other', async () => {
    const started: number[] = [];
    const settled: number[] = [];
    const run = Array.fromAsync(
      eachConcurrent([0, 1, 2, 3, 4, 5], { limit: 2 }, async (item) => {
        started.push(item);
        await Promise.resolve();
        settled.push(item);
        if (item === 1) throw new Error('the second');
        return item;
      }),
    );
    await expect(run).rejects.toThrow('the second');
    expect(settled).toEqual(started);
    expect(started.length).toBeLessThan(6);
  });

  it('throws what the items throw, and what the signal says', async () => {
    const failing = itemsThen([1], () => Promise.reject(new Error('cut off')));
    await expect(
      Array.fromAsync(eachConcurrent(failing, { limit: 4 }, async (item) => item)),
    ).rejects.toThrow('cut off');
    const stop = new AbortController();
    const results = eachConcurrent([1, 2, 3], { limit: 1, signal: stop.signal }, async (item) => item);
    await results.next();
    stop.abort(new Error('enough'));
    await expect(results.next()).rejects.toThrow('enough');
  });
});
