import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { uuidv7Generator } from './uuid.ts';

const LAYOUT = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const msOf = (id: string): number => Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16);

/** Ids of one generator whose clock shows these times, one after the other. */
function idsAt(times: readonly number[]): readonly string[] {
  const clock = times.values();
  const next = uuidv7Generator(() => clock.next().value ?? 0);
  return times.map(() => next());
}

describe('ids of one generator', () => {
  test('have the layout of RFC 9562 version 7, and the time of their making in front', () => {
    const times = [0, 1, 1_700_000_000_123, 2 ** 48 - 1];
    const ids = idsAt(times);
    for (const id of ids) expect(id).toMatch(LAYOUT);
    expect(ids.map(msOf)).toEqual(times);
  });

  test('sort in the order of their making, whatever the clock does, and are unique', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 300, size: 'max' }), (times) => {
        const ids = idsAt(times);
        expect(ids.toSorted()).toEqual(ids);
        expect(new Set(ids).size).toBe(ids.length);
        expect(ids.every((id) => LAYOUT.test(id))).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  test('are never of a time before the last one: when the clock goes back they stay at it', () => {
    expect(idsAt([1000, 400, 999, 1000, 1001]).map(msOf)).toEqual([1000, 1000, 1000, 1000, 1001]);
  });

  test('borrow the next millisecond when one is full, and still sort', () => {
    const ids = idsAt(Array.from({ length: 10_000 }, () => 5));
    expect(ids.toSorted()).toEqual(ids);
    expect([...new Set(ids.map(msOf))]).toEqual([5, 6, 7]);
    expect(new Set(ids).size).toBe(10_000);
  });
});

test('two generators at one time do not make the same ids', () => {
  const [a, b] = [idsAt(Array.from({ length: 1000 }, () => 7)), idsAt(Array.from({ length: 1000 }, () => 7))];
  expect(new Set([...a, ...b]).size).toBe(2000);
});
