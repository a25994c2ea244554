import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ERROR_CODES } from '../../src/domain/error.ts';
import { operationsOf, type OpenApi } from '../../src/http/openapi/open-api.ts';
import { pathOf } from '../contract/committed.ts';
import { CONTRACTS } from '../contract/documents.ts';
import { operatorCredential } from '../../src/http/auth/operator.ts';
import { dataFolder, newBrain, type Client } from './client.ts';

const VERSIONS = CONTRACTS.map(({ api }) => api.version);
const documentOf = (version: number): string => readFileSync(pathOf(version), 'utf8');

async function page({ sendRoot }: Client, path: string): Promise<string> {
  const { status, text } = await sendRoot('GET', path);
  expect([path, status]).toEqual([path, 200]);
  return text;
}

const SITE = 'http://brain2.test';

const hrefsOf = (text: string): readonly string[] =>
  [...text.matchAll(/\bhref="([^"]*)"/g)].map(([, href = '']) => href);
const idsOf = (text: string): ReadonlySet<string> =>
  new Set([...text.matchAll(/\bid="([^"]*)"/g)].map(([, id = '']) => id));

describe.each(VERSIONS)('the document of v%i', (version) => {
  it('is served as it is committed, with a tag by which it is not sent twice', async () => {
    const { sendRoot } = await newBrain();
    const path = `/api/v${version}/openapi.json`;
    const first = await sendRoot('GET', path);
    expect(first.text).toBe(documentOf(version));
    expect(first.headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'api-version': String(version),
    });
    const again = await sendRoot('GET', path, undefined, { 'if-none-match': first.headers['etag'] ?? '' });
    expect([again.status, again.text]).toEqual([304, '']);
  });

  it('is shown on a page, each operation and each shape of it', async () => {
    const text = await page(await newBrain(), `/docs/v${version}`);
    const document = JSON.parse(documentOf(version)) as OpenApi;
    const ids = idsOf(text);
    const wanted = [
      ...operationsOf(document).map(({ operation }) => operation.operationId),
      ...Object.keys(document.components.schemas).map((name) => `schema-${name}`),
    ];
    expect(wanted.filter((id) => !ids.has(id))).toEqual([]);
  });
});

describe('the pages', () => {
  it('are where the address of the server alone leads', async () => {
    const { status, headers } = await (await newBrain()).sendRoot('GET', '/');
    expect([status, headers['location']]).toEqual([302, '/docs']);
  });

  it('describe each code of a problem where its type points', async () => {
    const ids = idsOf(await page(await newBrain(), '/docs/errors'));
    expect(ERROR_CODES.filter((code) => !ids.has(code))).toEqual([]);
  });

  it('link only to what is there', async () => {
    const client = await newBrain();
    const pages = new Map<string, string>();
    const visit = async (path: string): Promise<void> => {
      if (pages.has(path)) return;
      pages.set(path, await page(client, path));
      for (const href of hrefsOf(pages.get(path) ?? '')) {
        const to = new URL(href, `${SITE}${path}`);
        if (to.origin !== SITE) continue;
        expect([path, href, to.pathname.startsWith('/docs')]).toEqual([path, href, true]);
        await visit(to.pathname);
        const fragment = decodeURIComponent(to.hash.slice(1));
        const ids = idsOf(pages.get(to.pathname) ?? '');
        expect([path, href, fragment === '' || ids.has(fragment)]).toEqual([path, href, true]);
      }
    };
    await visit('/docs');
    const shown = [...pages.keys()];
    expect(shown).toEqual(expect.arrayContaining(['/docs/errors', '/docs/cli', '/docs/import']));
    expect(shown).toEqual(expect.arrayContaining(VERSIONS.map((version) => `/docs/v${version}`)));
  });

  it('run nothing and load nothing but what this server has', async () => {
    const client = await newBrain();
    for (const path of ['/docs', '/docs/errors']) {
      const { headers, text } = await client.sendRoot('GET', path);
      expect(headers['content-security-policy']).toMatch(
        /^default-src 'none'; style-src 'self'; img-src 'self';/,
      );
      expect(text).not.toMatch(/<script|\son\w+=|\sstyle=|javascript:/);
    }
  });

  it('are open to whoever has no token yet, and say the same to everybody', async () => {
    const client = await newBrain(dataFolder(), { settings: { auth: 'token' } });
    const authorization = `Bearer ${operatorCredential(client.brain.folder.operatorKey, 'ada')}`;
    await client.send('POST', '/nodes', { content: 'zanzibarium' }, { authorization });
    const refused = await client.send('GET', '/nodes/0190a7c4-5b3e-7c2a-9f10-3d2b8e6a1c55');
    expect([refused.status, refused.body.type]).toEqual([401, '/docs/errors#unauthenticated']);
    const paths = ['/docs', '/docs/v1', '/docs/errors', '/docs/assets/docs.css', '/docs/asyncapi.json'];
    for (const path of [...paths, '/api/v1/openapi.json', '/api/v2/openapi.json']) {
      const open = await client.sendRoot('GET', path);
      const known = await client.sendRoot('GET', path, undefined, { authorization });
      expect([path, open.status, open.text]).toEqual([path, 200, known.text]);
      expect([path, open.text.includes('zanzibarium')]).toEqual([path, false]);
    }
  });

  it('put no host into a line to paste that could end it', async () => {
    const { sendRoot } = await newBrain();
    const { text } = await sendRoot('GET', '/docs', undefined, { host: `x'; rm -rf ~ #` });
    expect(text).not.toContain('rm -rf');
    const own = await sendRoot('GET', '/docs', undefined, { host: 'localhost:4999' });
    expect(own.text).toContain('http://localhost:4999/api/');
  });

  it('that do not exist are not found', async () => {
    const { sendRoot } = await newBrain();
    for (const path of [
      '/docs/nothing',
      '/docs/../package',
      '/docs/%2e%2e/package',
      '/docs/design/linking',
      '/docs/assets/x',
    ]) {
      expect([path, (await sendRoot('GET', path)).status]).toEqual([path, 404]);
    }
  });
});
