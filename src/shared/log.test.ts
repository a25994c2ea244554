import { expect, test } from 'vitest';
import { runWithContext } from './context.ts';
import { bindLog, createLog } from './log.ts';

function kept() {
  const lines: Record<string, unknown>[] = [];
  const sink = { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) };
  return { log: createLog({ level: 'trace', format: 'json' }, sink), lines };
}

const CONTEXT = { correlationId: 'c', requestId: 'r', ownerId: 'o', traceId: 't', spanId: 's' };

test('every line has the ids of its work, which it cannot give itself; one of the process has none', () => {
  const { log, lines } = kept();
  runWithContext(CONTEXT, () => log.info({ ownerId: 'root', fact: 1 }, 'said'));
  log.info('outside');
  const bound = log.child({});
  bindLog(bound, CONTEXT);
  bound.child({}).info('in a child of what is bound');
  bound.info('bound');
  expect(lines).toMatchObject([
    { ...CONTEXT, fact: 1, msg: 'said' },
    { correlationId: '-', requestId: '-', ownerId: '-', traceId: '-', msg: 'outside' },
    { ...CONTEXT, msg: 'in a child of what is bound' },
    { ...CONTEXT, msg: 'bound' },
  ]);
});

test('what is called like a secret or like a part of a note is cut out, in a line and in what it holds', () => {
  const { log, lines } = kept();
  const node = { id: 'n', title: 'zebrafinch', content: 'zebrafinch', tags: ['zebrafinch'] };
  log.info({ node, list: ['a'], token: 'zebrafinch', req: { headers: { cookie: 'zebrafinch' } } }, 'said');
  expect(JSON.stringify(lines)).not.toContain('zebrafinch');
  expect(lines[0]).toMatchObject({
    node: { id: 'n', title: '[redacted]' },
    token: '[redacted]',
    list: ['a'],
  });
});

test('of an error a line has what may be told, and no words that are not its own', () => {
  const { log, lines } = kept();
  log.error(new Error('cannot read "zebrafinch"'));
  log.error({ err: new Error('not "zebrafinch"') }, 'failed');
  log.warn('nothing at "/zebrafinch?q=zebrafinch" here');
  log.warn({ err: 'zebrafinch' }, 'failed');
  expect(JSON.stringify(lines)).not.toContain('zebrafinch');
  expect(lines.map(({ msg }) => msg)).toEqual([
    'of the web framework',
    'failed',
    'nothing at … here',
    'failed',
  ]);
});
