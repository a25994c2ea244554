import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { breaksOf } from './breaks.ts';
import { pathOf, releasedPathOf } from './committed.ts';
import { CONTRACTS } from './documents.ts';
import type { OpenApi } from '../../src/http/openapi/open-api.ts';

const read = (path: URL): OpenApi => JSON.parse(readFileSync(path, 'utf8')) as OpenApi;

describe.each(CONTRACTS.map(({ api }) => api.version))('v%i', (version) => {
  it('takes nothing away from clients of its release', () => {
    expect(existsSync(releasedPathOf(version))).toBe(true);
    expect(breaksOf(read(releasedPathOf(version)), read(pathOf(version)))).toEqual([]);
  });
});

/** What a test changes in a document, which is plain JSON to it. */
interface Tree {
  [key: string]: Tree;
}

function changed(change: (document: Tree) => void): OpenApi {
  const document = structuredClone(read(pathOf(2))) as unknown as Tree;
  change(document);
  return document as unknown as OpenApi;
}

const at = (tree: Tree, ...keys: readonly string[]): Tree =>
  keys.reduce((part, key) => {
    const next = part[key];
    if (next === undefined) throw new Error(`there is no ${key}`);
    return next;
  }, tree);
const put = (tree: Tree, key: string, value: unknown): void => void Object.assign(tree, { [key]: value });
const schema = (document: Tree, name: string): Tree => at(document, 'components', 'schemas', name);
const field = (document: Tree, name: string, of: string): Tree =>
  at(schema(document, of), 'properties', name);
const operation = (document: Tree, method: string, path: string): Tree =>
  at(document, 'paths', `/api/v2${path}`, method);
const parameter = (document: Tree, name: string): Tree => {
  const all = at(operation(document, 'get', '/nodes'), 'parameters') as unknown as Tree[];
  const found = all.find((one) => (one['name'] as unknown) === name);
  if (!found) throw new Error(`there is no parameter ${name}`);
  return found;
};
const drop = (tree: Tree, key: string): void => {
  at(tree, key);
  delete tree[key];
};
const without = (list: Tree, value: string): unknown[] =>
  (list as unknown as unknown[]).filter((one) => one !== value);

