import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Problem } from '../../src/api/common.ts';
import type { DeprecationUsage, LinkedNode } from '../../src/api/v2.ts';
import type { Versions } from '../../src/api/versions.ts';
import { ownerId } from '../../src/domain/values.ts';
import { negotiate } from '../../src/http/negotiation.ts';
import { VERSIONS, type ApiVersion } from '../../src/http/versions.ts';
import { dataFolder, newBrain, SLEEP } from './client.ts';
import { serveBrain } from './server.ts';

const DOCS = '/docs/guides/migrate-v1-v2';
const vendor = (version: number | string): string => `application/vnd.brain2.${version}+json`;

/** What is decided, in short: the address and whether Accept named it, or the code of the refusal. */
function decide(url: string, accept: string | undefined, versions?: readonly ApiVersion[]): string {
  const negotiated = negotiate(url, accept, versions);
  if (negotiated.kind === 'none') return 'none';
  if (negotiated.kind === 'refused') return negotiated.error.code;
  return `${negotiated.url}${negotiated.isNamed ? ' named' : ''}`;
}

describe('the version of a request', () => {
  it.each([
    // the path
    ['/api/v1/nodes', undefined, '/api/v1/nodes'],
    ['/api/v2/nodes?limit=1', '*/*', '/api/v2/nodes?limit=1'],
    ['/api/v2', undefined, '/api/v2'],
    ['/api/v0/nodes', undefined, 'version_gone'],
    ['/api/v3/nodes', undefined, 'version_gone'],
    ['/api/v3', undefined, 'version_gone'],
    ['/api/v99999999999999999999999/nodes', undefined, 'version_gone'],
    ...['v', 'v01', 'v1.0', 'v1beta', 'v-1', 'V1', 'v%31', 'v 1', 'v1;x'].map(
      (segment) => [`/api/${segment}/nodes`, undefined, 'version_malformed'] as const,
    ),
    // Accept
    ['/api/nodes?limit=1', undefined, '/api/v1/nodes?limit=1'],
    ['/api/nodes', '*/*', '/api/v1/nodes'],
    ['/api/nodes', 'text/html', '/api/v1/nodes'],
    ['/api/nodes', vendor('v1'), '/api/v1/nodes named'],
    ['/api/nodes?a=v1', vendor('v2'), '/api/v2/nodes?a=v1 named'],
    ['/api/nodes', vendor('v2').toUpperCase(), '/api/v2/nodes named'],
    ['/api/nodes', `text/html, ${vendor('v2')};q=0.5`, '/api/v2/nodes named'],
    ['/api/nodes', `${vendor('v1')};q=0.5, ${vendor('v2')};q=0.9`, '/api/v2/nodes named'],
    ['/api/nodes', `${vendor('v2')}, ${vendor('v1')}`, '/api/v2/nodes named'],
    ['/api/nodes', `${vendor('v2')};q=0, ${vendor('v1')}`, '/api/v1/nodes named'],
    ['/api/nodes', `${vendor('v9')}, ${vendor('v2')};q=0.1`, '/api/v2/nodes named'],
    ['/api/nodes', vendor('v3'), 'version_not_acceptable'],
    ['/api/nodes', `${vendor('v3')}, application/json;q=0.1`, '/api/v1/nodes'],
    ['/api/nodes', `${vendor('v3')}, application/json;q=0`, 'version_not_acceptable'],
    ['/api/nodes', vendor('v0'), 'version_gone'],
    ...['', 'v', 'v01', 'v1.0', 'V', '2', 'vtwo', 'v2.x'].map(
      (version) => ['/api/nodes', vendor(version), 'version_malformed'] as const,
    ),
    ['/api/nodes', 'application/vnd.brain2+json', 'version_malformed'],
    ['/api/v2/nodes', 'application/vnd.brain2+json', 'version_malformed'],
    // both
    ['/api/v2/nodes', vendor('v2'), '/api/v2/nodes named'],
    ['/api/v1/nodes', vendor('v2'), 'version_conflict'],
    ['/api/v2/nodes', vendor('v1'), 'version_conflict'],
    ['/api/v2/nodes', vendor('v9'), 'version_conflict'],
    ['/api/v1/nodes', `${vendor('v2')}, ${vendor('v1')}`, '/api/v1/nodes named'],
    ['/api/v1/nodes', `${vendor('v2')}, */*;q=0.1`, '/api/v1/nodes'],
    // neither
    ['/api/versions', vendor('v9'), 'none'],
    ['/api/versions?x', undefined, 'none'],
    ['/api/versions/x', undefined, '/api/v1/versions/x'],
    ['/livez', vendor('v9'), 'none'],
    ['/api', undefined, 'none'],
    ['/apiv1/nodes', undefined, 'none'],
    ['/api/', undefined, '/api/v1/'],
    ['/api/vault', undefined, '/api/v1/vault'],
  ] as const)('of %j with Accept %j is %j', (url, accept, decided) => {
    expect(decide(url, accept)).toBe(decided);
  });

  it('that was retired is gone, by path and by Accept, and the oldest that is served takes its place', () => {
    const versions: readonly ApiVersion[] = [
      { number: 1, status: 'retired', released: '2020-01-01', successor: 3, docs: '/docs/one' },
      { number: 3, status: 'deprecated', released: '2022-01-01', successor: 4, docs: '/docs/three' },
      { number: 4, status: 'current', released: '2024-01-01', docs: '/docs/four' },
    ];
    for (const [url, accept] of [
      ['/api/v1/nodes?a', undefined],
      ['/api/nodes?a', vendor('v1')],
      ['/api/v2/nodes?a', undefined],
    ] as const) {
      expect(negotiate(url, accept, versions)).toMatchObject({
        error: { code: 'version_gone', details: { supported: [3, 4], successor: '/api/v3/nodes' } },
      });
    }
    const docsOf = (url: string) => {
      const negotiated = negotiate(url, undefined, versions);
      return negotiated.kind === 'refused' && negotiated.error.details['docs'];
    };
    expect([docsOf('/api/v1'), docsOf('/api/v2'), docsOf('/api/v5')]).toEqual([
      '/docs/one',
      '/docs/four',
      '/docs/four',
    ]);
    expect(decide('/api/nodes', undefined, versions)).toBe('/api/v3/nodes');
    expect(decide('/api/nodes', vendor('v4'), versions)).toBe('/api/v4/nodes named');
  });

  it('is decided for whatever is sent, and never leads outside of the API', () => {
    const part = fc.constantFrom('v1', 'v2', 'v9', 'V', '%', '..', 'nodes', '?', '/', ' ', 'é');
    const accepts = fc.option(
      fc.array(fc.constantFrom(vendor('v1'), vendor('v9'), vendor(''), '*/*', 'x', ';q=', ';q=z', ','), {
        maxLength: 6,
      }),
    );
    const isSound = fc.property(fc.array(part, { maxLength: 6 }), accepts, (parts, accept) => {
      const negotiated = negotiate(`/api/${parts.join('/')}`, accept?.join(''));
      return negotiated.kind === 'version'
        ? /^\/api\/v[12](?![0-9a-z.])/.test(negotiated.url)
        : negotiated.kind === 'none' || negotiated.error.code.startsWith('version_');
    });
    expect(fc.check(isSound)).toMatchObject({ failed: false });
  });
});

