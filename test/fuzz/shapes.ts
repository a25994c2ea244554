import * as fc from 'fast-check';
import type { Json, JsonObject } from '../../src/http/openapi/json.ts';
import { resolve } from '../../src/http/openapi/open-api.ts';
import { anyText } from '../support/arbitraries.ts';
import { poolOf, reference } from './pools.ts';

const LONGEST = 300;
const MOST_ITEMS = 6;

/** Values that a shape of the document allows: mostly small, at times at its bounds. `name` is that of the field. */
export function valuesOf(document: object, schema: JsonObject, name = ''): fc.Arbitrary<Json> {
  const shape = resolve(document, schema);
  const forms = (shape['anyOf'] ?? shape['oneOf']) as readonly JsonObject[] | undefined;
  if (forms) return fc.oneof(...forms.map((form) => valuesOf(document, form, name)));
  if (shape['const'] !== undefined) return fc.constant(shape['const']);
  if (Array.isArray(shape['enum'])) return fc.constantFrom(...(shape['enum'] as Json[]));
  const { type } = shape;
  switch (typeof type === 'string' ? type : '') {
    case 'object':
      return objects(document, shape);
    case 'array':
      return lists(document, shape, name);
    case 'string':
      return texts(shape, name);
    case 'integer':
    case 'number':
      return numbers(shape);
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    default:
      return fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<Json>;
  }
}

function objects(document: object, shape: JsonObject): fc.Arbitrary<Json> {
  const { properties = {}, required = [] } = shape as {
    properties?: Readonly<Record<string, JsonObject>>;
    required?: readonly string[];
  };
  const fields = Object.entries(properties).map(
    ([name, schema]) => [name, valuesOf(document, schema, name)] as const,
  );
  return fc.record(Object.fromEntries(fields), { requiredKeys: [...required] });
}

function lists(document: object, shape: JsonObject, name: string): fc.Arbitrary<Json> {
  const { minItems = 0, maxItems = MOST_ITEMS } = shape as { minItems?: number; maxItems?: number };
  const items = valuesOf(document, (shape['items'] ?? {}) as JsonObject, name);
  return fc.array(items, {
    minLength: minItems,
    maxLength: Math.max(minItems, Math.min(maxItems, MOST_ITEMS)),
  });
}

const TIMES = /(?:At|Since)$/;

function texts(shape: JsonObject, name: string): fc.Arbitrary<string> {
  const {
    minLength = 0,
    maxLength = LONGEST,
    pattern,
  } = shape as {
    minLength?: number;
    maxLength?: number;
    pattern?: string;
  };
  const pool = poolOf(name);
  if (pool) return fc.nat({ max: 50 }).map((index) => reference(pool, index));
  if (pattern !== undefined)
    return fc.stringMatching(new RegExp(pattern)).filter((text) => text.length <= maxLength);
  const time = fc.date({ noInvalidDate: true, min: new Date(0), max: new Date('2100-01-01') });
  if (TIMES.test(name)) return time.map((date) => date.toISOString());
  const words = fc
    .array(fc.constantFrom('sleep', 'melatonin', 'circadian', 'bread', 'rhythm', 'Sleep', '[[Sleep]]', '#'), {
      minLength: 1,
      maxLength: 12,
    })
    .map((all) => all.join(' '));
  const fit = (text: string): string => text.padEnd(minLength, 'x').slice(0, maxLength);
  const atLimit = fc
    .constantFrom(minLength, Math.min(maxLength, LONGEST))
    .map((length) => 'é'.repeat(length));
  return fc.oneof(
    { weight: 6, arbitrary: words.map(fit) },
    { weight: 3, arbitrary: anyText.map(fit) },
    { weight: 1, arbitrary: atLimit },
  );
}

const MOST = 1_000_000;

function numbers(shape: JsonObject): fc.Arbitrary<number> {
  const { minimum = -MOST, maximum = MOST } = shape as { minimum?: number; maximum?: number };
  if (shape['type'] === 'integer') return fc.integer({ min: minimum, max: maximum });
  return fc.double({ min: minimum, max: maximum, noNaN: true });
}