const BREAKS: readonly [string, (document: Tree) => void, RegExp][] = [
  ['a path that is gone', (d) => drop(at(d, 'paths'), '/api/v2/search'), /GET \/api\/v2\/search: it is gone/],
  [
    'an operation that is gone',
    (d) => drop(at(d, 'paths', '/api/v2/nodes/{id}'), 'delete'),
    /DELETE .* it is gone/,
  ],
  ['another operation id', (d) => put(operation(d, 'get', '/search'), 'operationId', 'find'), /operation id/],
  [
    'a parameter that is gone',
    (d) => put(operation(d, 'get', '/search'), 'parameters', []),
    /query parameter q is gone/,
  ],
  [
    'a parameter that is required now',
    (d) => put(parameter(d, 'tag'), 'required', true),
    /query parameter tag is required now/,
  ],
  [
    'a new parameter that is required',
    (d) =>
      (at(operation(d, 'get', '/graph'), 'parameters') as unknown as unknown[]).push({
        name: 'as',
        in: 'query',
        required: true,
        schema: { type: 'string' },
      }),
    /query parameter as is new and required/,
  ],
  [
    'a narrower bound of a parameter',
    (d) => put(at(parameter(d, 'limit'), 'schema'), 'maximum', 100),
    /query parameter limit has a narrower maximum/,
  ],
  [
    'a value that a parameter no longer takes',
    (d) => put(at(parameter(d, 'sort'), 'schema'), 'enum', ['createdAt']),
    /query parameter sort has lost the value "-createdAt"/,
  ],
  [
    'a media type that is no longer taken',
    (d) =>
      drop(
        at(operation(d, 'patch', '/nodes/{id}'), 'requestBody', 'content'),
        'application/merge-patch+json',
      ),
    /takes no application\/merge-patch\+json/,
  ],
  [
    'a field that may no longer be sent',
    (d) => drop(at(schema(d, 'NodeInput'), 'properties'), 'aliases'),
    /aliases is gone/,
  ],
  [
    'a field that must be sent now',
    (d) => put(schema(d, 'NodeInput'), 'required', ['title']),
    /requires title now/,
  ],
  [
    'a lower limit of a text',
    (d) => put(field(d, 'title', 'NodeInput'), 'maxLength', 200),
    /narrower maxLength/,
  ],
  [
    'a lower limit of a list',
    (d) => put(field(d, 'aliases', 'NodeInput'), 'maxItems', 2),
    /narrower maxItems/,
  ],
  ['a new pattern', (d) => put(field(d, 'content', 'NodeInput'), 'pattern', '^#'), /narrower pattern/],
  [
    'another type of what is sent',
    (d) => put(field(d, 'content', 'NodeInput'), 'type', 'number'),
    /was string, is number/,
  ],
  [
    'null that is no longer taken',
    (d) => put(schema(d, 'CategoryMove'), 'properties', { parentId: { type: 'string', maxLength: 36 } }),
    /other forms/,
  ],
  [
    'a value that is no longer sent',
    (d) => put(schema(d, 'EdgeType'), 'enum', ['manual']),
    /lost the value "related"/,
  ],
  [
    'a success of another status',
    (d) => {
      const responses = at(operation(d, 'post', '/nodes'), 'responses');
      put(responses, '200', responses['201']);
      drop(responses, '201');
    },
    /201 is gone/,
  ],
  [
    'an answer of another media type',
    (d) => drop(at(operation(d, 'get', '/graph'), 'responses', '200', 'content'), 'application/x-ndjson'),
    /application\/x-ndjson is gone/,
  ],
  [
    'a header that is gone',
    (d) => drop(at(operation(d, 'get', '/nodes/{id}'), 'responses', '200', 'headers'), 'ETag'),
    /header ETag is gone/,
  ],
  [
    'a header that may be absent now',
    (d) => put(at(d, 'components', 'headers', 'ETag'), 'required', false),
    /header ETag may be absent now/,
  ],
  [
    'a field that is no longer answered',
    (d) => drop(at(schema(d, 'Node'), 'properties'), 'label'),
    /label is gone/,
  ],
  [
    'a field that may be lacking',
    (d) => put(schema(d, 'Node'), 'required', without(at(schema(d, 'Node'), 'required'), 'tags')),
    /may lack tags now/,
  ],
  [
    'another type of what is answered',
    (d) => put(field(d, 'seq', 'Graph'), '$ref', '#/components/schemas/Uuid'),
    /was integer, is string/,
  ],
  [
    'null where there was none',
    (d) =>
      put(schema(d, 'Node'), 'properties', {
        ...schema(d, 'Node')['properties'],
        label: { anyOf: [{ type: 'string' }, { type: 'null' }] },
      }),
    /label has other forms/,
  ],
  [
    'a field deep in a list',
    (d) => drop(at(schema(d, 'Reason'), 'properties'), 'term'),
    /reasons\[\]\.term is gone/,
  ],
  [
    'a field of a line',
    (d) => drop(at(schema(d, 'ImportSummary'), 'properties'), 'created'),
    /line has other forms/,
  ],
];

describe('a break is seen', () => {
  it.each(BREAKS)('%s', (_name, change, expected) => {
    const found = breaksOf(read(pathOf(2)), changed(change));
    expect(found.join('\n')).toMatch(expected);
  });
});

const ADDITIONS: readonly [string, (document: Tree) => void][] = [
  ['a path', (d) => put(at(d, 'paths'), '/api/v2/more', at(d, 'paths', '/api/v2/graph'))],
  [
    'a parameter',
    (d) =>
      (at(operation(d, 'get', '/graph'), 'parameters') as unknown as unknown[]).push({
        name: 'as',
        in: 'query',
        schema: { type: 'string' },
      }),
  ],
  [
    'a field that may be sent',
    (d) => put(at(schema(d, 'NodeInput'), 'properties'), 'mood', { type: 'string' }),
  ],
  ['a field of the answer', (d) => put(at(schema(d, 'Node'), 'properties'), 'mood', { type: 'string' })],
  ['a value', (d) => (at(schema(d, 'EdgeType'), 'enum') as unknown as unknown[]).push('opposes')],
  ['a wider bound', (d) => put(field(d, 'title', 'NodeInput'), 'maxLength', 1000)],
  [
    'another media type of a body',
    (d) => {
      const content = at(operation(d, 'post', '/nodes'), 'requestBody', 'content');
      put(content, 'application/yaml', content['application/json']);
    },
  ],
  [
    'another refusal',
    (d) =>
      put(at(operation(d, 'get', '/graph'), 'responses'), '402', { $ref: '#/components/responses/Invalid' }),
  ],
  ['other words', (d) => put(operation(d, 'get', '/graph'), 'description', 'The graph.')],
];

describe('an addition is no break', () => {
  it.each(ADDITIONS)('%s', (_name, change) => {
    expect(breaksOf(read(pathOf(2)), changed(change))).toEqual([]);
  });
});
