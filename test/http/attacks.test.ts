import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Graph } from '../../src/api/v2.ts';
import { readSettings } from '../../src/server/settings.ts';
import { dataFolder, newBrain, type Client } from './client.ts';
import { serveBrain } from './server.ts';

const APP = 'http://localhost:5173';

const titles = async ({ get }: Client) => (await get<Graph>('/graph')).nodes.map(({ title }) => title);

describe('where nobody is asked who they are', () => {
  it.each([
    ['localhost', 200],
    ['localhost:4321', 200],
    ['LOCALHOST:1', 200],
    ['127.0.0.1:4321', 200],
    ['127.1.2.3', 200],
    ['[::1]:4321', 200],
    ['evil.example', 403],
    ['evil.example:4321', 403],
    ['localhost.evil.example', 403],
    ['evil.localhost', 403],
    ['127.0.0.1.evil.example', 403],
    ['evil.example@localhost', 403],
    ['localhost:4321@evil.example', 403],
    ['192.168.1.7:4321', 403],
    ['0.0.0.0:4321', 403],
    ['[::]:4321', 403],
    [' localhost', 403],
  ])('a request under the name %j is answered with %i', async (host, status) => {
    const { sendRoot, send } = await newBrain();
    for (const answer of [
      await send('GET', '/graph', undefined, { host }),
      await sendRoot('GET', '/livez', undefined, { host }),
    ])
      expect(answer.status).toBe(status);
  });

  it('a request under no name at all is refused on a socket, too', async () => {
    const { url } = await serveBrain();
    const { hostname, port } = new URL(url);
    const answer = async (request: string) => {
      const socket = connect(Number(port), hostname);
      socket.end(request);
      return (await text(socket)).slice('HTTP/1.1 '.length, 'HTTP/1.1 403'.length);
    };
    expect(await answer('GET /api/v2/graph HTTP/1.0\r\n\r\n')).toBe('403');
    expect(await answer('GET /api/v2/graph HTTP/1.1\r\nHost: \r\nConnection: close\r\n\r\n')).toBe('403');
    expect(await answer('GET /api/v2/graph HTTP/1.1\r\n\r\n')).toBe('400');
    expect(
      await answer('GET /api/v2/graph HTTP/1.1\r\nHost: a\r\nHost: localhost\r\nConnection: close\r\n\r\n'),
    ).not.toBe('200');
    expect(
      await answer(`GET ${url}/api/v2/graph HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n`),
    ).toBe('403');
  });

  it.each([
    ['http://evil.example', 'POST'],
    ['https://localhost:4321', 'POST'],
    ['http://localhost:3000', 'POST'],
    ['http://localhost', 'POST'],
    ['http://localhost:4321.evil.example', 'POST'],
    ['null', 'POST'],
    ['', 'POST'],
    ['file://', 'GET'],
    ['http://evil.example', 'GET'],
    ['http://evil.example', 'OPTIONS'],
  ])('a page of %j can send no %s', async (origin, method) => {
    const client = await newBrain();
    const headers = { host: 'localhost:4321', origin, 'content-type': 'application/json' };
    const body = method === 'POST' ? { title: 'forged' } : undefined;
    const answer = await client.send(method as 'POST', '/nodes', body, headers);
    expect([answer.status, answer.body.code]).toEqual([403, 'forbidden']);
    expect(answer.headers['access-control-allow-origin']).toBeUndefined();
    expect(await titles(client)).toEqual([]);
  });

  it('a page of its own can', async () => {
    const { send } = await newBrain();
    const headers = { host: 'localhost:4321', origin: 'http://localhost:4321' };
    expect((await send('POST', '/nodes', { title: 'x' }, headers)).status).toBe(201);
  });

  it('what a foreign page loads or sends without an origin is refused, and a link to here is followed', async () => {
    const { send } = await newBrain();
    const status = async (mode: string, method: 'GET' | 'POST' = 'GET', site = 'cross-site') => {
      const headers = { 'sec-fetch-site': site, 'sec-fetch-mode': mode };
      return (await send(method, '/nodes', method === 'POST' ? { title: 'x' } : undefined, headers)).status;
    };
    expect([await status('no-cors'), await status('cors'), await status('navigate', 'POST')]).toEqual([
      403, 403, 403,
    ]);
    expect([
      await status('navigate'),
      await status('cors', 'GET', 'same-origin'),
      await status('navigate', 'GET', 'none'),
    ]).toEqual([200, 200, 200]);
  });

  it('listening beyond this machine is refused, with the way out', () => {
    for (const host of ['0.0.0.0', '::', '192.168.1.7', 'example.org'])
      expect(() => readSettings({ BRAIN2_HOST: host })).toThrow(/brain2 token create.*BRAIN2_AUTH=token/s);
    expect(readSettings({ BRAIN2_HOST: '0.0.0.0', BRAIN2_AUTH: 'token' }).host).toBe('0.0.0.0');
  });
});

