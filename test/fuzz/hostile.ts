import * as fc from 'fast-check';
import type { Json, JsonObject } from '../../src/http/openapi/json.ts';

const HUGE = 'x'.repeat(2500);
/** Texts where an id, a number or a word is expected. Those that begin with % go out as they are. */
const TEXTS = [
  '',
  ' ',
  '0',
  '-1',
  '1e309',
  '99999999999999999999999',
  'NaN',
  'true',
  'null',
  '[]',
  '{}',
  '*',
  '..',
  '../../etc/passwd',
  '%2e%2e%2f',
  '%00',
  '%ff',
  '%C0%AF',
  '%',
  '%zz',
  'a\0b',
  '\ud800',
  '\r\nx: y',
  '__proto__',
  'constructor',
  '<script>alert(1)</script>',
  "' OR 1=1 --",
  '0190a7c4-5b3e-7c2a-9f10-00000000000g',
  '0190A7C4-5B3E-7C2A-9F10-000000000001',
  HUGE,
];
export const hostileTexts: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(...TEXTS),
  fc.string({ unit: 'binary', maxLength: 40 }),
);

const LEAVES: readonly Json[] = [
  null,
  true,
  0,
  -1,
  1.5,
  1e308,
  Number.MAX_SAFE_INTEGER + 1,
  '',
  '\0',
  '\ud800',
  '\ufeff',
  HUGE,
  [],
  {},
  [[]],
  [null],
];

/** The same value with one thing wrong somewhere in it: a part replaced, taken away, added or multiplied. */
export function spoiled(value: Json): fc.Arbitrary<Json> {
  const places = placesOf(value);
  return fc
    .tuple(
      fc.constantFrom(...places),
      fc.constantFrom(...LEAVES),
      fc.constantFrom('replace', 'add', 'drop', 'repeat'),
    )
    .map(([place, leaf, how]) => at(value, place, (part) => spoil(part, leaf, how)) ?? null);
}

type Place = readonly string[];

function placesOf(value: Json, above: Place = []): readonly Place[] {
  if (typeof value !== 'object' || value === null) return [above];
  return [above, ...Object.entries(value).flatMap(([key, part]) => placesOf(part, [...above, key]))];
}

/** `undefined` takes the part away. */
function at(value: Json, [key, ...rest]: Place, change: (part: Json) => Json | undefined): Json | undefined {
  if (key === undefined) return change(value);
  const entries = Object.entries(value as JsonObject).flatMap(([name, part]): [string, Json][] => {
    const next = name === key ? at(part, rest, change) : part;
    return next === undefined ? [] : [[name, next]];
  });
  return Array.isArray(value) ? entries.map(([, part]) => part) : Object.fromEntries(entries);
}

function spoil(part: Json, leaf: Json, how: string): Json | undefined {
  if (how === 'drop') return undefined;
  if (how === 'repeat') return Array.from({ length: 300 }, () => part);
  if (how === 'replace' || typeof part !== 'object' || part === null) return leaf;
  return Array.isArray(part) ? [...(part as Json[]), leaf] : { ...(part as JsonObject), titel: leaf };
}

const deep = (depth: number, open: string, close: string): string => open.repeat(depth) + close.repeat(depth);

/** Bodies that no client of good will sends. */
const BODIES: readonly (string | Buffer)[] = [
  '',
  ' ',
  'null',
  '0',
  '"text"',
  '[]',
  '{',
  '{"title":"a",}',
  '{"title":"a","title":"b"}',
  '{"title":NaN}',
  '{"title":1e999}',
  '{"weight":-0}',
  '{"title":"\\ud800"}',
  '{"content":"\\u0000"}',
  '{"content":"a\u0000b"}',
  '{"__proto__":{"isAdmin":true}}',
  '{"constructor":{"prototype":{"isAdmin":true}}}',
  '{"title":"a","__proto__":null}',
  '{"toString":"x","hasOwnProperty":"y"}',
  '{"": 1}',
  `{"title":${deep(20_000, '[', ']')}}`,
  deep(5_000, '{"a":', '}').replace('}', '1}'),
  `{"tags":[${'"a",'.repeat(10_000)}"a"]}`,
  `{${Array.from({ length: 5_000 }, (_, index) => `"k${index}":1`).join(',')}}`,
  `{"content":"${'x'.repeat(400_000)}"}`,
  '\ufeff{"title":"a"}',
  '{"title":"a"}\n{"title":"b"}',
  '{"key":"a"}\n\n{"key":\n{"key":"a","content":5}\nnull\n[]',
  Buffer.from([0xff, 0xfe, 0x00]),
  Buffer.from('{"title":"\xe9"}', 'latin1'),
  Buffer.from('{"title":"a"}', 'utf16le'),
  Buffer.concat([Buffer.from('{"title":"'), Buffer.from([0xed, 0xa0, 0x80]), Buffer.from('"}')]),
  Buffer.from([0x1f, 0x8b, 0x08, 0x00]),
];
export const hostileBodies: fc.Arbitrary<string | Buffer> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...BODIES) },
  { weight: 1, arbitrary: fc.json({ maxDepth: 6 }) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)) },
);

const HEADERS: readonly (readonly [string, readonly string[]])[] = [
  ['if-match', ['', '"', '"1', 'W/"1"', '"1", "2"', '"-1"', '"1e3"', '*, *', '"99999999999999999999"', HUGE]],
  ['if-none-match', ['', 'W/"1"', '"1","2",*', ',,,', HUGE]],
  [
    'accept',
    [
      '',
      'text/html',
      'application/vnd.brain2.v9+json',
      'application/vnd.brain2.v+json',
      '*/*;q=0',
      'image/*',
      HUGE,
    ],
  ],
  ['accept-version', ['1', '3', 'x']],
  ['content-encoding', ['gzip', 'identity', 'br']],
  ['transfer-encoding', ['chunked']],
  ['expect', ['100-continue']],
  ['range', ['bytes=0-1']],
  ['x-correlation-id', ['', 'a b', 'x'.repeat(129), '../..', 'ünsafe']],
  ['traceparent', ['', '00-0-0-0', `00-${'0'.repeat(32)}-${'0'.repeat(16)}-00`, 'x']],
  ['x-forwarded-for', ['127.0.0.1', 'evil']],
  ['x-forwarded-host', ['evil.example']],
  ['x-http-method-override', ['DELETE']],
  ['idempotency-key', ['', 'a', '"a"', HUGE]],
  ['authorization', ['', 'Bearer', 'Bearer x', 'Basic eDp5', `Bearer ${HUGE}`]],
  ['cookie', ['a=b', HUGE]],
  ['content-type', ['application/json; charset=utf-7', 'x', '']],
];
export const hostileHeaders: fc.Arbitrary<Readonly<Record<string, string>>> = fc
  .constantFrom(...HEADERS)
  .chain(([name, values]) => fc.constantFrom(...values).map((value) => ({ [name]: value })));
