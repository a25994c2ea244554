import { expect, it } from 'vitest';
import { Turns } from './turns.ts';

it('gives others a turn of the event loop once its own is over', async () => {
  const turns = new Turns();
  expect(turns.isOver).toBe(false);
  while (!turns.isOver);
  let others = 0;
  setImmediate(() => (others += 1));
  await turns.next();
  expect(others).toBe(1);
  expect(turns.isOver).toBe(false);
});
