import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { once } from 'node:events';
import { expect, it } from 'vitest';

const SRC = new URL('../../src/', import.meta.url);

/** A process of its own that does this on behalf of somebody, and all that it prints. */
async function behalf(work: string) {
  const script = `import { runWithContext } from ${JSON.stringify(new URL('shared/context.ts', SRC).href)};
    import { createLog } from ${JSON.stringify(new URL('shared/log.ts', SRC).href)};
    import { logProcess } from ${JSON.stringify(new URL('server/process-log.ts', SRC).href)};
    const stop = logProcess(createLog({ level: 'info', format: 'json' }));
    const context = { correlationId: 'c-1', requestId: 'r-1', ownerId: 'alice', traceId: 't-1' };
    runWithContext(context, () => { ${work} });`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  return {
    lines: stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown),
    stderr,
    code: code as number,
  };
}

const IDS = { correlationId: 'c-1', requestId: 'r-1', ownerId: 'alice', traceId: 't-1' };

it('a warning of the process is a line of the log with the ids of whose work it was, and nothing else', async () => {
  const { lines, stderr, code } = await behalf("process.emitWarning('careful'); setTimeout(stop, 50);");
  expect({ lines, stderr, code }).toMatchObject({
    lines: [{ ...IDS, level: 'warn', msg: 'warning', err: { message: 'careful' } }],
    stderr: '',
    code: 0,
  });
});

it.each([
  ['an error that nobody caught', "setTimeout(() => { throw new Error('lost'); });"],
  ['a promise that nobody awaited', "void Promise.resolve().then(() => { throw new Error('lost'); });"],
])(
  '%s is the last line of the log, with the ids of whose work it was, and ends the process',
  async (_what, work) => {
    const { lines, stderr, code } = await behalf(`${work} setInterval(() => {}, 1000);`);
    expect({ lines, stderr, code }).toMatchObject({
      lines: [{ ...IDS, level: 'fatal', err: { message: 'lost' } }],
      stderr: '',
      code: 1,
    });
  },
);
