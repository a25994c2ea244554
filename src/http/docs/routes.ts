import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { OpenApi } from '../openapi/open-api.ts';
import { BrainError } from '../../domain/error.ts';
import { findGuides, renderGuide, type Guide } from './guides.ts';
import { layout, type PageLink } from './layout.ts';
import { ORIGIN } from './operation-view.ts';
import { reference } from './reference.ts';

/** Versions that have a document, the newest first; `/docs` shows the first. */
const DOCUMENTED = [2] as const;

const fileOf = (version: number): URL => new URL(`../../../docs/openapi-v${version}.json`, import.meta.url);

/** Nothing but its own style and picture is loaded, and nothing runs. */
const PAGE_HEADERS = {
  'content-security-policy':
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-cache',
};

const ASSETS = { 'docs.css': 'text/css; charset=utf-8', 'icon.svg': 'image/svg+xml' } as const;

/** The OpenAPI documents, and pages made of them and of docs/. All is made at its first request, and kept. */
export function documentRoutes(app: FastifyInstance): void {
  for (const version of DOCUMENTED) {
    const document = once(() => readFile(fileOf(version), 'utf8'));
    app.get(`/api/v${version}/openapi.json`, async (request, reply) => {
      reply.header('api-version', String(version)).type('application/json; charset=utf-8');
      return sendKept(request, reply, await document());
    });
    const page = once(() => referencePage(version));
    const paths = version === DOCUMENTED[0] ? ['/docs', `/docs/v${version}`] : [`/docs/v${version}`];
    for (const path of paths) {
      app.get(path, async (request, reply) => {
        return sendPage(request, reply, (await page()).replaceAll(ORIGIN, originOf(request)));
      });
    }
  }
  for (const [name, type] of Object.entries(ASSETS)) {
    const asset = once(() => readFile(new URL(`assets/${name}`, import.meta.url), 'utf8'));
    app.get(`/docs/assets/${name}`, async (request, reply) => {
      reply.headers(PAGE_HEADERS).type(type);
      return sendKept(request, reply, await asset());
    });
  }
  const guides = once(async () => new Map((await findGuides()).map((guide) => [guide.path, guide])));
  const pages = new Map<string, () => Promise<string>>();
  app.get('/docs/*', async (request, reply) => {
    const path = `/docs/${(request.params as { '*': string })['*']}`;
    const guide = (await guides()).get(path);
    if (!guide) throw new BrainError('not_found', `there is nothing at ${path}`, { operation: 'http.route' });
    const page = pages.get(path) ?? once(() => guidePage(guide));
    pages.set(path, page);
    return sendPage(request, reply, await page());
  });
}

const VERSION_LINKS: readonly PageLink[] = DOCUMENTED.map((version) => ({
  path: `/docs/v${version}`,
  title: `API v${version}`,
}));

async function referencePage(version: number): Promise<string> {
  const document = JSON.parse(await readFile(fileOf(version), 'utf8')) as OpenApi;
  const path = `/docs/v${version}`;
  const parts = reference(document);
  return layout({
    ...parts,
    path,
    title: document.info.title,
    versions: VERSION_LINKS,
    guides: await findGuides(),
  });
}

async function guidePage(guide: Guide): Promise<string> {
  const parts = await renderGuide(guide);
  return layout({ ...parts, ...guide, versions: VERSION_LINKS, guides: await findGuides() });
}

function sendPage(request: FastifyRequest, reply: FastifyReply, page: string): FastifyReply {
  return sendKept(request, reply.headers(PAGE_HEADERS).type('text/html; charset=utf-8'), page);
}

/** With a tag of the content, by which a browser that has it is told so. */
function sendKept(request: FastifyRequest, reply: FastifyReply, text: string): FastifyReply {
  const tag = `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"`;
  reply.header('etag', tag);
  return request.headers['if-none-match'] === tag ? reply.code(304).send() : reply.send(text);
}

const HOST = /^[A-Za-z0-9.:[\]-]{1,200}$/;

/** Where the reader reached this server, for the lines to paste. */
function originOf({ protocol, host }: FastifyRequest): string {
  return HOST.test(host) ? `${protocol}://${host}` : 'http://127.0.0.1:4321';
}

/** Work whose result is kept; what failed is tried again. */
function once<T>(work: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return () => {
    result ??= work().catch((error: unknown) => {
      result = undefined;
      throw error;
    });
    return result;
  };
}
