import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { OpenApi } from '../openapi/open-api.ts';
import { BrainError } from '../../domain/error.ts';
import { ExpiringCache } from '../../shared/expiring-cache.ts';
import { prefixOf, supportedOf, VERSIONS, type ApiVersion } from '../versions.ts';
import { findGuides, renderGuide, type Guide } from './guides.ts';
import { html } from './html.ts';
import { layout, type PageLink } from './layout.ts';
import { ORIGIN } from './operation-view.ts';
import { reference } from './reference.ts';

/** The newest first; `/docs` shows the first. */
const DOCUMENTED: readonly ApiVersion[] = supportedOf(VERSIONS).toReversed();

const fileOf = ({ number }: ApiVersion): URL =>
  new URL(`../../../docs/openapi-v${number}.json`, import.meta.url);
const pageOf = ({ number }: ApiVersion): string => `/docs/v${number}`;

/** Nothing but its own style and picture is loaded, and nothing runs. */
const PAGE_HEADERS = {
  'content-security-policy':
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-cache',
};

const ASSETS = { 'docs.css': 'text/css; charset=utf-8', 'icon.svg': 'image/svg+xml' } as const;

/** They are the same for everybody and hold nothing of any owner, and whoever has no token yet has to read them first. */
const config = { access: 'open' } as const;

/** Addresses of this server for which pages are kept; a caller can make up more. */
const KEPT_ORIGINS = 8;

/**
 * The OpenAPI and AsyncAPI documents, and pages made of them and of docs/, open to everybody. All is made at its first
 * request, and kept.
 */
export function documentRoutes(app: FastifyInstance): void {
  for (const version of DOCUMENTED) {
    const document = once(() => keptFile(fileOf(version)));
    app.get(
      `${prefixOf(version)}/openapi.json`,
      { config, schema: documentSchema(version) },
      async (request, reply) => {
        reply.type('application/json; charset=utf-8');
        return sendKept(request, reply, await document());
      },
    );
    const page = once(() => referencePage(version));
    const pages = new ExpiringCache<Kept>({ limit: KEPT_ORIGINS, nowMs: () => 0 });
    const paths = version === DOCUMENTED[0] ? ['/docs', pageOf(version)] : [pageOf(version)];
    for (const path of paths) {
      app.get(path, { config }, async (request, reply) => {
        const origin = originOf(request);
        const known = pages.get(origin) ?? kept((await page()).replaceAll(ORIGIN, origin));
        pages.set(origin, known, Infinity);
        return sendPage(request, reply, known);
      });
    }
  }
  app.get('/', { config }, (_request, reply) => reply.redirect('/docs')); // who opens it in a browser
  for (const [name, type] of Object.entries(ASSETS)) {
    const asset = once(() => keptFile(new URL(`assets/${name}`, import.meta.url)));
    app.get(`/docs/assets/${name}`, { config }, async (request, reply) => {
      reply.headers(PAGE_HEADERS).type(type);
      return sendKept(request, reply, await asset());
    });
  }
  const frames = once(() => keptFile(new URL('../../../docs/asyncapi.json', import.meta.url)));
  app.get('/docs/asyncapi.json', { config }, async (request, reply) => {
    reply.type('application/json; charset=utf-8');
    return sendKept(request, reply, await frames());
  });
  const guides = once(async () => new Map((await findGuides()).map((guide) => [guide.path, guide])));
  const pages = new Map<string, () => Promise<Kept>>();
  app.get('/docs/*', { config }, async (request, reply) => {
    const path = `/docs/${(request.params as { '*': string })['*']}`;
    const guide = (await guides()).get(path);
    if (!guide) throw new BrainError('not_found', `there is nothing at ${path}`, { operation: 'http.route' });
    const page = pages.get(path) ?? once(async () => kept(await guidePage(guide)));
    pages.set(path, page);
    return sendPage(request, reply, await page());
  });
}

const documentSchema = ({ number }: ApiVersion) => ({
  operationId: 'getDocument',
  summary: 'Get the OpenAPI document',
  description: `What version ${number} takes and answers, as OpenAPI 3.1.`,
  tags: ['document'],
  hide: true,
});

const VERSION_LINKS: readonly PageLink[] = DOCUMENTED.map((version) => ({
  path: pageOf(version),
  title: `API v${version.number}${version.status === 'deprecated' ? ' (deprecated)' : ''}`,
}));

async function referencePage(version: ApiVersion): Promise<string> {
  const document = JSON.parse(await readFile(fileOf(version), 'utf8')) as OpenApi;
  const { status, sunset, docs } = version;
  const notice =
    status === 'deprecated'
      ? html`<p class="notice">
          This version is deprecated${sunset !== undefined && `, and served until ${sunset}`}.
          <a href="${docs}">How to move on</a>
        </p>`
      : undefined;
  const parts = reference(document, notice);
  return layout({
    ...parts,
    path: pageOf(version),
    title: document.info.title,
    versions: VERSION_LINKS,
    guides: await findGuides(),
  });
}

async function guidePage(guide: Guide): Promise<string> {
  const parts = await renderGuide(guide);
  return layout({ ...parts, ...guide, versions: VERSION_LINKS, guides: await findGuides() });
}

/** A text, and a tag of it by which a browser that has it is told so. */
interface Kept {
  readonly text: string;
  readonly tag: string;
}

function kept(text: string): Kept {
  return { text, tag: `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"` };
}

async function keptFile(file: URL): Promise<Kept> {
  return kept(await readFile(file, 'utf8'));
}

function sendPage(request: FastifyRequest, reply: FastifyReply, page: Kept): FastifyReply {
  return sendKept(request, reply.headers(PAGE_HEADERS).type('text/html; charset=utf-8'), page);
}

function sendKept(request: FastifyRequest, reply: FastifyReply, { text, tag }: Kept): FastifyReply {
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
