import type { TSchema } from 'typebox';
import type { Json, JsonObject } from './json.ts';

/** The named shapes of a version: what each module of shapes exports, by its name there. */
export interface Schemas {
  /** The named shapes that something refers to, directly or through others. */
  neededBy(parts: Json): JsonObject;
  /** A shape as the document has it: by reference where it, or a part of it, has a name. */
  of(schema: TSchema): JsonObject;
}

/**
 * Shapes are known by their content, for a shape that becomes optional is a copy of itself. Of two names for one
 * shape the first is taken.
 */
export function schemasOf(...modules: readonly Readonly<Record<string, unknown>>[]): Schemas {
  const named = modules.flatMap((module) => Object.entries(module)).filter(isSchema);
  const names = new Map<string, string>();
  const bare = new Map<string, string>();
  for (const [name, schema] of named) {
    const key = JSON.stringify(schema);
    if (!names.has(key)) names.set(key, name);
    const { description: _description, ...rest } = JSON.parse(key) as JsonObject;
    bare.set(JSON.stringify(rest), bare.get(JSON.stringify(rest)) ?? name);
  }
  const referenceTo = (schema: JsonObject): JsonObject | undefined => {
    const exact = names.get(JSON.stringify(schema));
    if (exact !== undefined) return { $ref: `#/components/schemas/${exact}` };
    // A shape that means something of its own in one place, such as a filter, is still that shape.
    const { description, ...rest } = schema;
    const name = isTelling(rest) ? bare.get(JSON.stringify(rest)) : undefined;
    if (name === undefined) return undefined;
    return { $ref: `#/components/schemas/${name}`, ...(description !== undefined && { description }) };
  };
  const convert = (value: Json, isTop = false): Json => {
    if (Array.isArray(value)) return value.map((one) => convert(one as Json));
    if (value === null || typeof value !== 'object') return value;
    const reference = isTop ? undefined : referenceTo(value as JsonObject);
    if (reference) return reference;
    return plain(
      Object.fromEntries(Object.entries(value as JsonObject).map(([key, part]) => [key, convert(part)])),
    );
  };
  const asJson = (schema: TSchema): Json => JSON.parse(JSON.stringify(schema)) as Json;
  const components = new Map(
    [...names.values()].sort().map((name) => {
      const schema = named.find(([one]) => one === name)?.[1];
      return [name, convert(asJson(schema as TSchema), true)];
    }),
  );
  return {
    of: (schema) => convert(asJson(schema)) as JsonObject,
    neededBy(parts) {
      const needed = new Set<string>();
      const visit = (part: Json): void => {
        for (const [, name = ''] of JSON.stringify(part).matchAll(REFERENCE)) {
          if (needed.has(name)) continue;
          needed.add(name);
          visit(components.get(name) ?? null);
        }
      };
      visit(parts);
      return Object.fromEntries([...components].filter(([name]) => needed.has(name)));
    },
  };
}

const REFERENCE = /"#\/components\/schemas\/(\w+)"/g;

/** Whether two shapes of this content are likely one and the same: any two counts look alike. */
const isTelling = (schema: JsonObject): boolean => 'pattern' in schema || 'anyOf' in schema;

function isSchema(entry: [string, unknown]): entry is [string, TSchema] {
  return typeof entry[1] === 'object' && entry[1] !== null && '~kind' in entry[1];
}

const ANY_KEY = '^.*$';

/** JSON Schema as people write it: a choice of constants is an enum, any key is `additionalProperties`. */
function plain(schema: JsonObject): JsonObject {
  const { anyOf, patternProperties, ...rest } = schema;
  if (Array.isArray(anyOf)) {
    const branches = anyOf as readonly JsonObject[];
    if (branches.every((branch) => 'const' in branch)) {
      return { type: 'string', ...rest, enum: branches.map((branch) => branch['const'] ?? null) };
    }
  }
  const values = (patternProperties as JsonObject | undefined)?.[ANY_KEY];
  if (values !== undefined) return { ...rest, additionalProperties: isEmpty(values) ? true : values };
  return schema;
}

const isEmpty = (value: Json): boolean =>
  typeof value === 'object' && value !== null && Object.keys(value).length === 0;
