import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import type { Json, JsonObject } from '../../src/http/openapi/json.ts';
import {
  operationsOf,
  resolve,
  type Located,
  type OpenApi,
  type ResponseObject,
} from '../../src/http/openapi/open-api.ts';

export interface JudgedAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly text: string;
}

/** The document of a version as a judge: what is wrong with an answer, or undefined. */
export function judgeOf(document: OpenApi) {
  const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: false });
  // Unread as a schema, which it is only in parts.
  ajv.addSchema(closed(document as unknown as Json) as JsonObject, 'api', undefined, false);
  const validators = new Map<string, ValidateFunction>();
  const broken = (pointer: string, text: string): string | undefined => {
    const validate = validators.get(pointer) ?? ajv.compile({ $ref: `api#${pointer}` });
    validators.set(pointer, validate);
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      return `${pointer}: no JSON`;
    }
    if (validate(value)) return undefined;
    return `${pointer}: ${ajv.errorsText(validate.errors)}`;
  };
  const operations = operationsOf(document);

  /** A HEAD is held to the GET of its path, but for the body. */
  function wrongWith(method: string, path: string, answer: JudgedAnswer): string | undefined {
    const { status, text } = answer;
    const isHead = method === 'HEAD';
    if (isHead && text !== '') return 'a body for a HEAD';
    const one = find(operations, isHead ? 'GET' : method, path);
    // Nothing is described where there is nothing: the answer says so, as any other refusal does.
    if (one === undefined && status < 400) return 'a success at no operation';
    if (one === undefined) return isHead ? undefined : wrongProblem(answer);
    const documented = one.operation.responses[String(status)];
    if (!documented) return `${one.operation.operationId} is not described to answer ${status}`;
    const response = resolve<ResponseObject>(document, documented);
    return wrongHeaders(response, answer) ?? (isHead ? undefined : wrongBody(one, response, answer));
  }

  function wrongProblem({ headers, text }: JudgedAnswer): string | undefined {
    const shape = headers['content-type'] === 'application/problem+json' ? 'Problem' : 'ErrorBody';
    if (!(shape in document.components.schemas)) return 'a refusal that is no problem document';
    return broken(`/components/schemas/${shape}`, text);
  }

  function wrongHeaders(response: ResponseObject, { headers }: JudgedAnswer): string | undefined {
    for (const [name, part] of Object.entries(response.headers ?? {})) {
      const { required, schema } = resolve(document, part);
      const value = headers[name.toLowerCase()];
      if (value === undefined && required === true) return `there is no header ${name}`;
      const fits: boolean = value === undefined || ajv.validate<unknown>(schema, value);
      if (!fits) return `header ${name} is ${value}`;
    }
    return undefined;
  }

  function wrongBody(
    { path, method }: Located,
    response: ResponseObject,
    { status, headers, text }: JudgedAnswer,
  ): string | undefined {
    // Where Accept names the version, so does the type.
    const type = headers['content-type']?.split(';')[0]?.replace(/vnd\.brain2\.v\d\+/, '');
    if (!response.content) return text === '' ? undefined : `a body with ${status}`;
    if (type === undefined || !(type in response.content)) return `${status} of type ${type}`;
    // A file is described by its type alone.
    if (response.content[type]?.schema?.['contentMediaType'] === 'application/octet-stream') return undefined;
    const keys = ['paths', path, method.toLowerCase(), 'responses', String(status)];
    const start = pointerOf(document, keys);
    const schema = `${start}/content/${escape(type)}/schema`;
    if (type !== 'application/x-ndjson') return broken(schema, text);
    for (const line of text.split('\n')) {
      const wrong = line === '' ? undefined : broken(`${schema}/contentSchema`, line);
      if (wrong !== undefined) return wrong;
    }
    return undefined;
  }

  return { wrongWith };
}

/** Shapes are open to clients, who ignore what they do not know; an answer is to have nothing that has no name here. */
function closed(value: Json): Json {
  if (Array.isArray(value)) return value.map((one) => closed(one as Json));
  if (typeof value !== 'object' || value === null) return value;
  const { allOf, ...rest } = value as JsonObject;
  const inner = Object.fromEntries(Object.entries(rest).map(([key, part]) => [key, closed(part)]));
  const isOpen = inner['type'] === 'object' && 'properties' in inner && !('additionalProperties' in inner);
  // What is joined by allOf says only a part each.
  return { ...inner, ...(allOf !== undefined && { allOf }), ...(isOpen && { additionalProperties: false }) };
}

const escape = (key: string): string => encodeURIComponent(key.replaceAll('~', '~0').replaceAll('/', '~1'));

/** Where the keys lead to, by way of a reference in the last of them. */
function pointerOf(document: OpenApi, keys: readonly string[]): string {
  const found = keys.reduce<unknown>((at, key) => (at as Readonly<Record<string, unknown>>)[key], document);
  const { $ref } = found as { $ref?: string };
  return $ref === undefined ? `/${keys.map(escape).join('/')}` : $ref.slice(1);
}

/** The operation that a path leads to; a fixed word comes before a parameter. */
function find(operations: readonly Located[], method: string, path: string): Located | undefined {
  const segments = path.split('/');
  const fitting = operations.filter((one) => {
    const parts = one.path.split('/');
    return (
      one.method === method &&
      parts.length === segments.length &&
      parts.every(
        (part, index) => part === segments[index] || (part.startsWith('{') && segments[index] !== ''),
      )
    );
  });
  return fitting.toSorted((a, b) => a.path.split('{').length - b.path.split('{').length)[0];
}
