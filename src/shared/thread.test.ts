import { describe, expect, it, onTestFinished } from 'vitest';
import { Thread, threadModule } from './thread.ts';

interface Echo {
  readonly request: unknown;
  readonly together: number;
  readonly data: unknown;
}

function newThread(): Thread<unknown> {
  const thread = new Thread(new URL('../../test/support/echo-entry.ts', import.meta.url), { some: 'data' });
  onTestFinished(() => thread.end());
  return thread;
}

describe('a thread', () => {
  it('answers each request, and hands over together what waited together', async () => {
    const thread = newThread();
    await thread.call('warm'); // it is up: what follows lies in its queue at once
    const answers = await Promise.all([1, 2, 3].map((n) => thread.call<Echo>(n)));
    expect(answers.map(({ request }) => request)).toEqual([1, 2, 3]);
    expect(answers.every(({ data }) => (data as { some: string }).some === 'data')).toBe(true);
    expect(answers.at(-1)?.together).toBeGreaterThanOrEqual(1);
  });

  it('answers what yields after all that does not, and all of it before it ends', async () => {
    const thread = newThread();
    const answered: unknown[] = [];
    const ask = (request: string, yields?: boolean) =>
      thread.call<Echo>(request, { yields }).then((answer) => answered.push(answer.request));
    const asked = Promise.all([ask('bulk 1', true), ask('one'), ask('bulk 2', true), ask('two')]);
    await thread.end();
    await asked;
    expect(answered).toEqual(['one', 'two', 'bulk 1', 'bulk 2']);
  });

  it('rejects with what was thrown over a request, and goes on', async () => {
    const thread = newThread();
    await expect(thread.call('throw')).rejects.toThrow('it threw');
    expect((await thread.call<Echo>('after')).request).toBe('after');
  });

  it('answers what was asked before it is ended, and refuses what is asked after', async () => {
    const thread = newThread();
    const asked = thread.call<Echo>('before');
    await thread.end();
    expect((await asked).request).toBe('before');
    await expect(thread.call('after')).rejects.toThrow('the thread has ended');
  });

  it('rejects what it owes when it dies, and tells that it is gone', async () => {
    const thread = newThread();
    const gone = new Promise<Error>((resolve) => thread.onEnd(resolve));
    await expect(thread.call('die')).rejects.toThrow('the thread has ended');
    expect((await gone).message).toBe('the thread has ended');
    expect(thread.owed).toBe(0);
  });

  it('is named as source beside source, and as built beside built', () => {
    expect(threadModule('x-entry', 'file:///a/b.ts').href).toBe('file:///a/x-entry.ts');
    expect(threadModule('x-entry', 'file:///a/b.js').href).toBe('file:///a/x-entry.js');
  });
});
