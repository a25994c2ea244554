import { EventEmitter, once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { currentContext, runWithContext, type Context } from './context.ts';

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
