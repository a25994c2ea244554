import { isOperationOf } from '../../src/http/openapi/document.ts';
import type { Example } from '../../src/http/openapi/example.ts';
import type { Json } from '../../src/http/openapi/json.ts';
import type { DescribedRoute } from '../../src/http/openapi/operation.ts';
import type { Brain } from '../../src/server/brain.ts';

export interface Step {
  /** What the example shows; by it the example is named too. */
  readonly shows: string;
  /** Of the path and the query. */
  readonly parameters?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** The type of the body, where it is not JSON. */
  readonly type?: string;
  /** Waits until no job runs, so that what is asked of one is told of its end. */
  readonly whenIdle?: boolean;
  /** The status that must be answered. */
  readonly status?: number;
}

/** What a step was answered; of any shape, for examples read it as their readers do. */
export interface Answered<T> {
  readonly body: T;
  readonly etag: string;
}

export type Recording = <T>(operationId: string, step: Step) => Promise<Answered<T>>;

/** Makes requests of one version by the names of their operations, and keeps each with its answer. */
export function recorder(brain: Brain, version: number) {
  const examples: Example[] = [];
  const routes = brain.app.routeTable.filter((route) => isOperationOf(version, route));

  const record: Recording = async <T>(operationId: string, step: Step): Promise<Answered<T>> => {
    const route = routes.find(({ schema }) => schema.operationId === operationId);
    if (!route) throw new Error(`there is no operation ${operationId} in v${version}`);
    const { parameters = {}, headers = {}, body } = step;
    if (step.whenIdle) await brain.services.jobs.idle();
    const type =
      step.type ?? (route.method === 'PATCH' ? 'application/merge-patch+json' : 'application/json');
    const answer = await brain.app.inject({
      method: route.method as 'GET',
      url: urlOf(route, parameters),
      headers: {
        ...(body !== undefined && { 'content-type': type }),
        'x-correlation-id': 'docs',
        ...headers,
      },
      ...(body !== undefined && { payload: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const expected =
      step.status ?? (route.method === 'DELETE' ? 204 : operationId.startsWith('create') ? 201 : 200);
    if (answer.statusCode !== expected)
      throw new Error(`${operationId}: answered ${answer.statusCode}, not ${expected}: ${answer.body}`);
    const mediaType = answer.headers['content-type']?.toString().split(';')[0];
    const value = answer.body === '' ? undefined : read(answer.body, mediaType);
    examples.push({
      operationId,
      name: step.shows.toLowerCase().replace(/[^a-z0-9]+/g, '-'),
      summary: step.shows,
      parameters,
      ...(body !== undefined && { body: { mediaType: type, value: body as Json } }),
      answer: {
        status: answer.statusCode,
        ...(value !== undefined && mediaType !== undefined && { mediaType, value }),
      },
    });
    return { body: value as T, etag: answer.headers['etag'] ?? '' };
  };
  return { record, examples: () => settled(examples) };
}

function urlOf({ url }: DescribedRoute, parameters: Readonly<Record<string, string>>): string {
  const rest = new Map(Object.entries(parameters));
  const path = url.replace(/:(\w+)/g, (_, name: string) => {
    const value = rest.get(name) ?? '';
    rest.delete(name);
    return encodeURIComponent(value);
  });
  return rest.size === 0 ? path : `${path}?${new URLSearchParams([...rest]).toString()}`;
}

const read = (text: string, mediaType = ''): Json =>
  /[/+]json$/.test(mediaType) ? (JSON.parse(text) as Json) : text;

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const TIME = /20[0-8]\d-(?!01-05T08:30)\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g;
const SECRET = /b2t_[A-Za-z0-9_-]+/g;
const CURSOR = /[A-Za-z0-9_-]{60,}/g;
const START = Date.parse('2026-01-05T08:00:00.000Z');

/**
 * What differs between two runs (ids, times, signatures), in the order of its appearance: the same requests give the
 * same examples.
 */
function settled(examples: readonly Example[]): readonly Example[] {
  const numbered = (kind: (index: number) => string) => {
    const seen = new Map<string, string>();
    return (found: string): string => {
      const known = seen.get(found) ?? kind(seen.size);
      seen.set(found, known);
      return known;
    };
  };
  const id = (index: number): string =>
    `0190a7c4-5b3e-7c2a-9f10-${(index + 1).toString(16).padStart(12, '0')}`;
  const text = JSON.stringify(examples)
    .replace(UUID, numbered(id))
    .replace(/"ticket":"[\w-]+"/g, '"ticket":"uRlujtBWSs3trddLYKgR43rQ-pmPvzPH"')
    .replace(
      SECRET,
      numbered((index) => `b2t_the-secret-of-token-${index + 1}`),
    )
    .replace(
      CURSOR,
      numbered((index) => `the-cursor-of-the-next-page-${index + 1}`),
    )
    // When a problem came up is of no clock that the examples share.
    .replace(/"timestamp":"[^"]+","retryable"/g, '"timestamp":"2026-01-05T08:30:00.000Z","retryable"')
    .replace(
      TIME,
      numbered((index) => new Date(START + index * 1000).toISOString()),
    );
  return JSON.parse(text) as readonly Example[];
}
