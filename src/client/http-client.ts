import type { Health, Page, Problem } from '../api/common.ts';
import type * as bulk from '../api/v2-bulk.ts';
import type * as linker from '../api/v2-linker.ts';
import type * as tokens from '../api/v2-tokens.ts';
import type { ExportInput, Job, JobItem } from '../api/v2-jobs.ts';
import type { Ticket } from '../api/realtime.ts';
import type * as v2 from '../api/v2.ts';
import type { ImportEvent, ImportNote } from '../api/v2-imports.ts';

/** Carries one request: over the network, or straight into an application in this process. */
export type Transport = (request: {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** A text, or lines that are sent as they come. */
  readonly body?: string | AsyncIterable<string | Uint8Array> | undefined;
}) => Promise<{
  readonly status: number;
  readonly headers: Headers;
  /** The body as it comes, in pieces of UTF-8. */
  readonly body: AsyncIterable<Uint8Array>;
}>;

/** Sends every request as whoever the credential is of. */
export function withCredential(transport: Transport, credential: string | undefined): Transport {
  if (credential === undefined) return transport;
  const authorization = `Bearer ${credential}`;
  return (request) => transport({ ...request, headers: { ...request.headers, authorization } });
}

/** What the server refused, as it said it. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail);
    this.problem = problem;
  }
}

type Query = Readonly<Record<string, string | number | boolean | undefined>>;

export type BrainClient = ReturnType<typeof brainClient>;

/** A typed client of /api/v2. Every call throws ApiError for an answer that is not 2xx. */
export function brainClient(transport: Transport) {
  async function send(
    method: string,
    path: string,
    options: {
      readonly query?: Query;
      readonly json?: unknown;
      readonly ifMatch?: number | undefined;
      readonly key?: string | undefined;
    } = {},
  ) {
    const answer = await transport({
      method,
      path: path + queryString(options.query),
      headers: {
        accept: 'application/json',
        ...(options.json !== undefined && {
          'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json',
        }),
        ...(options.key !== undefined && { 'idempotency-key': `"${options.key}"` }),
        ...(options.ifMatch !== undefined && { 'if-match': `"${options.ifMatch}"` }),
      },
      ...(options.json !== undefined && { body: JSON.stringify(options.json) }),
    });
    if (answer.status >= 400) throw await problemOf(answer, path);
    return answer;
  }

  async function call<T>(method: string, path: string, options?: Parameters<typeof send>[2]): Promise<T> {
    const text = await textOf((await send(method, path, options)).body);
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }

  const at = (kind: string, id: string) => `/api/v2/${kind}/${encodeURIComponent(id)}`;

  return {
    nodes: {
      create: (input: v2.NodeInput) => call<v2.LinkedNode>('POST', '/api/v2/nodes', { json: input }),
      get: (id: string) => call<v2.Node>('GET', at('nodes', id)),
      list: (query: Query = {}) => call<Page<v2.Node>>('GET', '/api/v2/nodes', { query }),
      patch: (id: string, patch: v2.NodePatch, version: number) =>
        call<v2.LinkedNode>('PATCH', at('nodes', id), { json: patch, ifMatch: version }),
      delete: (id: string, version: number) => call<void>('DELETE', at('nodes', id), { ifMatch: version }),
      edges: (id: string, query: Query = {}) =>
        call<Page<v2.Edge>>('GET', `${at('nodes', id)}/edges`, { query }),
      related: (id: string, limit = 20) =>
        call<v2.Related>('GET', `${at('nodes', id)}/related`, { query: { limit } }),
      neighbors: (id: string, query: Query = {}) =>
        call<v2.Neighbors>('GET', `${at('nodes', id)}/neighbors`, { query }),
      explain: (id: string, otherId: string) =>
        call<v2.Explanation>('GET', `${at('nodes', id)}/related/${encodeURIComponent(otherId)}`),
      previewLinks: (input: v2.NodeInput) =>
        call<v2.Related>('POST', '/api/v2/nodes/preview-links', { json: input }),
      /** Many notes at once. With a key, a request that is sent again is not done again. */
      bulk: {
        create: (json: bulk.BulkCreate, key?: string) =>
          call<bulk.BulkResult>('POST', '/api/v2/nodes/bulk', { json, key }),
        patch: (json: bulk.BulkPatch, key?: string) =>
          call<bulk.BulkResult>('POST', '/api/v2/nodes/bulk/patch', { json, key }),
        delete: (json: bulk.BulkDelete, key?: string) =>
          call<bulk.BulkResult>('POST', '/api/v2/nodes/bulk/delete', { json, key }),
        get: (ids: readonly string[]) =>
          call<bulk.BulkRead>('POST', '/api/v2/nodes/bulk/get', { json: { ids } }),
      },
    },
    edges: {
      create: (input: v2.EdgeInput) => call<v2.Edge>('POST', '/api/v2/edges', { json: input }),
      get: (id: string) => call<v2.Edge>('GET', at('edges', id)),
      list: (query: Query = {}) => call<Page<v2.Edge>>('GET', '/api/v2/edges', { query }),
      patch: (id: string, patch: v2.EdgePatch, version: number) =>
        call<v2.Edge>('PATCH', at('edges', id), { json: patch, ifMatch: version }),
      delete: (id: string, version: number) => call<void>('DELETE', at('edges', id), { ifMatch: version }),
      explanation: (id: string) => call<v2.Explanation>('GET', `${at('edges', id)}/explanation`),
    },
    categories: {
      list: (query: Query = {}) => call<Page<v2.Category>>('GET', '/api/v2/categories', { query }),
      create: (input: v2.CategoryInput) => call<v2.Category>('POST', '/api/v2/categories', { json: input }),
      delete: (id: string, version: number) =>
        call<void>('DELETE', at('categories', id), { ifMatch: version }),
    },
    tokens: {
      create: (input: tokens.TokenInput) => call<tokens.NewToken>('POST', '/api/v2/tokens', { json: input }),
      list: () => call<{ items: tokens.Token[] }>('GET', '/api/v2/tokens'),
      revoke: (id: string) => call<void>('DELETE', at('tokens', id)),
    },
    /** Runs of the linker over all notes. Each is a job: ask for it until its status is an end. */
    linker: {
      start: (input: { readonly dryRun?: boolean } = {}, key?: string) =>
        call<linker.LinkerRun>('POST', '/api/v2/linker/runs', { json: input, key }),
      list: (query: Query = {}) => call<Page<linker.LinkerRun>>('GET', '/api/v2/linker/runs', { query }),
      get: (id: string) => call<linker.LinkerRun>('GET', at('linker/runs', id)),
      edges: (id: string, query: Query = {}) =>
        call<Page<linker.EdgeChange>>('GET', `${at('linker/runs', id)}/edges`, { query }),
      apply: (id: string, key?: string) =>
        call<linker.LinkerRun>('POST', `${at('linker/runs', id)}/apply`, { key }),
      revert: (id: string, key?: string) =>
        call<linker.LinkerRun>('POST', `${at('linker/runs', id)}/revert`, { key }),
    },
    jobs: {
      get: (id: string) => call<Job>('GET', at('jobs', id)),
      list: (query: Query = {}) => call<Page<Job>>('GET', '/api/v2/jobs', { query }),
      items: (id: string, query: Query = {}) =>
        call<Page<JobItem>>('GET', `${at('jobs', id)}/items`, { query }),
      cancel: (id: string) => call<Job>('POST', `${at('jobs', id)}/cancel`),
      wait: (id: string, options?: WaitOptions) => waitFor(() => call<Job>('GET', at('jobs', id)), options),
    },
    exports: {
      create: (json: ExportInput, key?: string) => call<Job>('POST', '/api/v2/exports', { json, key }),
      /** The file of an export that is done, as it comes. */
      async *content(id: string): AsyncGenerator<Uint8Array> {
        yield* (await send('GET', `${at('exports', id)}/content`)).body;
      },
      /** Has it kept no longer. */
      letGo: (id: string) => call<void>('DELETE', `${at('exports', id)}/content`),
    },
    imports: {
      /**
       * An import that becomes a job: notes, or the bytes of a file of NDJSON or of a zip of Markdown. The answer
       * comes once all was sent and is kept.
       */
      async create(source: ImportSource, options: ImportJobOptions): Promise<Job> {
        const path = `/api/v2/imports${queryString({ ...options })}`;
        const answer = await transport({
          method: 'POST',
          path,
          headers: {
            'content-type': 'zip' in source ? 'application/zip' : 'application/x-ndjson',
            accept: 'application/json',
            prefer: 'respond-async',
          },
          body: 'zip' in source ? source.zip : 'ndjson' in source ? source.ndjson : ndjson(source.notes),
        });
        if (answer.status >= 400) throw await problemOf(answer, path);
        return JSON.parse(await textOf(answer.body)) as Job;
      },
    },
    graph: () => call<v2.Graph>('GET', '/api/v2/graph'),
    /** The shortest way between two notes. */
    path: (from: string, to: string, query: Query = {}) =>
      call<v2.Path>('GET', '/api/v2/graph/path', { query: { ...query, from, to } }),
    stats: () => call<v2.Stats>('GET', '/api/v2/graph/stats'),
    search: (q: string, query: Query = {}) =>
      call<Page<v2.SearchHit>>('GET', '/api/v2/search', { query: { ...query, q } }),
    changes: (after: { readonly epoch?: string; readonly seq: number }, limit = 200) =>
      call<v2.Changes>('GET', '/api/v2/changes', { query: { after: after.seq, epoch: after.epoch, limit } }),
    /** Admits one connection to the socket, for half a minute. */
    ticket: () => call<Ticket>('POST', '/api/v2/ws/tickets'),
    /** Also what is down answers what is wrong with it, so 503 is an answer here. */
    health: async (): Promise<Health> => {
      const answer = await transport({
        method: 'GET',
        path: '/health',
        headers: { accept: 'application/json' },
      });
      if (answer.status !== 200 && answer.status !== 503) throw await problemOf(answer, '/health');
      return JSON.parse(await textOf(answer.body)) as Health;
    },

    /** Sends notes, or the lines of an export, as they come, and gives the server's events as they come. */
    async *import(
      notes: AsyncIterable<ImportLine> | Iterable<ImportLine>,
      options: { readonly collection: string; readonly prune?: boolean; readonly dryRun?: boolean },
    ): AsyncGenerator<ImportEvent> {
      const path = `/api/v2/imports${queryString(options)}`;
      const headers = { 'content-type': 'application/x-ndjson', accept: 'application/x-ndjson' };
      const answer = await transport({ method: 'POST', path, headers, body: ndjson(notes) });
      if (answer.status >= 400) throw await problemOf(answer, path);
      for await (const line of linesOf(answer.body)) {
        const event = JSON.parse(line) as ImportEvent;
        if (event.type === 'problem') throw new ApiError(event.problem);
        yield event;
      }
    },
  };
}

