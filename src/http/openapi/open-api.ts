import type { Json, JsonObject } from './json.ts';

// The parts of an OpenAPI document that are read, by the pages and by tests.

export interface OpenApi {
  readonly info: { readonly title: string; readonly description: string };
  readonly tags: readonly { readonly name: string; readonly description: string }[];
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
  /** Ways of being let in; a scheme with the scopes that it must be good for. */
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[];
  readonly parameters?: readonly (Parameter | Reference)[];
  readonly requestBody?: { readonly required?: boolean; readonly content: Contents };
  readonly responses: Readonly<Record<string, ResponseObject | Reference>>;
}

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required?: boolean;
  readonly description: string;
  readonly schema: JsonObject;
  readonly example?: string | number | boolean;
}

export interface ResponseObject {
  readonly description: string;
  readonly headers?: Readonly<Record<string, HeaderObject | Reference>>;
  readonly content?: Contents;
}

export interface HeaderObject {
  readonly description: string;
  readonly required?: boolean;
  readonly schema: JsonObject;
}

export interface Reference {
  readonly $ref: string;
}

export type Contents = Readonly<Record<string, Content>>;

export interface Content {
  readonly schema: JsonObject;
  readonly examples?: Readonly<Record<string, { readonly summary: string; readonly value: Json }>>;
}

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
