import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { describeError } from './describe-error.ts';

const SECRET = 'zebrafinch';
const caught = (work: () => unknown): unknown => {
  try {
    return work();
  } catch (error) {
    return error;
  }
};

test('an error is told by its kind, message, code, place and causes', () => {
  const error = Object.assign(new TypeError('outer', { cause: new RangeError('inner') }), { code: 'E1' });
  expect(describeError(error)).toEqual({
    type: 'TypeError',
    message: 'outer',
    code: 'E1',
    stack: expect.arrayContaining([expect.stringContaining('describe-error.test.ts')]),
    cause: { type: 'RangeError', message: 'inner', stack: expect.anything() },
  });
});

test('what a parser or a check of arguments quotes from its input is not told', () => {
  const errors = [
    caught(() => JSON.parse(`{"content": "${SECRET}`)),
    caught(() => JSON.parse(SECRET)),
    caught(() => Buffer.from(SECRET as unknown as number[]).readInt8(SECRET as unknown as number)),
    caught(() => new URL(SECRET)),
    caught(() => process.kill(SECRET as unknown as number)),
  ];
  for (const error of errors) {
    expect(error).toBeInstanceOf(Error);
    expect(JSON.stringify(describeError(error))).not.toContain(SECRET);
  }
});

test('no property of an error is told but those of its kind and place', () => {
  const error = Object.assign(new Error('failed'), {
    body: SECRET,
    headers: { cookie: SECRET },
    input: SECRET,
  });
  expect(JSON.stringify(describeError(error))).not.toContain(SECRET);
});

test('a text that was thrown is not told, only that it was one', () => {
  expect(describeError(SECRET)).toEqual({ type: 'string', message: 'a text of 10 characters was thrown' });
});

test('lines of a message that look like a place are not taken for one', () => {
  const described = describeError(new Error(`first\n    at ${SECRET}\n    at ${SECRET}`));
  expect(JSON.stringify(described.stack)).not.toContain(SECRET);
  expect(described.stack?.length).toBeGreaterThan(0);
});

test('causes in a circle and errors in plenty come to an end', () => {
  const circle: Error & { cause?: unknown } = new Error('round');
  circle.cause = circle;
  const many = new AggregateError(
    Array.from({ length: 1_000 }, () => circle),
    'many',
  );
  expect(JSON.stringify(describeError(many)).length).toBeLessThan(200_000);
  expect(describeError(many).errors).toHaveLength(5);
});

test('anything at all can be described, and the description be written', () => {
  const hostile = fc.constantFrom<unknown>(
    new Proxy(new Error('x'), {
      get: () => {
        throw new Error('no');
      },
    }),
    Object.create(null),
    Symbol('s'),
    () => 1,
  );
  fc.assert(
    fc.property(fc.oneof(fc.anything(), hostile), (thrown) => {
      const { type, message } = JSON.parse(JSON.stringify(describeError(thrown))) as Record<string, unknown>;
      expect([typeof type, typeof message]).toEqual(['string', 'string']);
    }),
  );
});
