import type { TSchema } from 'typebox';
import type { Example } from './example.ts';
import { failureResponse, failuresOf, type Failure, type FailureBody } from './failures.ts';
import { headerComponents, headersOf, parameterComponents } from './headers.ts';
import { compact, type Json, type JsonObject } from './json.ts';
import type { AnswerHeader, DescribedRoute } from './operation.ts';
import { parametersOf } from './parameters.ts';
import { schemasOf, type Schemas } from './schemas.ts';

/** What a version says of itself beside its routes. */
export interface ApiDescription {
  readonly version: number;
  readonly title: string;
  readonly description: string;
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  /** Modules of shapes: each exported shape is a component under its name. */
  readonly shapes: readonly Readonly<Record<string, unknown>>[];
  readonly failures: FailureBody;
  /** Headers of every answer of this version. */
  readonly sends?: readonly AnswerHeader[];
}

/** How a caller says who it is, unless the local owner alone is served, who is asked for nothing. */
const BEARER = {
  type: 'http',
  scheme: 'bearer',
  description:
    'A token of Brain2 (`brain2 token create`), or a JWT of the issuer that the server trusts. An operation names the scope that it asks: `admin` includes `write`, and `write` includes `read`. A server that serves its own machine alone (`BRAIN2_AUTH=local`) asks for none.',
};

/** The OpenAPI 3.1 document of a version: of its routes, with examples of what they really answer. */
export function describeApi(
  api: ApiDescription,
  routes: readonly DescribedRoute[],
  examples: readonly Example[],
): JsonObject {
  const sends = [...(api.sends ?? []), 'limits'] as const;
  const schemas = schemasOf(...api.shapes);
  const own = routes.filter((route) => isOperationOf(api.version, route));
  const paths = new Map<string, JsonObject>();
  const failures = new Map<string, Failure>();
  for (const route of own.toSorted(byVerb)) {
    const path = route.url.replace(/:(\w+)/g, '{$1}');
    const failing = failuresOf(route, api.failures);
    for (const failure of failing) failures.set(failure.name, failure);
    // A refused request is shown by its answer alone, among the components: it is no example to follow.
    const those = examples.filter(
      ({ operationId, answer }) => operationId === route.schema.operationId && answer.status < 400,
    );
    const operation = operationOf(route, { schemas, failing, examples: those, sends });
    paths.set(path, { ...paths.get(path), [route.method.toLowerCase()]: operation });
  }
  const responses = sorted(
    [...failures].map(
      ([name, failure]) =>
        [name, failureResponse(failure, { body: api.failures, recorded: examples, sends })] as const,
    ),
  );
  return {
    openapi: '3.1.1',
    info: {
      title: api.title,
      version: `${api.version}.0.0`,
      description: api.description,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/', description: 'The Brain2 that serves this document.' }],
    security: [{ bearer: [] }, {}],
    tags: api.tags.map(({ name, description }) => ({ name, description })),
    paths: sorted(paths),
    components: {
      schemas: schemas.neededBy([sorted(paths), responses]),
      headers: usedOf('headers', headerComponents, [sorted(paths), responses]),
      parameters: usedOf('parameters', parameterComponents, sorted(paths)),
      responses,
      securitySchemes: { bearer: BEARER },
    },
  };
}

/** Whether the document of the version describes the route. A router answers HEAD as it does GET. */
export const isOperationOf = (version: number, { method, url, schema }: DescribedRoute): boolean =>
  url.startsWith(`/api/v${version}/`) && method !== 'HEAD' && schema.hide !== true;

function usedOf(kind: string, components: JsonObject, parts: Json): JsonObject {
  const text = JSON.stringify(parts);
  return Object.fromEntries(
    Object.entries(components).filter(([name]) => text.includes(`"#/components/${kind}/${name}"`)),
  );
}

const VERBS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];
const byVerb = (a: DescribedRoute, b: DescribedRoute): number =>
  VERBS.indexOf(a.method) - VERBS.indexOf(b.method);

interface OperationNeeds {
  readonly schemas: Schemas;
  readonly failing: readonly Failure[];
  readonly examples: readonly Example[];
  readonly sends: readonly AnswerHeader[];
}

function operationOf(
  route: DescribedRoute,
  { schemas, failing, examples, sends }: OperationNeeds,
): JsonObject {
  const { access, schema } = route;
  const { operationId, summary, description, tags = [] } = schema;
  const refused = failing.map(
    ({ status, name }) => [String(status), { $ref: `#/components/responses/${name}` }] as const,
  );
  return compact({
    operationId,
    summary,
    description,
    tags: [...tags],
    security: access === 'open' ? [] : [{ bearer: [access] }, {}],
    parameters: parametersOf(route, schemas, examples),
    requestBody: requestBodyOf(route, schemas, examples),
    responses: sorted([...answersOf(route, { schemas, examples, sends }), ...refused]),
  });
}

const DESCRIPTIONS: Readonly<Record<number, string>> = {
  200: 'Done.',
  201: 'Made.',
  202: 'Taken on: a job does it.',
  204: 'Done; there is no body.',
  207: 'Some of it was done; each item tells.',
  206: 'The part that was asked for.',
  304: 'Still what the caller has; there is no body.',
};

