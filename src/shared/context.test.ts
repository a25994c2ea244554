import { EventEmitter, once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { currentContext, runInBackground, runWithContext, setOwner, type Context } from './context.ts';

const contextOf = (name: string): Context => ({
  correlationId: name,
  requestId: `r-${name}`,
  ownerId: 'alice',
  traceId: `t-${name}`,
});

test('the context travels with its work across awaits, timers and events, and no further', async () => {
  const emitter = new EventEmitter();
  const seen = async (name: string): Promise<readonly (Context | undefined)[]> =>
    runWithContext(contextOf(name), async () => {
      const event = once(emitter, 'go');
      const first = currentContext();
      await nextTurn();
      const second = currentContext();
      await event;
      return [first, second, currentContext()];
    });
  const both = Promise.all([seen('a'), seen('b')]);
  await nextTurn();
  await nextTurn();
  emitter.emit('go');
  expect(await both).toEqual(['a', 'b'].map((name) => Array.from({ length: 3 }, () => contextOf(name))));
  expect(currentContext()).toBeUndefined();
});

test('a context within another hides it, until its work is done', () => {
  const inner = runWithContext(contextOf('outer'), () => [
    runWithContext(contextOf('inner'), () => currentContext()?.correlationId),
    currentContext()?.correlationId,
  ]);
  expect(inner).toEqual(['inner', 'outer']);
  const boom = (): never => {
    throw new Error('boom');
  };
  expect(() => runWithContext(contextOf('a'), boom)).toThrow('boom');
  expect(currentContext()).toBeUndefined();
});

test('work that nobody asked for has ids of its own, and the owner whose work it is', () => {
  const seen = runInBackground({ ownerId: 'alice', id: 'upkeep-1' }, currentContext);
  expect(seen).toMatchObject({ correlationId: 'upkeep-1', requestId: 'upkeep-1', ownerId: 'alice' });
  expect([seen?.traceId, seen?.spanId]).toEqual([
    expect.stringMatching(/^[0-9a-f]{32}$/),
    expect.stringMatching(/^[0-9a-f]{16}$/),
  ]);
});

test('the owner that comes to light later is that of all the work, also of what was begun before', async () => {
  const begun = await runWithContext(contextOf('a'), async () => {
    const before = nextTurn().then(() => currentContext()?.ownerId);
    setOwner('bob');
    return [await before, currentContext()?.ownerId];
  });
  expect(begun).toEqual(['bob', 'bob']);
  expect(() => setOwner('nobody')).toThrow('no work at hand');
});
