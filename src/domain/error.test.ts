import { describe, expect, test } from 'vitest';
import {
  BrainError,
  checkAll,
  ERROR_CODES,
  isBrainError,
  occurred,
  refuse,
  toBrainError,
  within,
} from './error.ts';

const broken = (pointer: string) => () => refuse(pointer, 'rule', 'is broken');

describe('an error', () => {
  test('names every broken field at once, each with the pointer of its place', () => {
    const work = () =>
      checkAll({ a: broken(''), b: () => 1, c: broken('/0/d'), e: () => within('/f', broken('/1')) });
    expect(work).toThrow(
      expect.objectContaining({
        code: 'invalid',
        issues: ['/a', '/c/0/d', '/e/f/1'].map((pointer) => ({
          pointer,
          code: 'rule',
          message: 'is broken',
        })),
      }),
    );
  });

  test('that is not of the input passes through checks as it is', () => {
    const bug = new TypeError('bug');
    const work = () =>
      checkAll({
        a: broken(''),
        b: () => {
          throw bug;
        },
      });
    expect(work).toThrow(bug);
    expect(checkAll({ a: () => 1, b: () => null })).toEqual({ a: 1, b: null });
  });

  test('of any kind becomes one of ours, with its cause', () => {
    const cause = new TypeError('bug');
    expect(toBrainError(cause, 'node.get')).toMatchObject({
      code: 'internal',
      message: 'bug',
      cause,
      operation: 'node.get',
    });
    expect(toBrainError('text')).toMatchObject({ code: 'internal', message: 'text' });
    const ours = new BrainError('stale', 'old');
    expect(toBrainError(ours)).toBe(ours);
    expect([isBrainError(ours, 'stale'), isBrainError(ours, 'invalid'), isBrainError(cause)]).toEqual([
      true,
      false,
      false,
    ]);
  });

  test('says whether the same call may succeed later', () => {
    const retryable = ERROR_CODES.filter((code) => new BrainError(code, '').retryable);
    expect(retryable).toEqual([
      'in_progress',
      'rate_limited',
      'overloaded',
      'contended',
      'storage_full',
      'locked',
      'unavailable',
      'request_timeout',
      'timeout',
    ]);
  });
});

describe('an error that came up', () => {
  const occurrence = {
    correlationId: 'c',
    requestId: 'r',
    ownerId: 'o',
    timestamp: '2026-01-01T00:00:00.000Z',
  };

  test('is a copy with the ids of the work, and keeps code, cause, place and operation', () => {
    const cause = new TypeError('bug');
    const thrown = new BrainError('unavailable', 'gone', {
      cause,
      details: { fact: 1 },
      operation: 'store.read',
    });
    const own = occurred(thrown, occurrence, 'GET /');
    expect(own).toMatchObject({ ...occurrence, code: 'unavailable', cause, details: { fact: 1 } });
    expect([own.stack, own.operation, own.type]).toEqual([thrown.stack, 'store.read', 'dependency']);
    expect(thrown.requestId).toBeUndefined();
    expect(occurred(own, { ...occurrence, requestId: 'other' }, 'GET /')).toBe(own);
  });

  test('is ours or not without a look at what it does when it is looked at', () => {
    const fail = (): never => {
      throw new Error('looked at');
    };
    const trap = new Proxy(new BrainError('stale', 'old'), { get: fail, has: fail, getPrototypeOf: fail });
    expect(isBrainError(trap)).toBe(false);
    expect(toBrainError(trap)).toMatchObject({ code: 'internal' });
  });
});
