import { schemaBreaks } from './schema-breaks.ts';
import {
  operationsOf,
  resolve,
  type Located,
  type OpenApi,
  type Operation,
  type Parameter,
  type ResponseObject,
} from '../../src/http/openapi/open-api.ts';

/**
 * What of a released document its successor takes away from clients that were written against it: each as a line
 * that names the place. What is added breaks nobody: enums are open, and unknown fields of an answer are ignored.
 */
export function breaksOf(before: OpenApi, after: OpenApi): readonly string[] {
  const now = new Map(operationsOf(after).map((one) => [nameOf(one), one.operation]));
  return operationsOf(before).flatMap((one) => {
    const name = nameOf(one);
    const operation = now.get(name);
    if (!operation) return [`${name}: it is gone`];
    const pair = { before, after, was: one.operation, is: operation };
    return [
      ...(one.operation.operationId === operation.operationId ? [] : ['its operation id is another']),
      ...parameterBreaks(pair),
      ...bodyBreaks(pair),
      ...answerBreaks(pair),
    ].map((what) => `${name}: ${what}`);
  });
}

interface Pair {
  readonly before: OpenApi;
  readonly after: OpenApi;
  readonly was: Operation;
  readonly is: Operation;
}

const nameOf = ({ method, path }: Located): string => `${method} ${path}`;

function parameterBreaks({ before, after, was, is }: Pair): readonly string[] {
  const named = (document: OpenApi, operation: Operation) =>
    new Map(
      (operation.parameters ?? []).map((one) => {
        const parameter = resolve<Parameter>(document, one);
        return [`${parameter.in} parameter ${parameter.name}`, parameter] as const;
      }),
    );
  const [old, now] = [named(before, was), named(after, is)];
  const kept = [...old].flatMap(([name, parameter]) => {
    const next = now.get(name);
    if (!next) return [`${name} is gone`];
    return [
      ...(next.required === true && parameter.required !== true ? [`${name} is required now`] : []),
      ...schemaBreaks(sent(before, after), parameter.schema, next.schema, name),
    ];
  });
  const added = [...now].filter(([name, { required }]) => required === true && !old.has(name));
  return [...kept, ...added.map(([name]) => `${name} is new and required`)];
}

function bodyBreaks({ before, after, was, is }: Pair): readonly string[] {
  if (!was.requestBody) return is.requestBody?.required === true ? ['a body is required now'] : [];
  const old = Object.entries(was.requestBody.content);
  return [
    ...(is.requestBody?.required === true && was.requestBody.required !== true
      ? ['a body is required now']
      : []),
    ...old.flatMap(([type, { schema }]) => {
      const next = is.requestBody?.content[type];
      return next
        ? schemaBreaks(sent(before, after), schema, next.schema, 'body')
        : [`it takes no ${type} any more`];
    }),
  ];
}

function answerBreaks({ before, after, was, is }: Pair): readonly string[] {
  return Object.entries(was.responses).flatMap(([status, response]) => {
    const next = is.responses[status];
    // A refusal that no longer happens is missed by nobody.
    if (!next) return Number(status) < 400 ? [`${status} is gone`] : [];
    return responseBreaks({ before, after }, resolve(before, response), resolve(after, next)).map(
      (what) => `${status} ${what}`,
    );
  });
}

function responseBreaks(
  { before, after }: Pick<Pair, 'before' | 'after'>,
  was: ResponseObject,
  is: ResponseObject,
): readonly string[] {
  const headers = Object.keys(was.headers ?? {}).flatMap((name) => {
    const old = was.headers?.[name];
    const next = is.headers?.[name];
    if (!next) return [`header ${name} is gone`];
    const mayLack = resolve(after, next).required !== true && old && resolve(before, old).required === true;
    return mayLack ? [`header ${name} may be absent now`] : [];
  });
  const contents = Object.entries(was.content ?? {}).flatMap(([type, { schema }]) => {
    const next = is.content?.[type];
    return next ? schemaBreaks(answered(before, after), schema, next.schema, 'body') : [`${type} is gone`];
  });
  return [...headers, ...contents];
}

const sent = (before: object, after: object) => ({ direction: 'sent', before, after }) as const;
const answered = (before: object, after: object) => ({ direction: 'answered', before, after }) as const;
