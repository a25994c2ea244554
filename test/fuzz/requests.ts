import * as fc from 'fast-check';
import type { Json, JsonObject } from '../../src/http/openapi/json.ts';
import { resolve, type Located, type OpenApi, type Parameter } from '../../src/http/openapi/open-api.ts';
import { hostileBodies, hostileHeaders, hostileTexts, spoiled } from './hostile.ts';
import { reference, type PoolName } from './pools.ts';
import { valuesOf } from './shapes.ts';

/** A request as it goes out, but for the references in it. */
export interface FuzzRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Buffer | undefined;
}

/** Requests for one operation: as described, with one thing wrong, or hostile all over. */
export function requestsFor(document: OpenApi, one: Located): fc.Arbitrary<FuzzRequest> {
  const valid = partsOf(document, one);
  return fc
    .oneof(
      { weight: 5, arbitrary: valid },
      { weight: 4, arbitrary: valid.chain((parts) => nearly(parts)) },
      { weight: 3, arbitrary: valid.chain((parts) => hostile(parts)) },
    )
    .map((parts) => assemble(one, parts));
}

/** A request in its parts; a body that is a text goes out as it is. */
interface Parts {
  readonly path: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly type?: string | undefined;
  readonly body?: Json | Buffer | undefined;
}

const COLLECTIONS: Readonly<Record<string, PoolName>> = {
  nodes: 'nodes',
  related: 'nodes',
  edges: 'edges',
  categories: 'categories',
  tokens: 'tokens',
  jobs: 'jobs',
  exports: 'exports',
  runs: 'runs',
};

function partsOf(document: OpenApi, { path, operation }: Located): fc.Arbitrary<Parts> {
  const parameters = (operation.parameters ?? []).map((one) => resolve<Parameter>(document, one));
  const named = (place: Parameter['in']) => parameters.filter((one) => one.in === place);
  const segments = path.split('/');
  const ids = named('path').map(({ name, schema }) => {
    const pool = COLLECTIONS[segments[segments.indexOf(`{${name}}`) - 1] ?? ''];
    const known = pool && fc.nat({ max: 50 }).map((index) => reference(pool, index));
    return [name, known ?? valuesOf(document, schema, name).map(String)] as const;
  });
  const query = named('query').map(
    ({ name, schema }) => [name, valuesOf(document, schema, name).map(String)] as const,
  );
  return fc.record({
    path: fc.record(Object.fromEntries(ids)),
    query: queryOf(named('query'), query),
    headers: headersOf(named('header')),
    ...bodyOf(document, operation.requestBody?.content),
  }) as fc.Arbitrary<Parts>;
}

/** A cursor or an epoch fits one list alone: among other parameters they are mostly refused. */
const RARE: ReadonlySet<string> = new Set(['cursor', 'nextToken', 'epoch']);

function queryOf(
  parameters: readonly Parameter[],
  values: readonly (readonly [string, fc.Arbitrary<string>])[],
): fc.Arbitrary<Readonly<Record<string, string>>> {
  const required = parameters.filter((one) => one.required === true).map(({ name }) => name);
  const all = fc.record(Object.fromEntries(values), { requiredKeys: required });
  return fc
    .tuple(all, fc.nat({ max: 9 }))
    .map(([query, number]) =>
      number === 0 ? query : Object.fromEntries(Object.entries(query).filter(([name]) => !RARE.has(name))),
    );
}

const ETAGS = ['*', '*', '*', '"1"', '"2"', '"999999999999999"'];

function headersOf(parameters: readonly Parameter[]): fc.Arbitrary<Readonly<Record<string, string>>> {
  const values: Readonly<Record<string, fc.Arbitrary<string>>> = {
    'If-Match': fc.constantFrom(...ETAGS),
    'If-None-Match': fc.constantFrom(...ETAGS),
    'Idempotency-Key': fc.oneof(fc.constantFrom('"one"', 'two'), fc.uuid()),
    'X-Correlation-ID': fc.stringMatching(/^[A-Za-z0-9._:-]{1,40}$/),
  };
  const known = parameters.flatMap(({ name }) => (values[name] ? [[name, values[name]] as const] : []));
  const fields: Record<string, fc.Arbitrary<string>> = Object.fromEntries(known);
  fields['accept'] = fc.constantFrom('*/*', 'application/json', 'application/x-ndjson');
  return fc.record(fields, { requiredKeys: 'If-Match' in fields ? ['If-Match'] : [] });
}

