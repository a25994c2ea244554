import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Problem } from '../../src/api/common.ts';
import type * as api from '../../src/api/v2.ts';
import type { ImportEvent, ImportNote, ImportSummary } from '../../src/api/v2-imports.ts';
import { ownerId } from '../../src/domain/values.ts';
import type { Access } from '../../src/http/app.ts';
import { localAuthentication } from '../../src/http/auth/local.ts';
import { openBrain, type Brain } from '../../src/server/brain.ts';
import type { Settings } from '../../src/server/settings.ts';
import { placeOf } from '../support/place.ts';
import { holdToDocument } from './judged.ts';

type Method = 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE' | 'HEAD' | 'OPTIONS';
type Headers = Readonly<Record<string, string>>;

export interface Answer<T> {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The parsed body; undefined where there is none. */
  readonly body: T;
  readonly text: string;
}

/** A folder of its own for one test. */
export function dataFolder(): string {
  const path = mkdtempSync(join(tmpdir(), 'brain2-http-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** As of an application where nobody is asked who they are. */
export const LOCAL_ACCESS: Access = {
  authenticate: localAuthentication(ownerId('local')),
  isLocal: true,
  allowedOrigins: [],
  trustProxy: [],
};

/** A whole Brain2 on a new folder, or on a given one, closed when the test ends. */
export async function newBrain(
  dataDir = dataFolder(),
  { settings = {}, nowMs }: { readonly settings?: Partial<Settings>; readonly nowMs?: () => number } = {},
): Promise<Client> {
  const brain = await openBrain({ ...(await placeOf(dataDir)), ...settings }, nowMs ? { nowMs } : {});
  let closed = false;
  const client = clientOf(brain, async () => {
    closed = true;
    await brain.close();
  });
  onTestFinished(async () => {
    if (!closed) await client.close();
  });
  return client;
}

export type Client = ReturnType<typeof clientOf>;

/** Requests in process: everything of the real server but the socket. Each answer is held to the API's document. */
export function clientOf(brain: Brain, close: () => Promise<void>) {
  async function send<T = Problem>(
    method: Method,
    path: string,
    body?: unknown,
    headers: Headers = {},
  ): Promise<Answer<T>> {
    const raw = typeof body === 'string' || Buffer.isBuffer(body);
    const answer = await brain.app.inject({
      method,
      url: path,
      headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
      ...(body !== undefined && { payload: raw ? body : JSON.stringify(body) }),
    });
    const text = answer.body;
    const told = answer.headers as Answer<T>['headers'];
    holdToDocument(
      { method, url: path, accept: headers['accept'] },
      { status: answer.statusCode, headers: told, text },
    );
    const isJson =
      /json/.test(String(answer.headers['content-type'])) &&
      !/ndjson/.test(String(answer.headers['content-type']));
    return {
      status: answer.statusCode,
      headers: told,
      body: (isJson && text !== '' ? JSON.parse(text) : undefined) as T,
      text,
    };
  }

  /** The body of an answer that must be of this status. */
  async function want<T>(status: number, answer: Promise<Answer<T>>): Promise<T> {
    const got = await answer;
    if (got.status !== status)
      throw new Error(`answered ${got.status}, not ${status}: ${got.text.slice(0, 600)}`);
    return got.body;
  }

  const v2 = '/api/v2';

  /** Every item of a list, page by page. */
  async function all<T>(path: string, query: Readonly<Record<string, string>> = {}): Promise<T[]> {
    const items: T[] = [];
    let cursor: string | null = null;
    do {
      const params = new URLSearchParams({ ...query, ...(cursor !== null && { cursor }) });
      const page: { items: T[]; page: { next: string | null } } = await want(
        200,
        send<{ items: T[]; page: { next: string | null } }>('GET', `${v2}${path}?${params.toString()}`),
      );
      items.push(...page.items);
      cursor = page.page.next;
    } while (cursor !== null);
    return items;
  }

  return {
    brain,
    close,
    send: <T = Problem>(method: Method, path: string, body?: unknown, headers?: Headers) =>
      send<T>(method, `${v2}${path}`, body, headers),
    /** Outside of /api/v2. */
    sendRoot: send,
    get: <T>(path: string) => want(200, send<T>('GET', `${v2}${path}`)),
    post: <T>(path: string, body: unknown, status = 201) =>
      want(status, send<T>('POST', `${v2}${path}`, body)),
    create: (input: api.NodeInput) => want(201, send<api.LinkedNode>('POST', `${v2}/nodes`, input)),
    patch: (id: string, patch: api.NodePatch, version: number | '*' = '*') =>
      want(200, send<api.LinkedNode>('PATCH', `${v2}/nodes/${id}`, patch, ifMatch(version))),
    drop: (path: string, version: number | '*' = '*') =>
      want(204, send<undefined>('DELETE', `${v2}${path}`, undefined, ifMatch(version))),
    connect: (input: api.EdgeInput) => want(201, send<api.Edge>('POST', `${v2}/edges`, input)),
    edgesOf: (id: string) => all<api.Edge>(`/nodes/${id}/edges`, { limit: '200' }),
    all,
    /** An import, and the events of its answer. */
    async importNotes(
      notes: readonly (Partial<ImportNote> | string)[],
      query: Readonly<Record<string, string>> = {},
    ): Promise<{ readonly events: readonly ImportEvent[]; readonly summary: ImportSummary }> {
      const lines = notes.map((note) => (typeof note === 'string' ? note : JSON.stringify(note)));
      const params = new URLSearchParams({ collection: 'vault', ...query });
      const answer = await send('POST', `${v2}/imports?${params.toString()}`, lines.join('\n'), {
        'content-type': 'application/x-ndjson',
      });
      const events = answer.text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as ImportEvent);
      const last = events.at(-1);
      if (last?.type !== 'summary') throw new Error(`no summary: ${answer.text.slice(-600)}`);
      return { events, summary: last.summary };
    },
  };
}

export const ifMatch = (version: number | '*'): Headers => ({
  'if-match': version === '*' ? '*' : `"${version}"`,
});

/** Notes about one subject, so that the engine has something to find. */
export const SLEEP = {
  sleep: {
    title: 'Sleep',
    content:
      'Sleep follows the circadian rhythm. Melatonin rises in the evening and body temperature falls; deep sleep restores memory.',
  },
  melatonin: {
    title: 'Melatonin',
    content:
      'Melatonin is the hormone of the circadian rhythm. Evening light delays melatonin, and with it sleep.',
  },
  bread: {
    title: 'Sourdough',
    content: 'A sourdough starter needs flour, water and patience; the crust wants steam in the oven.',
  },
} as const;