describe('the table of versions', () => {
  it('is in order, ends in a current one, and leads from each deprecated one to a later one', () => {
    const numbers = VERSIONS.map(({ number }) => number);
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    expect(VERSIONS.at(-1)?.status).toBe('current');
    for (const { number, status, released, deprecated, sunset, successor } of VERSIONS) {
      const dates = [released, deprecated, sunset].filter((date) => date !== undefined);
      expect(dates.map((date) => new Date(date).toISOString().slice(0, 10))).toEqual(dates.toSorted());
      const isLed = VERSIONS.some((other) => other.number === successor && other.number > number);
      const isEnding = deprecated !== undefined && sunset !== undefined && isLed;
      const isOpen = deprecated === undefined && sunset === undefined && successor === undefined;
      expect([number, status === 'current' ? isOpen : isEnding]).toEqual([number, true]);
    }
  });

  it('is told at /api/versions, whatever version is asked for', async () => {
    const { sendRoot } = await newBrain();
    const plain = await sendRoot<Versions>('GET', '/api/versions');
    const asked = await sendRoot<Versions>('GET', '/api/versions', undefined, { accept: vendor('v7') });
    expect([plain.status, asked.status, asked.body]).toEqual([200, 200, plain.body]);
    expect(plain.body).toMatchObject({ current: 2, default: 1 });
    expect(plain.body.versions).toEqual([
      {
        version: 1,
        status: 'deprecated',
        path: '/api/v1',
        mediaType: vendor('v1'),
        released: '2026-01-15',
        deprecated: '2026-11-01',
        sunset: '2027-11-01',
        successor: 2,
        docs: DOCS,
      },
      {
        version: 2,
        status: 'current',
        path: '/api/v2',
        mediaType: vendor('v2'),
        released: '2026-11-01',
        docs: '/docs',
      },
    ]);
    expect(plain.headers['deprecation']).toBeUndefined();
  });
});

