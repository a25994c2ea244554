import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { NewToken } from '../../src/api/v2-tokens.ts';
import type { Graph } from '../../src/api/v2.ts';
import { isBrainError } from '../../src/domain/error.ts';
import { operatorCredential } from '../../src/http/auth/operator.ts';
import { parseJson } from '../../src/http/json-body.ts';
import { readSettings } from '../../src/server/settings.ts';
import { dataFolder, newBrain } from './client.ts';
import { serveBrain } from './server.ts';

const START = Date.parse('2026-03-01T12:00:00Z');

async function limitedBrain(auth: 'local' | 'token', requests = 3) {
  const clock = { nowMs: START };
  const settings = { auth, rateLimit: { requests, seconds: 60 } } as const;
  const client = await newBrain(dataFolder(), { settings, nowMs: () => clock.nowMs });
  const get = (headers: Readonly<Record<string, string>> = {}) =>
    client.send('GET', '/edges', undefined, headers);
  return { client, clock, get };
}

describe('the rate limit', () => {
  it('tells in every answer what is left, and refuses above it until it is filled again', async () => {
    const { get, clock } = await limitedBrain('local');
    const answers = [await get(), await get(), await get(), await get()];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 429]);
    expect(answers.map(({ headers }) => headers['ratelimit'])).toEqual([
      '"owner";r=2;t=20',
      '"owner";r=1;t=20',
      '"owner";r=0;t=20',
      '"owner";r=0;t=20',
    ]);
    for (const { headers } of answers) expect(headers['ratelimit-policy']).toBe('"owner";q=3;w=60');
    const refused = answers[3];
    expect([refused?.body.code, refused?.body.retryable, refused?.headers['retry-after']]).toEqual([
      'rate_limited',
      true,
      '20',
    ]);
    clock.nowMs += 19_999;
    expect((await get()).status).toBe(429);
    clock.nowMs += 1;
    expect([(await get()).status, (await get()).status]).toEqual([200, 429]);
    clock.nowMs += 3600_000;
    expect((await get()).headers['ratelimit']).toBe('"owner";r=2;t=20');
  });

  it('counts each token by itself, and all of an owner together', async () => {
    const { client, get } = await limitedBrain('token', 2);
    const operator = {
      authorization: `Bearer ${operatorCredential(client.brain.folder.operatorKey, 'ada')}`,
    };
    const token = async () => {
      const { body } = await client.send<NewToken>('POST', '/tokens', { name: 'x' }, operator);
      return { authorization: `Bearer ${body.secret}` };
    };
    const tokens = [await token(), await token(), await token(), await token(), await token()];
    const [one = {}, ...others] = tokens;
    const first = [await get(one), await get(one), await get(one)];
    expect(first.map(({ status }) => status)).toEqual([200, 200, 429]);
    expect(first[0]?.headers['ratelimit-policy']).toBe('"token";q=2;w=60, "owner";q=10;w=60');
    expect(first[0]?.headers['ratelimit']).toBe('"token";r=1;t=30, "owner";r=4;t=6');
    // What was refused was not counted; making the five tokens was.
    const rest = [];
    for (const other of others) rest.push((await get(other)).status);
    expect(rest).toEqual([200, 200, 200, 429]);
  });

  it('leaves health alone, also where nothing is left', async () => {
    const { client, get } = await limitedBrain('local', 1);
    await get();
    expect((await get()).status).toBe(429);
    for (const path of ['/livez', '/readyz', '/health']) {
      const { status, headers } = await client.sendRoot('GET', path);
      expect([path, status, headers['ratelimit']]).toEqual([path, 200, undefined]);
    }
  });

  it('by default leaves a machine’s own programs thousands of requests a second', async () => {
    const { send } = await newBrain();
    expect((await send('GET', '/edges')).headers['ratelimit-policy']).toBe('"owner";q=100000;w=1');
  });

  it.each([
    ['600/m', { requests: 600, seconds: 60 }],
    ['10/s', { requests: 10, seconds: 1 }],
    ['1/h', { requests: 1, seconds: 3600 }],
    ['off', 'off'],
  ])('is set as %s', (text, limit) => {
    expect(readSettings({ BRAIN2_RATE_LIMIT: text }).rateLimit).toEqual(limit);
  });

  it.each(['0/m', '600', '600/d', '-1/s', '1e3/s', 'none'])('is not set as %s', (text) => {
    expect(() => readSettings({ BRAIN2_RATE_LIMIT: text })).toThrow(/600\/m, or off/);
  });
});

function tried(text: string): { readonly read?: unknown; readonly refused?: unknown } {
  try {
    return { read: parseJson(text) };
  } catch (refused) {
    return { refused };
  }
}

