import { describe, expect, it } from 'vitest';
import { duration, progressOn } from './progress.ts';

function told(isTTY: boolean, steps: readonly (readonly [number, string, number, number])[]): string {
  let written = '';
  let nowMs = 0;
  const stream = { isTTY, columns: 80, write: (text: string) => (written += text) };
  const progress = progressOn(stream, () => nowMs);
  for (const [atMs, stage, done, total] of steps) {
    nowMs = atMs;
    progress.update(stage, done, total);
  }
  progress.end();
  return written;
}

describe('progressOn', () => {
  it('draws a bar with rate and time left on a terminal, and takes it away', () => {
    expect(
      told(true, [
        [0, 'storing', 0, 1000],
        [50, 'storing', 100, 1000],
        [1000, 'storing', 250, 1000],
      ]),
    ).toBe('storing    [######..................] 250/1000  250/s  3.0 s left\r\x1b[K');
  });

  it('writes a line every few seconds elsewhere', () => {
    const steps = [0, 1000, 2000, 3000, 4000, 5999, 6000].map((ms) => [ms, 'storing', ms / 1000, 8] as const);
    expect(told(false, steps)).toBe('storing    3/8  1/s  5.0 s left\nstoring    6/8  1/s  2.0 s left\n');
  });

  it('tells how much is done where nobody knows how much there is', () => {
    const steps = [
      [0, 'storing', 0, 0],
      [3000, 'storing', 600, 0],
    ] as const;
    expect(told(false, steps)).toBe('storing    600  200/s\n');
  });

  it('is quiet about what is done in a moment', () => {
    expect(
      told(false, [
        [0, 'reading', 5, 5],
        [20, 'storing', 5, 5],
      ]),
    ).toBe('');
  });
});

describe('duration', () => {
  it.each([
    [840, '0.84 s'],
    [1_234, '1.2 s'],
    [12_000, '12 s'],
    [200_000, '3 min 20 s'],
  ])('of %i ms is %s', (ms, text) => expect(duration(ms)).toBe(text));
});
