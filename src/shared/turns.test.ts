import { expect, it, onTestFinished, vi } from 'vitest';
import { Turns } from './turns.ts';

it('gives others a turn of the event loop once its own is over', async () => {
  const now = vi.spyOn(performance, 'now').mockReturnValue(0);
  onTestFinished(() => now.mockRestore());
  const turns = new Turns();
  expect(turns.isOver).toBe(false);
  now.mockReturnValue(5);
  expect(turns.isOver).toBe(true);
  let others = 0;
  setImmediate(() => (others += 1));
  await turns.next();
  expect(others).toBe(1);
  expect(turns.isOver).toBe(false);
});
