import type { JsonObject } from '../../src/http/openapi/json.ts';

// The parts of an OpenAPI document that the tests read.

export interface OpenApi {
  readonly tags: readonly { readonly name: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, JsonObject>>;
    readonly responses: Readonly<Record<string, ResponseObject>>;
  };
}

export interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly parameters?: readonly (Parameter | Reference)[];
  readonly requestBody?: { readonly required?: boolean; readonly content: Contents };
  readonly responses: Readonly<Record<string, ResponseObject | Reference>>;
}

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required?: boolean;
  readonly schema: JsonObject;
}

export interface ResponseObject {
  readonly description: string;
  readonly headers?: Readonly<Record<string, HeaderObject | Reference>>;
  readonly content?: Contents;
}

interface HeaderObject {
  readonly required?: boolean;
  readonly schema: JsonObject;
}

interface Reference {
  readonly $ref: string;
}

type Contents = Readonly<
  Record<string, { readonly schema: JsonObject; readonly examples?: Readonly<Record<string, unknown>> }>
>;

export interface Located {
  readonly path: string;
  readonly method: string;
  readonly operation: Operation;
}

export function operationsOf({ paths }: Pick<OpenApi, 'paths'>): readonly Located[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  );
}

/** A part of the document, or what stands where it points. */
export function resolve<T extends object>(document: object, part: T | Reference): T {
  if (!('$ref' in part)) return part;
  const keys = part.$ref.split('/').slice(1);
  const found = keys.reduce<unknown>((at, key) => (at as Readonly<Record<string, unknown>>)[key], document);
  return resolve(document, found as T | Reference);
}