/** A note, or a line of an export as it stands. */
export type ImportLine = ImportNote | Readonly<Record<string, unknown>>;

export type ImportSource =
  | { readonly notes: AsyncIterable<ImportLine> | Iterable<ImportLine> }
  | { readonly ndjson: AsyncIterable<string | Uint8Array> }
  | { readonly zip: AsyncIterable<string | Uint8Array> };

export interface ImportJobOptions {
  readonly collection: string;
  readonly prune?: boolean;
  readonly dryRun?: boolean;
  /** Of a zip: where the categories of its notes come from. */
  readonly categories?: 'folders' | 'frontmatter' | 'none';
}

export interface WaitOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Job['progress']) => void) | undefined;
}

const FIRST_WAIT_MS = 50;
const LONGEST_WAIT_MS = 2_000;

/** Asks, at growing intervals, until the job has ended. Throws ApiError for one that failed, and the signal's reason. */
async function waitFor(get: () => Promise<Job>, { signal, onProgress }: WaitOptions = {}): Promise<Job> {
  for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(waitMs * 1.5, LONGEST_WAIT_MS)) {
    signal?.throwIfAborted();
    const job = await get();
    onProgress?.(job.progress);
    if (job.problem) throw new ApiError(job.problem);
    if (job.endedAt !== null) return job;
    await pause(waitMs, signal);
  }
}