const DEPRECATED = {
  'api-version': '1',
  vary: 'Accept',
  deprecation: `@${Date.UTC(2026, 10, 1) / 1000}`,
  sunset: 'Mon, 01 Nov 2027 00:00:00 GMT',
};
const MOVED = `<${DOCS}>; rel="deprecation"; type="text/html"`;

describe('an answer', () => {
  it('of v1 says that it is deprecated and where the same is in v2; also when it refuses', async () => {
    const { create, sendRoot } = await newBrain();
    const { id } = await create(SLEEP.sleep);
    for (const [method, path, status, successor] of [
      ['GET', `/api/v1/nodes/${id}`, 200, `/api/v2/nodes/${id}`],
      ['GET', `/api/nodes/${id}`, 200, `/api/v2/nodes/${id}`],
      ['GET', '/api/v1/graph-data', 200, '/api/v2/graph'],
      ['GET', '/api/v1/nodes?limit=0', 400, '/api/v2/nodes'],
      ['POST', '/api/v1/nodes', 400, '/api/v2/nodes'],
      ['GET', '/api/v1/nodes/a%20b', 404, '/api/v2/nodes/a%20b'],
      ['GET', '/api/v1/nothing', 404, undefined],
      ['PATCH', '/api/v1/nodes', 405, undefined],
      ['GET', '/api/v1/nodes/%zz', 400, undefined],
    ] as const) {
      const answer = await sendRoot(method, path);
      const link = successor === undefined ? MOVED : `${MOVED}, <${successor}>; rel="successor-version"`;
      expect([path, answer.status, answer.headers]).toMatchObject([path, status, { ...DEPRECATED, link }]);
    }
  });

  it('of v2 names its version and says nothing of an end; also when it refuses, and for what is of no version', async () => {
    const { sendRoot } = await newBrain();
    for (const [path, status] of [
      ['/api/v2/nodes', 200],
      ['/api/v2/nodes?limit=0', 422],
      ['/api/v2/nothing', 404],
      ['/api/v2/nodes/%zz', 400],
      ['/api/v9/nodes', 410],
      ['/api/v1.5/nodes', 400],
      ['/livez', 200],
      ['/nowhere', 404],
    ] as const) {
      const { headers, status: answered } = await sendRoot('GET', path);
      expect([path, answered, headers['api-version']]).toEqual([path, status, '2']);
      expect([headers['deprecation'], headers['sunset']]).toEqual([undefined, undefined]);
      expect(headers['link'] ?? '').not.toContain('successor');
    }
  });

  it('names its version in Content-Type where Accept did, and there alone', async () => {
    const { sendRoot } = await newBrain();
    const typeOf = async (path: string, accept?: string) =>
      (await sendRoot('GET', path, undefined, accept === undefined ? {} : { accept })).headers[
        'content-type'
      ];
    const plain = 'application/json; charset=utf-8';
    expect(await typeOf('/api/nodes', vendor('v2'))).toBe(`${vendor('v2')}; charset=utf-8`);
    expect(await typeOf('/api/v1/nodes', vendor('v1'))).toBe(`${vendor('v1')}; charset=utf-8`);
    expect(await typeOf('/api/nodes')).toBe(plain);
    expect(await typeOf('/api/nodes', `${vendor('v7')}, */*`)).toBe(plain);
    expect(await typeOf('/api/nothing', vendor('v2'))).toBe('application/problem+json');
    expect(await typeOf('/api/nothing', vendor('v1'))).toBe(`${vendor('v1')}; charset=utf-8`);
    expect(await typeOf('/api/graph', `${vendor('v2')}, application/x-ndjson`)).toBe('application/x-ndjson');
  });

  it('to a version that is not served tells those that are, what to use, and where to read on', async () => {
    const { sendRoot } = await newBrain();
    const gone = await sendRoot('GET', '/api/v7/nodes/x?a=1');
    expect([gone.status, gone.headers['content-type']]).toEqual([410, 'application/problem+json']);
    expect(gone.body).toMatchObject({
      code: 'version_gone',
      instance: '/api/v7/nodes/x',
      details: { supported: [1, 2], successor: '/api/v2/nodes/x', docs: '/docs' },
    });
    const above = await sendRoot('POST', '/api/nodes', {}, { accept: vendor('v7') });
    expect([above.status, above.body.code, above.body.details]).toEqual([
      406,
      'version_not_acceptable',
      { supported: [1, 2], docs: '/docs' },
    ]);
    const both = await sendRoot('GET', '/api/v1/nodes', undefined, { accept: vendor('v2') });
    expect([both.status, both.body.code]).toEqual([400, 'version_conflict']);
    const none = await sendRoot('GET', '/api/v1.5/nodes');
    expect([none.status, none.body.code]).toEqual([400, 'version_malformed']);
  });
});

