import type { Json, JsonObject } from '../../src/http/openapi/json.ts';
import { resolve } from '../../src/http/openapi/open-api.ts';

interface Documents {
  /** Whether clients send the shape or are answered it. */
  readonly direction: 'sent' | 'answered';
  readonly before: object;
  readonly after: object;
}

/** What clients may no longer send of a shape, or may no longer rely on in it. */
export function schemaBreaks(
  documents: Documents,
  before: JsonObject,
  after: JsonObject,
  at: string,
  seen: ReadonlySet<string> = new Set(),
): readonly string[] {
  // A shape that is within itself has been compared one level up.
  const key = JSON.stringify([before, after]);
  if (seen.has(key)) return [];
  const inner = new Set([...seen, key]);
  const was = branchesOf(resolve(documents.before, before), documents.before);
  const is = branchesOf(resolve(documents.after, after), documents.after);
  if (was.length === 1 && is.length === 1) return plainBreaks(documents, was[0]!, is[0]!, at, inner);
  const fits = (old: JsonObject, next: JsonObject): boolean =>
    plainBreaks(documents, old, next, at, inner).length === 0;
  const fitting =
    documents.direction === 'sent'
      ? was.every((old) => is.some((next) => fits(old, next)))
      : is.every((next) => was.some((old) => fits(old, next))) &&
        was.every((old) => is.some((next) => fits(old, next)));
  return fitting ? [] : [`${at} has other forms`];
}

function plainBreaks(
  documents: Documents,
  before: JsonObject,
  after: JsonObject,
  at: string,
  seen: ReadonlySet<string>,
): readonly string[] {
  return [
    ...typeBreaks(documents, before, after),
    ...enumBreaks(before, after),
    ...(documents.direction === 'sent' ? boundBreaks(before, after) : []),
    ...requiredBreaks(documents, before, after),
  ]
    .map((what) => `${at} ${what}`)
    .concat(innerBreaks(documents, before, after, at, seen));
}

function typeBreaks({ direction }: Documents, before: JsonObject, after: JsonObject): readonly string[] {
  const [was, is] = [typesOf(before), typesOf(after)];
  // Who sends gives what was allowed; who is answered gets what is allowed now.
  const [given, taken] = direction === 'sent' ? [was, is] : [is, was];
  if (taken === undefined) return [];
  const fits = given?.every(
    (type) => taken.includes(type) || (type === 'integer' && taken.includes('number')),
  );
  return fits === true
    ? []
    : [`was ${was?.join(' or ') ?? 'anything'}, is ${is?.join(' or ') ?? 'anything'}`];
}

function enumBreaks(before: JsonObject, after: JsonObject): readonly string[] {
  const [was, is] = [valuesOf(before), valuesOf(after)];
  if (was === undefined) return is === undefined ? [] : ['is limited to some values now'];
  if (is === undefined) return [];
  return was
    .filter((value) => !is.includes(value))
    .map((value) => `has lost the value ${JSON.stringify(value)}`);
}

const UPPER = ['maxLength', 'maxItems', 'maximum', 'exclusiveMaximum', 'maxProperties'];
const LOWER = ['minLength', 'minItems', 'minimum', 'exclusiveMinimum', 'minProperties'];
const EXACT = ['pattern', 'format', 'multipleOf', 'uniqueItems', 'contentMediaType'];

function boundBreaks(before: JsonObject, after: JsonObject): readonly string[] {
  const number = (schema: JsonObject, name: string, none: number): number => Number(schema[name] ?? none);
  const narrowed = [
    ...UPPER.filter((name) => number(after, name, Infinity) < number(before, name, Infinity)),
    ...LOWER.filter((name) => number(after, name, -Infinity) > number(before, name, -Infinity)),
    ...EXACT.filter((name) => after[name] !== undefined && after[name] !== before[name]),
  ];
  return narrowed.map((name) => `has a narrower ${name}`);
}

function requiredBreaks({ direction }: Documents, before: JsonObject, after: JsonObject): readonly string[] {
  const [was, is] = [listOf(before['required']) as string[], listOf(after['required']) as string[]];
  return direction === 'sent'
    ? is.filter((name) => !was.includes(name)).map((name) => `requires ${name} now`)
    : was.filter((name) => !is.includes(name)).map((name) => `may lack ${name} now`);
}

function innerBreaks(
  documents: Documents,
  before: JsonObject,
  after: JsonObject,
  at: string,
  seen: ReadonlySet<string>,
): readonly string[] {
  const next = (was: Json | undefined, is: Json | undefined, where: string): readonly string[] =>
    isObject(was) && isObject(is) ? schemaBreaks(documents, was, is, where, seen) : [];
  const [old, now] = [propertiesOf(before), propertiesOf(after)];
  const closed = after['additionalProperties'] === false && before['additionalProperties'] !== false;
  return [
    ...Object.entries(old).flatMap(([name, schema]) =>
      now[name] === undefined ? [`${at}.${name} is gone`] : next(schema, now[name], `${at}.${name}`),
    ),
    ...(closed && documents.direction === 'sent' ? [`${at} takes no other fields any more`] : []),
    ...next(before['additionalProperties'], after['additionalProperties'], `${at}.*`),
    ...next(before['items'], after['items'], `${at}[]`),
    ...next(before['contentSchema'], after['contentSchema'], `${at} line`),
  ];
}

/** The forms of a shape; what holds for all of them is merged into each. */
function branchesOf(schema: JsonObject, document: object): readonly JsonObject[] {
  const { anyOf, oneOf, allOf, ...rest } = schema;
  const merged = listOf(allOf).reduce<JsonObject>(
    (all, part) => merge(all, resolve(document, part as JsonObject)),
    rest,
  );
  const forms = listOf(anyOf ?? oneOf);
  if (forms.length === 0) return [merged];
  return forms
    .flatMap((form) => branchesOf(resolve(document, form as JsonObject), document))
    .map((form) => merge(merged, form));
}

function merge(a: JsonObject, b: JsonObject): JsonObject {
  const [inA, inB] = [propertiesOf(a), propertiesOf(b)];
  const both = Object.keys(inA).filter((name) => name in inB);
  const properties = {
    ...inA,
    ...inB,
    ...Object.fromEntries(both.map((name) => [name, { allOf: [inA[name] ?? {}, inB[name] ?? {}] }])),
  };
  const required = [...listOf(a['required']), ...listOf(b['required'])];
  return {
    ...a,
    ...b,
    ...(Object.keys(properties).length > 0 && { properties }),
    ...(required.length > 0 && { required }),
  };
}

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const listOf = (value: Json | undefined): readonly Json[] => (Array.isArray(value) ? (value as Json[]) : []);
const propertiesOf = ({ properties }: JsonObject): JsonObject => (isObject(properties) ? properties : {});

function typesOf({ type, const: value }: JsonObject): readonly string[] | undefined {
  if (type === undefined) return value === undefined ? undefined : [typeof value];
  return Array.isArray(type) ? (type as string[]) : [type as string];
}

function valuesOf(schema: JsonObject): readonly Json[] | undefined {
  if (schema['const'] !== undefined) return [schema['const']];
  return schema['enum'] === undefined ? undefined : listOf(schema['enum']);
}