function answersOf(
  { method, schema }: DescribedRoute,
  { schemas, examples, sends: always }: Omit<OperationNeeds, 'failing'>,
): readonly (readonly [string, JsonObject])[] {
  const { response = {}, lines, isEventStream = false, isFile = false, takes = [] } = schema;
  const isOnce = takes.includes('idempotency-key');
  const sends = [...always, ...(schema.sends ?? []), ...(isOnce ? (['replayed'] as const) : [])];
  const shapes: [number, TSchema | undefined][] = Object.entries(response)
    .map(([status, shape]): [number, TSchema] => [Number(status), shape])
    .filter(([status]) => status < 400);
  if (isFile) shapes.push([200, undefined], [206, undefined]);
  else if (lines?.answer && shapes.every(([status]) => status !== 200)) shapes.push([200, undefined]);
  if (shapes.length === 0) shapes.push([isEventStream ? 200 : 204, undefined]);
  if (method === 'GET' && takes.includes('if-none-match')) shapes.push([304, undefined]);
  return shapes.map(([status, shape]) => {
    const those = examples.filter(({ answer }) => answer.status === status);
    const contents = status === 200 ? { json: shape, lines: lines?.answer } : { json: shape };
    if (isEventStream && status === 200) {
      const described = { description: 'Events, until one of the two ends it.', content: EVENT_STREAM };
      return [String(status), { ...described, headers: headersOf(sends, status) }];
    }
    const examplesOf = (type: string) =>
      those.flatMap((one) => (one.answer.mediaType === type ? [exampleOf(one, one.answer.value)] : []));
    const content = isFile && status < 300 ? fileOf(examplesOf) : contentOf(contents, schemas, examplesOf);
    return [
      String(status),
      compact({ description: DESCRIPTIONS[status] ?? 'Done.', headers: headersOf(sends, status), content }),
    ];
  });
}

function requestBodyOf(
  { method, schema }: DescribedRoute,
  schemas: Schemas,
  examples: readonly Example[],
): JsonObject | undefined {
  const { body, lines } = schema;
  const content = contentOf(
    { json: body, patch: method === 'PATCH' ? body : undefined, lines: lines?.body },
    schemas,
    (type) =>
      examples.flatMap((one) => (one.body?.mediaType === type ? [exampleOf(one, one.body.value)] : [])),
  );
  const all = schema.takesZip ? { ...content, [ZIP]: BYTES } : content;
  return all && { description: 'What is to be done.', required: true, content: all };
}

const MEDIA_TYPES = {
  json: 'application/json',
  patch: 'application/merge-patch+json',
  lines: 'application/x-ndjson',
} as const;

function contentOf(
  shapes: { readonly [K in keyof typeof MEDIA_TYPES]?: TSchema | undefined },
  schemas: Schemas,
  examplesOf: (mediaType: string) => readonly (readonly [string, JsonObject])[],
): JsonObject | undefined {
  const entries = Object.entries(MEDIA_TYPES).flatMap(([kind, mediaType]) => {
    const shape = shapes[kind as keyof typeof MEDIA_TYPES];
    if (shape === undefined) return [];
    const examples = examplesOf(mediaType);
    const schema = kind === 'lines' ? linesOf(schemas.of(shape)) : schemas.of(shape);
    return [
      [
        mediaType,
        compact({ schema, examples: examples.length > 0 ? Object.fromEntries(examples) : undefined }),
      ] as const,
    ];
  });
  return entries.length > 0 ? Object.fromEntries(entries) : undefined;
}

const ZIP = 'application/zip';
const BYTES: JsonObject = {
  schema: { type: 'string', contentMediaType: 'application/octet-stream', maxLength: 1024 ** 3 },
};

/** What a file is sent as; a zip has no example, for it is no text. */
function fileOf(examplesOf: (mediaType: string) => readonly (readonly [string, JsonObject])[]): JsonObject {
  const lines = { ...BYTES, examples: Object.fromEntries(examplesOf(MEDIA_TYPES.lines)) };
  return { [MEDIA_TYPES.lines]: lines, [ZIP]: BYTES };
}

const EVENT_STREAM: JsonObject = {
  'text/event-stream': { schema: { type: 'string', description: 'Server-sent events.' } },
};

/** OpenAPI 3.1 has no word for the shape of a line; `contentSchema` is the nearest. */
const linesOf = (line: JsonObject): JsonObject => ({
  type: 'string',
  description: 'Lines of JSON; `contentSchema` is the shape of each.',
  contentMediaType: MEDIA_TYPES.lines,
  contentSchema: line,
});

const exampleOf = ({ name, summary }: Example, value: Json = null): readonly [string, JsonObject] => [
  name,
  { summary, value },
];

function sorted(entries: Iterable<readonly [string, JsonObject]>): JsonObject {
  return Object.fromEntries([...entries].sort(([a], [b]) => (a < b ? -1 : 1)));
}