describe('a refused version', () => {
  it('changes nothing', async () => {
    const { sendRoot, get } = await newBrain();
    const send = (path: string, accept: string) =>
      sendRoot('POST', path, { content: 'a thought' }, { accept });
    const statuses = [
      await send('/api/v0/nodes', '*/*'),
      await send('/api/v1/nodes', vendor('v2')),
      await send('/api/nodes', vendor('v8')),
      await send('/api/nodes', vendor('x')),
    ].map(({ status }) => status);
    expect(statuses).toEqual([410, 400, 406, 400]);
    expect(await get('/changes')).toMatchObject({ items: [] });
  });
});

describe('on a socket', () => {
  it('path, Accept and nothing lead to the same note in the form of each version', async () => {
    const { url } = await serveBrain();
    const send = async (method: string, path: string, accept?: string, body?: object) => {
      const sent = request(`${url}${path}`, {
        method,
        headers: {
          ...(accept !== undefined && { accept }),
          ...(body && { 'content-type': 'application/json' }),
        },
      });
      sent.end(body && JSON.stringify(body));
      const [answer] = (await once(sent, 'response')) as [IncomingMessage];
      return {
        status: answer.statusCode,
        headers: answer.headers,
        body: JSON.parse(await text(answer)) as unknown,
      };
    };
    const made = await send('POST', '/api/nodes', vendor('v2'), SLEEP.sleep);
    expect([made.status, made.headers['api-version'], made.headers['content-type']]).toEqual([
      201,
      '2',
      `${vendor('v2')}; charset=utf-8`,
    ]);
    const { id } = made.body as LinkedNode;
    const forms = [
      await send('GET', `/api/v1/nodes/${id}`),
      await send('GET', `/api/nodes/${id}`),
      await send('GET', `/api/nodes/${id}`, vendor('v1')),
      await send('GET', `/api/v2/nodes/${id}`),
      await send('GET', `/api/nodes/${id}`, vendor('v2')),
    ];
    expect(forms.map(({ headers }) => headers['api-version'])).toEqual(['1', '1', '1', '2', '2']);
    expect(forms.map(({ headers }) => headers['vary'])).toEqual(forms.map(() => 'Accept'));
    for (const { body, headers } of forms) {
      const isOld = headers['api-version'] === '1';
      expect(body).toMatchObject(isOld ? { nodeId: id, version: 0 } : { id, version: 1 });
      expect(headers['deprecation'] !== undefined).toBe(isOld);
    }
    const gone = await send('GET', '/api/v0/nodes');
    expect([gone.status, (gone.body as Problem).code]).toEqual([410, 'version_gone']);
    const above = await send('GET', '/api/nodes', vendor('v3'));
    expect([above.status, (above.body as Problem).code]).toEqual([406, 'version_not_acceptable']);
  });
});