describe('pages of other origins', () => {
  it('are let in by name alone, for everything that they need to read', async () => {
    const client = await newBrain(dataFolder(), { settings: { allowedOrigins: [APP] } });
    const preflight = await client.send('OPTIONS', '/nodes/x', undefined, {
      origin: APP,
      'access-control-request-method': 'PATCH',
      'access-control-request-headers': 'authorization,if-match,content-type',
    });
    expect([preflight.status, preflight.headers['access-control-allow-origin']]).toEqual([204, APP]);
    expect(preflight.headers['access-control-allow-methods']).toContain('PATCH');
    expect(preflight.headers['access-control-allow-credentials']).toBeUndefined();
    const answer = await client.send('GET', '/graph', undefined, { origin: APP });
    expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([200, APP]);
    expect(answer.headers['access-control-expose-headers']).toMatch(/API-Version.*Sunset.*ETag.*RateLimit/);
    expect(answer.headers['vary']).toMatch(/origin/i);
    const gone = await client.sendRoot('GET', '/api/v9/graph', undefined, { origin: APP });
    expect([gone.status, gone.headers['access-control-allow-origin']]).toEqual([410, APP]);
    expect((await client.send('OPTIONS', '/nodes')).status).toBe(204);
    const other = await client.send('GET', '/graph', undefined, { origin: 'http://localhost:5174' });
    expect([other.status, other.headers['access-control-allow-origin']]).toEqual([403, undefined]);
  });

  it('with tokens, a preflight needs none, and another origin is told nothing that lets it read', async () => {
    const client = await newBrain(dataFolder(), { settings: { auth: 'token', allowedOrigins: [APP] } });
    const ask = (origin: string) =>
      client.send('OPTIONS', '/nodes', undefined, { origin, 'access-control-request-method': 'POST' });
    expect((await ask(APP)).headers['access-control-allow-origin']).toBe(APP);
    expect((await ask('http://evil.example')).headers['access-control-allow-origin']).toBeUndefined();
    expect((await client.send('GET', '/graph', undefined, { origin: APP })).status).toBe(401);
  });

  it.each(['*', 'localhost:5173', 'http://localhost:5173/', 'http://a.example/x', 'null', 'ftp://a.example'])(
    'are not named %s',
    (origin) => {
      expect(() => readSettings({ BRAIN2_ALLOWED_ORIGINS: origin })).toThrow(/an origin is written/);
    },
  );
});

describe('a content type', () => {
  const variants = [
    'application/json',
    'application/json ',
    ' application/json',
    'application/json\t',
    'application/json;',
    'application/json; charset=utf-8',
    'application/json;charset="UTF-8"',
    'application/json ; charset=utf-8',
    'application/json;\tcharset=utf-8',
    'application/json, text/plain',
    'application/json; charset=utf-16',
    'application/json; charset=latin1',
    'APPLICATION/JSON',
    'application/merge-patch+json',
    'application/merge-patch+json; x=y',
    'application/jsonx',
    'application/json+x',
    'application/problem+json',
    'text/json',
    'text/plain',
    'text/plain; application/json',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/x-ndjson',
    'application/octet-stream',
    'application',
    '/',
    ';',
    '*/*',
    '\u00a0application/json',
    'application/json\u00a0; x',
    '__proto__',
    'constructor',
  ];

  it.each(variants)('%j lets no body by that breaks a rule', async (type) => {
    const client = await newBrain();
    for (const body of [
      '{"title":7}',
      '{"unknown":1}',
      '{"title":"x","content":[]}',
      'title=x',
      '[]',
      '"x"',
      'null',
      '7',
    ]) {
      const { status } = await client.send('POST', '/nodes', body, { 'content-type': type });
      expect([type, body, [400, 415, 422].includes(status), status]).toEqual([type, body, true, status]);
    }
    expect(await titles(client)).toEqual([]);
  });

  it('of any other form lets none by either, and never fails', async () => {
    const client = await newBrain();
    const part = fc.constantFrom(
      'application',
      'json',
      '/',
      ';',
      ' ',
      '\t',
      '=',
      '"',
      ',',
      'charset',
      'utf-8',
      '+',
      'x',
      '*',
    );
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 8 }), async (parts) => {
        const { status } = await client.send('POST', '/nodes', '{"title":7}', {
          'content-type': parts.join(''),
        });
        expect([400, 415, 422]).toContain(status);
      }),
      { numRuns: 300 },
    );
    expect(await titles(client)).toEqual([]);
  });

  it('that is missing lets none by', async () => {
    const client = await newBrain();
    const statuses = [];
    for (const method of ['POST', 'PATCH'] as const) {
      const path = method === 'POST' ? '/nodes' : '/nodes/0190a7c4-5b3e-7c2a-9f10-3d2b8e6a1c55';
      const answer = await client.brain.app.inject({
        method,
        url: `/api/v2${path}`,
        payload: '{"title":"x"}',
        headers: { 'if-match': '*' },
      });
      const empty = await client.brain.app.inject({
        method,
        url: `/api/v2${path}`,
        headers: { 'if-match': '*' },
      });
      statuses.push(answer.statusCode, empty.statusCode);
    }
    expect(statuses).toEqual([415, 422, 415, 422]);
  });

  it.each([
    Buffer.from([0x7b, 0x22, 0x74, 0x69, 0x74, 0x6c, 0x65, 0x22, 0x3a, 0x22, 0xff, 0x22, 0x7d]),
    Buffer.from([0x7b, 0x22, 0x74, 0x69, 0x74, 0x6c, 0x65, 0x22, 0x3a, 0x22, 0xc0, 0xaf, 0x22, 0x7d]),
    Buffer.from('{"title":"x"}', 'utf16le'),
  ])('over bytes that are not UTF-8 is refused', async (body) => {
    const { send } = await newBrain();
    const answer = await send('POST', '/nodes', body);
    expect([answer.status, answer.body.code]).toEqual([400, 'malformed']);
  });
});

