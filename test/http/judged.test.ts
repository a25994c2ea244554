import { describe, expect, it, vi } from 'vitest';
import { newBrain } from './client.ts';
import { holdToDocument } from './judged.ts';

describe('an answer that the client of the tests receives', () => {
  it('fails the test that asked, with what was asked and what is wrong, where it contradicts the document', async () => {
    const { brain, create, send } = await newBrain();
    const { id } = await create({ title: 'Sleep' });
    const real = await brain.app.inject({ url: `/api/v2/nodes/${id}` });
    const node = real.json<object>();
    const { etag, ...others } = real.headers;
    expect(etag).toBe('"1"');
    const answering = vi.spyOn(brain.app, 'inject');
    for (const [answer, wrong] of [
      [{ statusCode: 418 }, 'answered 418, against the document of v2: getNode is not described'],
      [{ statusCode: 405 }, 'getNode is not described to answer 405'],
      [{ headers: others }, 'answered 200, against the document of v2: there is no header ETag'],
      [{ headers: { ...real.headers, etag: 'W/"1"' } }, 'header ETag is W/"1"'],
      [{ headers: { ...real.headers, 'content-type': 'text/html' } }, '200 of type text/html'],
      [{ body: JSON.stringify({ ...node, titel: 'x' }) }, 'must NOT have additional properties'],
      [{ body: JSON.stringify({ ...node, version: 'one' }) }, 'data/version must be integer'],
      [{ body: '{' }, 'no JSON'],
    ] as const) {
      answering.mockResolvedValueOnce({ ...real, ...answer });
      const failure = await send('GET', `/nodes/${id}`).catch((error: unknown) => String(error));
      expect(failure).toContain(`GET /api/v2/nodes/${id}`);
      expect(failure).toContain(wrong);
    }
    expect((await send('GET', `/nodes/${id}`)).status).toBe(200);
  });

  it('is held to the version that Accept names where the path names none, and a HEAD to its GET', () => {
    const bare = { status: 200, headers: {}, text: '' };
    const asked = { method: 'GET', url: '/api/nodes?limit=1' };
    expect(() => holdToDocument({ ...asked, accept: undefined }, bare)).toThrow(/GET \/api\/v1\/nodes .* X-/);
    const v2 = 'application/vnd.brain2.v2+json';
    expect(() => holdToDocument({ ...asked, accept: v2 }, bare)).toThrow(/GET \/api\/v2\/nodes .* X-/);
    const head = { method: 'HEAD', url: '/api/v2/nodes', accept: undefined };
    expect(() => holdToDocument(head, bare)).toThrow('there is no header X-');
    expect(() => holdToDocument(head, { ...bare, text: '{}' })).toThrow('a body for a HEAD');
  });

  it('at no operation must be a refusal, of the shape that refusals have', () => {
    const headers = { 'content-type': 'application/problem+json' };
    const asked = { method: 'GET', url: '/api/v2/nowhere', accept: undefined };
    expect(() => holdToDocument(asked, { status: 200, headers, text: '{}' })).toThrow(
      'a success at no operation',
    );
    expect(() => holdToDocument(asked, { status: 404, headers, text: '{}' })).toThrow('/schemas/Problem');
    expect(() =>
      holdToDocument({ ...asked, url: '/livez' }, { status: 200, headers, text: '' }),
    ).not.toThrow();
  });
});