/** Until the time is over, or the signal says so. */
async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  const stop = (): void => resolve();
  signal?.addEventListener('abort', stop, { once: true });
  await promise;
  clearTimeout(timer);
  signal?.removeEventListener('abort', stop);
}

function queryString(query: Query = {}): string {
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)]],
  );
  return given.length === 0 ? '' : `?${new URLSearchParams(Object.fromEntries(given)).toString()}`;
}

async function problemOf(answer: Awaited<ReturnType<Transport>>, path: string): Promise<ApiError> {
  const text = await textOf(answer.body);
  if (answer.headers.get('content-type')?.startsWith('application/problem+json')) {
    return new ApiError(JSON.parse(text) as Problem);
  }
  return new ApiError({
    type: 'about:blank',
    title: 'Not an answer of Brain2',
    status: answer.status,
    detail: `the server answered ${answer.status}: ${text.slice(0, 200)}`,
    instance: path,
    code: 'unavailable',
    correlationId: '',
    requestId: '',
    timestamp: new Date().toISOString(),
    retryable: false,
  });
}

/** Pieces of about this size: one write to the socket for many notes. */
const PIECE_LENGTH = 64 * 1024;

async function* ndjson(values: AsyncIterable<unknown> | Iterable<unknown>): AsyncGenerator<string> {
  let piece = '';
  for await (const value of values) {
    piece += `${JSON.stringify(value)}\n`;
    if (piece.length < PIECE_LENGTH) continue;
    yield piece;
    piece = '';
  }
  if (piece !== '') yield piece;
}

async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const piece of body) text += decoder.decode(piece, { stream: true });
  return text + decoder.decode();
}

async function* linesOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const piece of body) {
    const lines = (rest + decoder.decode(piece, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    yield* lines.filter((line) => line !== '');
  }
  if (rest !== '') yield rest;
}