function bodyOf(
  document: OpenApi,
  content: NonNullable<Located['operation']['requestBody']>['content'] = {},
) {
  const types = Object.entries(content);
  const [first] = types;
  if (!first) return {};
  const [type, { schema }] = first;
  const line = schema['contentSchema'] as JsonObject | undefined;
  const body = line
    ? fc
        .array(valuesOf(document, line), { maxLength: 5 })
        .map((lines) => lines.map((one) => JSON.stringify(one)).join('\n'))
    : valuesOf(document, schema);
  return { type: fc.constantFrom(type, ...types.map(([other]) => other)), body };
}

/** One thing wrong. */
function nearly(parts: Parts): fc.Arbitrary<Parts> {
  const wrong: fc.Arbitrary<Parts>[] = [
    fc.tuple(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 })).map(([name, value]) => ({
      ...parts,
      query: { ...parts.query, [name]: value },
    })),
    fc.constant({ ...parts, headers: {} }),
    hostileHeaders.map((headers) => ({ ...parts, headers: { ...parts.headers, ...headers } })),
  ];
  const { body } = parts;
  if (typeof body === 'object' && body !== null) {
    const bodies = spoiled(body as Json).map((other) => ({ ...parts, body: other }));
    wrong.push(bodies, bodies, bodies);
  }
  for (const part of ['path', 'query'] as const) {
    const names = Object.keys(parts[part]);
    if (names.length === 0) continue;
    wrong.push(
      fc
        .tuple(fc.constantFrom(...names), hostileTexts)
        .map(([name, value]) => ({ ...parts, [part]: { ...parts[part], [name]: value } })),
    );
  }
  return fc.oneof(...wrong);
}

const TYPES = [
  'application/json',
  'application/json; charset=utf-16',
  'application/merge-patch+json',
  'application/x-ndjson',
  'text/plain',
  'application/json, text/plain',
  'application/JSON;a=b',
  'multipart/form-data; boundary=x',
  'application/x-www-form-urlencoded',
  '',
  '/',
  'application/json\t; charset="utf-8"',
];

function hostile(parts: Parts): fc.Arbitrary<Parts> {
  return fc.oneof(
    {
      weight: 5,
      arbitrary: hostileBodies.map((body) => ({ ...parts, type: parts.type ?? 'application/json', body })),
    },
    {
      weight: 2,
      arbitrary: fc
        .tuple(fc.constantFrom(...TYPES), hostileBodies)
        .map(([type, body]) => ({ ...parts, type, body })),
    },
    { weight: 1, arbitrary: fc.constantFrom(...TYPES).map((type) => ({ ...parts, type })) },
    { weight: 1, arbitrary: fc.constant({ ...parts, body: undefined }) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(hostileHeaders, hostileHeaders)
        .map(([a, b]) => ({ ...parts, headers: { ...a, ...b } })),
    },
  );
}

/** Characters that a path may hold as they are; anything else is encoded as UTF-8, lone surrogates as U+FFFD. */
const encode = (text: string): string =>
  text.startsWith('%')
    ? text
    : encodeURIComponent(text.toWellFormed()).replaceAll('%40', '@').replaceAll('%3A', ':');

function assemble({ method, path }: Located, { path: ids, query, headers, type, body }: Parts): FuzzRequest {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encode(ids[name] ?? ''));
  const search = Object.entries(query).map(([name, value]) => `${encode(name)}=${encode(value)}`);
  const payload =
    Buffer.isBuffer(body) || typeof body === 'string' || body === undefined ? body : JSON.stringify(body);
  return {
    method,
    path: search.length > 0 ? `${filled}?${search.join('&')}` : filled,
    headers: { ...headers, ...(payload !== undefined && type !== undefined && { 'content-type': type }) },
    body: payload,
  };
}