describe('forwarding headers', () => {
  const forged = {
    'x-forwarded-host': 'localhost',
    'x-forwarded-for': '127.0.0.1',
    'x-forwarded-proto': 'https',
    forwarded: 'for=127.0.0.1;host=localhost',
    'x-real-ip': '127.0.0.1',
    'x-original-url': '/livez',
    'x-rewrite-url': '/livez',
    'x-http-method-override': 'DELETE',
  };

  it('change neither the name, nor the address, nor the path, nor the method of a request', async () => {
    const { brain, send } = await newBrain();
    brain.app.get('/seen', ({ ip, host, protocol }) => ({ ip, host, protocol }));
    const seen = await brain.app.inject({
      url: '/seen',
      headers: { host: 'localhost:1', ...forged },
      remoteAddress: '203.0.113.9',
    });
    expect(seen.json()).toEqual({ ip: '203.0.113.9', host: 'localhost:1', protocol: 'http' });
    expect((await send('GET', '/graph', undefined, { ...forged, host: 'evil.example' })).status).toBe(403);
    expect((await send('GET', '/graph', undefined, forged)).status).toBe(200);
  });

  it('are believed of a proxy that is named, and of nobody else', async () => {
    const client = await newBrain(dataFolder(), { settings: { trustProxy: ['10.0.0.0/8'] } });
    client.brain.app.get('/seen', ({ ip }) => ({ ip }));
    const ipOf = async (remoteAddress: string) =>
      (
        await client.brain.app.inject({
          url: '/seen',
          headers: { 'x-forwarded-for': '198.51.100.1' },
          remoteAddress,
        })
      ).json<{ ip: string }>().ip;
    expect([await ipOf('10.1.2.3'), await ipOf('203.0.113.9')]).toEqual(['198.51.100.1', '203.0.113.9']);
    // The name is the caller's own also behind a proxy: the guard of a local Brain2 does not take it from a header.
    const foreign = await client.brain.app.inject({
      url: '/api/v2/graph',
      headers: { ...forged, host: 'evil.example' },
      remoteAddress: '10.1.2.3',
    });
    expect(foreign.statusCode).toBe(403);
  });

  it.each(['everybody', '10.0.0.0/33', 'true', '1', '10.0.0.0/8/8'])('are not believed of %s', (proxy) => {
    expect(() => readSettings({ BRAIN2_TRUST_PROXY: proxy })).toThrow(/a proxy is named by its address/);
  });
});

describe('every answer', () => {
  it('tells browsers that it is no page, no frame and no script, whatever it is', async () => {
    const { sendRoot } = await newBrain();
    const answers = [
      await sendRoot('GET', '/livez'),
      await sendRoot('GET', '/api/v2/graph'),
      await sendRoot('GET', '/nowhere'),
      await sendRoot('POST', '/api/v2/nodes', '{'),
      await sendRoot('GET', '/api/v2/graph', undefined, { host: 'evil.example' }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 404, 400, 403]);
    for (const { headers } of answers)
      expect(headers).toMatchObject({
        'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'cross-origin-resource-policy': 'same-origin',
      });
  });
});
