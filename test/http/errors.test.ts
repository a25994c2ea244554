import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { BrainError, ERROR_CODES, type ErrorCode } from '../../src/domain/error.ts';
import { PROBLEMS } from '../../src/http/errors.ts';
import { ifMatch, newBrain } from './client.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

describe('the page of errors', () => {
  const page = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');
  const section = /^## (\w+)\n\*\*(\d{3}) · (.+?) · (not )?retryable\.\*\* (.+)$/gm;
  const documented = [...page.matchAll(section)].map(([, code, status, title, not, text]) => ({
    code: code as ErrorCode,
    status: Number(status),
    title,
    retryable: not === undefined,
    text: text ?? '',
  }));

  it('has each code of the union once, in its order, and no other', () => {
    expect(documented.map(({ code }) => code)).toEqual([...ERROR_CODES]);
    expect([...page.matchAll(/^## /gm)]).toHaveLength(ERROR_CODES.length);
    expect(Object.keys(PROBLEMS).sort()).toEqual([...ERROR_CODES].sort());
  });

  it('gives each code the status, title and retryability that it is answered with, and says what to do', () => {
    for (const { code, status, title, retryable, text } of documented) {
      expect([code, PROBLEMS[code]]).toMatchObject([code, { status, title }]);
      expect([code, retryable]).toEqual([code, new BrainError(code, 'x').retryable]);
      expect(text.length).toBeGreaterThan(5);
    }
  });
});

describe('a problem', () => {
  it('of every code is answered in one shape, under its status', async () => {
    const { brain, sendRoot } = await newBrain();
    brain.app.get<{ Params: { code: ErrorCode } }>('/fails/:code', ({ params }) => {
      const issues = [{ pointer: '/a', code: 'rule', message: 'broken' }];
      throw new BrainError(params.code, 'told', {
        issues,
        details: { fact: 1 },
        cause: new Error('secret cause'),
      });
    });
    for (const code of ERROR_CODES) {
      const answer = await sendRoot('GET', `/fails/${code}`, undefined, { 'x-correlation-id': 'c-1' });
      const hidden = PROBLEMS[code].detail;
      expect(answer.headers['content-type']).toBe('application/problem+json');
      expect(answer.body).toEqual({
        type: `/docs/errors#${code}`,
        title: PROBLEMS[code].title,
        status: PROBLEMS[code].status,
        detail: hidden ?? 'told',
        instance: `/fails/${code}`,
        code,
        correlationId: 'c-1',
        requestId: answer.headers['x-request-id'],
        timestamp: expect.stringMatching(INSTANT),
        retryable: new BrainError(code, '').retryable,
        errors: [{ pointer: '/a', code: 'rule', message: 'broken' }],
        ...(hidden === undefined && { details: { fact: 1 } }),
      });
      expect(answer.status).toBe(PROBLEMS[code].status);
      expect(answer.headers['retry-after'] !== undefined).toBe([429, 503].includes(answer.status));
      expect(answer.text).not.toContain('secret');
    }
  });

  it('of something else that is thrown is internal, and says nothing of it', async () => {
    const { brain, sendRoot } = await newBrain();
    brain.app.get('/fails', () => {
      throw new TypeError('secret of the code');
    });
    const answer = await sendRoot('GET', '/fails');
    expect([answer.status, answer.body.code]).toEqual([500, 'internal']);
    expect(answer.text).not.toContain('secret');
  });

  it('of what the framework refuses by itself has the same shape', async () => {
    const { sendRoot } = await newBrain();
    const answers = [
      await sendRoot('GET', '/api/v2/nodes/%zz'),
      await sendRoot('GET', `/api/v2/nodes/${'x'.repeat(500)}`),
      await sendRoot('GET', '/nowhere'),
      await sendRoot('PUT', '/livez'),
      await sendRoot('POST', '/api/v2/nodes', '{', { 'content-type': 'application/json' }),
      await sendRoot('POST', '/api/v2/nodes', 'x', { 'content-type': 'nonsense' }),
    ];
    expect(answers.map((a) => a.body.code)).toEqual([
      'malformed',
      'not_found',
      'not_found',
      'method_not_allowed',
      'malformed',
      'unsupported_media_type',
    ]);
    for (const { body, headers, status } of answers) {
      expect(headers['content-type']).toBe('application/problem+json');
      expect(body.status).toBe(status);
      expect(body.requestId).toMatch(UUID);
      expect([body.correlationId, body.requestId]).toEqual([
        headers['x-correlation-id'],
        headers['x-request-id'],
      ]);
    }
  });
});

describe('a body of nothing', () => {
  it('is none where none is taken, whatever type is named, and no JSON where one is', async () => {
    const { create, send, sendRoot } = await newBrain();
    const { id } = await create({ content: 'x' });
    const type = { 'content-type': 'application/json' };
    const answers = [
      await sendRoot('POST', '/api/v1/categories/rebuild', undefined, type),
      await sendRoot('DELETE', `/api/v1/nodes/${id}`, undefined, type),
      await send('DELETE', `/nodes/${id}`, undefined, { ...type, ...ifMatch('*') }),
      await send('POST', '/nodes', undefined, type),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 204, 404, 400]);
  });
});

describe('the ids of a request', () => {
  it('a valid correlation id is taken and echoed, another is replaced; the request id is always our own', async () => {
    const { send } = await newBrain();
    const valid = ['a', 'A-9._:x', 'x'.repeat(128)];
    const invalid = ['', 'a b', 'x'.repeat(129), 'ä', 'a/b', 'a\tb'];
    for (const given of [...valid, ...invalid]) {
      const { headers } = await send('GET', '/graph', undefined, {
        'x-correlation-id': given,
        'x-request-id': 'theirs',
      });
      expect(headers['x-request-id']).toMatch(UUID);
      expect([given, headers['x-correlation-id']]).toEqual([
        given,
        valid.includes(given) ? given : headers['x-request-id'],
      ]);
    }
    const [a, b] = [await send('GET', '/graph'), await send('GET', '/graph')];
    expect(a.headers['x-request-id']).not.toBe(b.headers['x-request-id']);
  });

  it('stand on refusals as well', async () => {
    const { send, create } = await newBrain();
    const { id } = await create({ content: 'x' });
    const given = { 'x-correlation-id': 'mine' };
    const answers = [
      await send('PATCH', `/nodes/${id}`, { content: 'y' }, given),
      await send('PATCH', `/nodes/${id}`, { content: 'y' }, { ...given, ...ifMatch(9) }),
      await send('POST', '/nodes', { nothing: 1 }, given),
    ];
    for (const { body, headers } of answers) {
      expect([body.correlationId, headers['x-correlation-id']]).toEqual(['mine', 'mine']);
      expect(body.requestId).toBe(headers['x-request-id']);
    }
  });
});