describe('the use of deprecated operations', () => {
  const usage = async ({ get }: { readonly get: <T>(path: string) => Promise<T> }) =>
    (await get<DeprecationUsage>('/usage/deprecations')).items;

  it('is counted by operation, with when it was last, what replaces it, and until when there is time', async () => {
    const brain = await newBrain();
    const before = new Date().toISOString();
    await brain.sendRoot('GET', '/api/v1/nodes');
    await brain.sendRoot('GET', '/api/nodes');
    await brain.sendRoot('GET', '/api/v1/nodes/x');
    await brain.sendRoot('GET', '/api/v1/nothing');
    await brain.sendRoot('GET', '/api/v1/nodes', undefined, { accept: vendor('v2') });
    await brain.sendRoot('GET', '/api/v2/nodes');
    await brain.sendRoot('POST', '/api/v1/categories/rebuild');
    const found = await usage(brain);
    const common = {
      sunset: '2027-11-01',
      docs: DOCS,
      firstAt: expect.any(String),
      lastAt: expect.any(String),
    };
    expect(found).toEqual([
      { method: 'POST', path: '/api/v1/categories/rebuild', count: 1, successor: null, ...common },
      {
        method: 'GET',
        path: '/api/v1/nodes/{id}',
        count: 1,
        successor: { method: 'GET', path: '/api/v2/nodes/{id}' },
        ...common,
      },
      {
        method: 'GET',
        path: '/api/v1/nodes',
        count: 2,
        successor: { method: 'GET', path: '/api/v2/nodes' },
        ...common,
      },
    ]);
    for (const { firstAt, lastAt } of found)
      expect([before <= firstAt, firstAt <= lastAt]).toEqual([true, true]);
  });

  it('is stored when Brain2 stops, added to after, and is no event', async () => {
    const folder = dataFolder();
    const first = await newBrain(folder);
    const { seq } = await first.get<{ seq: number }>('/graph');
    await Promise.all(Array.from({ length: 30 }, () => first.sendRoot('GET', '/api/v1/graph-data')));
    await first.close();
    const second = await newBrain(folder);
    await second.sendRoot('GET', '/api/v1/graph-data');
    expect(await usage(second)).toMatchObject([{ path: '/api/v1/graph-data', count: 31 }]);
    expect((await second.get<{ seq: number }>('/graph')).seq).toBe(seq);
  });

  it('is kept apart by token and by owner', async () => {
    const { brain } = await newBrain();
    const counter = brain.services.deprecatedCalls;
    const [alice, bob] = [ownerId('alice'), ownerId('bob')];
    const at = (await brain.services.nodes.create(alice, { content: 'x' })).node.createdAt;
    counter.count(alice, { operation: 'GET /a', tokenId: 't1' }, at);
    counter.count(alice, { operation: 'GET /a', tokenId: 't2' }, at);
    await counter.flush();
    counter.count(alice, { operation: 'GET /a', tokenId: 't2' }, at);
    counter.count(bob, { operation: 'GET /a' }, at);
    const listed = async (owner: typeof alice) =>
      (await counter.list(owner)).map(({ tokenId = '', count }) => `${tokenId} ${count}`).sort();
    expect(await listed(alice)).toEqual(['t1 1', 't2 2']);
    expect(await listed(bob)).toEqual([' 1']);
  });
});