describe('a body', () => {
  it('has a megabyte at most', async () => {
    const { send } = await newBrain();
    const body = (bytes: number) => `{"title":"x","content":"${'x'.repeat(bytes - 26)}"}`;
    expect((await send('POST', '/nodes', body(2 ** 20))).body.code).toBe('invalid'); // read, and then too much for a note
    expect((await send('POST', '/nodes', body(2 ** 20 + 1))).body.code).toBe('too_large');
  });

  it.each([
    ['nodes/bulk', 'application/json', 413],
    ['nodes', 'text/plain', 415],
    ['imports', 'application/zip', 422],
  ])('of 16 MB that %s refuses is told so also to who writes all of it first', async (path, type, status) => {
    const { url } = await serveBrain();
    const body = Buffer.alloc(16 * 2 ** 20, ' ');
    const sent = async (connection: string) => {
      const socket = connect(Number(new URL(url).port), '127.0.0.1');
      const head = [`POST /api/v2/${path} HTTP/1.1`, 'host: 127.0.0.1', `content-type: ${type}`];
      socket.write(
        [...head, `connection: ${connection}`, `content-length: ${body.length}`, '\r\n'].join('\r\n'),
      );
      await promisify((then: (error?: Error | null) => void) => socket.write(body, then))();
      socket.end(connection === 'close' ? '' : 'GET /livez HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n');
      return text(socket);
    };
    expect(await sent('keep-alive')).toMatch(new RegExp(`^HTTP/1.1 ${status} [^]*HTTP/1.1 200 `));
    expect(await sent('close')).toMatch(new RegExp(`^HTTP/1.1 ${status} [^]*"status":${status}`));
  });

  it('that is far too large is taken no further, and its connection ends', async () => {
    const { url } = await serveBrain();
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.write(
      'POST /api/v2/nodes HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: 99999999999\r\n\r\n{',
    );
    expect(await text(socket)).toMatch(/^HTTP\/1.1 413 [^]*\nconnection: close\r\n/i);
  });

  it.each([
    ['{"title":"a","title":"b"}', /"title" stands twice/],
    ['{"title":"a","t\\u0069tle":"b"}', /"title" stands twice/],
    ['{"source":{"key":"a","key":"b"}}', /"key" stands twice/],
    ['{"__proto__":{"title":"x"}}', /__proto__/],
    ['{"title":"x","\\u005f_proto__":{}}', /__proto__/],
    ['{"title":"x","constructor":{"prototype":{}}}', /constructor/],
    ['{"title":"x","tags":[{"prototype":1}]}', /prototype/],
    [`{"title":${'['.repeat(32)}${']'.repeat(32)}}`, /deeper than 32/],
    ['['.repeat(500_000), /deeper than 32/],
    ['{"a":'.repeat(100_000), /deeper than 32/],
    ['{"title":"x"', /not JSON/],
    ['{"title":"x",}', /not JSON/],
    ["{'title':'x'}", /not JSON/],
    ['\ufeff{"title":"x"}', /not JSON/],
    ['{"title":"x"}{}', /not JSON/],
    ['{"title":NaN}', /not JSON/],
    ['', /not JSON|empty/],
  ])('that two readers may read differently is refused: %.40s', async (body, reason) => {
    const { send, get } = await newBrain();
    const answer = await send('POST', '/nodes', body);
    expect([answer.status, answer.body.code]).toEqual([400, 'malformed']);
    expect(answer.body.detail).toMatch(reason);
    expect((await get<Graph>('/graph')).nodes).toEqual([]);
  });

  it('that is compressed or of another encoding is refused as that, and not as broken', async () => {
    const { send } = await newBrain();
    for (const headers of [
      { 'content-encoding': 'gzip' },
      { 'content-type': 'application/json; charset=iso-8859-1' },
    ]) {
      const { status, body } = await send('POST', '/nodes', gzipSync('{"title":"x"}'), headers);
      expect([status, body.code]).toEqual([415, 'unsupported_media_type']);
    }
  });

  it('that is JSON with each key once, and no deeper than that, is read as JSON.parse does', () => {
    const json = fc.json({ maxDepth: 8 }).filter((text) => !/__proto__|constructor|prototype/.test(text));
    fc.assert(
      fc.property(json, (text) => {
        expect(parseJson(text)).toEqual(JSON.parse(text));
      }),
      { numRuns: 2_000 },
    );
  });

  it('whatever else it is, is refused by name or read as JSON.parse does', () => {
    const pieces = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"',
      '\\',
      '"a"',
      '"b"',
      '1',
      'null',
      '\\u0061',
      ' ',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 20 }), (parts) => {
        const given = parts.join('');
        const { read, refused } = tried(given);
        expect(refused === undefined || isBrainError(refused, 'malformed')).toBe(true);
        expect(read).toEqual(refused === undefined ? JSON.parse(given) : undefined);
      }),
      { numRuns: 5_000 },
    );
  });
});

describe('the head of a request', () => {
  it('has a URL of 4,096 characters at most', async () => {
    const { send } = await newBrain();
    const path = (length: number) => `/search?q=${'x'.repeat(length - '/api/v2/search?q='.length)}`;
    expect((await send('GET', path(4_096))).status).toBe(422); // read, and then too long a query
    const answer = await send('GET', path(4_097));
    expect([answer.status, answer.body.code]).toEqual([414, 'url_too_long']);
  });

  it('has 16 KB at most', async () => {
    const { url } = await serveBrain();
    const statusOf = async (bytes: number) => {
      const { hostname, port } = new URL(url);
      const socket = connect(Number(port), hostname);
      socket.end(
        `GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Filler: ${'x'.repeat(bytes)}\r\n\r\n`,
      );
      return (await text(socket)).slice(0, 'HTTP/1.1 200'.length);
    };
    expect([await statusOf(15_000), await statusOf(17_000)]).toEqual(['HTTP/1.1 200', 'HTTP/1.1 431']);
  });
});
