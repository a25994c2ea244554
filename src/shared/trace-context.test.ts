import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  formatTraceParent,
  parseTraceParent,
  parseTraceState,
  randomSpanId,
  randomTraceId,
} from './trace-context.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

const hex = (length: number) =>
  fc.stringMatching(new RegExp(`^[0-9a-f]{${length}}$`)).filter((id) => !/^0+$/.test(id));

describe('traceparent', () => {
  test.each([
    ['00', '01', '', true],
    ['00', '00', '', false],
    ['00', 'ff', '', true], // flags that are not known yet are left alone
    ['00', '02', '', false],
    ['01', '01', '', true],
    ['cc', '01', '-what-the-future-will-be-like', true],
  ])('of version %s with flags %s and "%s" is taken', (version, flags, rest, isSampled) => {
    expect(parseTraceParent(`${version}-${TRACE}-${SPAN}-${flags}${rest}`)).toEqual({
      traceId: TRACE,
      parentId: SPAN,
      isSampled,
    });
  });

  test.each([
    ['that is not there', undefined],
    ['of nothing', ''],
    ['of version ff', `ff-${TRACE}-${SPAN}-01`],
    ['of version 00 with more after the flags', `00-${TRACE}-${SPAN}-01-extra`],
    ['of version 00 with a dash after the flags', `00-${TRACE}-${SPAN}-01-`],
    ['of a version to come, with more that no dash divides', `cc-${TRACE}-${SPAN}-01.more`],
    ['of a trace of zeros', `00-${'0'.repeat(32)}-${SPAN}-01`],
    ['of a parent of zeros', `00-${TRACE}-${'0'.repeat(16)}-01`],
    ['in upper case', `00-${TRACE.toUpperCase()}-${SPAN}-01`],
    ['in flags of upper case', `00-${TRACE}-${SPAN}-0A`],
    ['with a short trace', `00-${TRACE.slice(1)}-${SPAN}-01`],
    ['with a long parent', `00-${TRACE}-${SPAN}0-01`],
    ['with one digit of flags', `00-${TRACE}-${SPAN}-1`],
    ['with blanks around it', ` 00-${TRACE}-${SPAN}-01 `],
    ['sent twice', `00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`],
    ['with letters that are no digits', `00-${'x'.repeat(32)}-${SPAN}-01`],
    ['with a line after it', `00-${TRACE}-${SPAN}-01\n`],
  ])('%s is as if it were not there', (_what, header) => {
    expect(parseTraceParent(header)).toBeUndefined();
  });

  test('that we send is read back as it was', () => {
    fc.assert(
      fc.property(hex(32), hex(16), fc.boolean(), (traceId, spanId, isSampled) => {
        expect(parseTraceParent(formatTraceParent({ traceId, spanId, isSampled }))).toEqual({
          traceId,
          parentId: spanId,
          isSampled,
        });
      }),
    );
  });

  test('is never read from any other text, and reading it never throws', () => {
    const valid = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?$/;
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.stringMatching(/^[0-9a-f]{2}-[0-9a-f]{31,33}-[0-9a-f]{16}-[0-9a-f]{2}.?$/)),
        (text) => {
          const read = parseTraceParent(text) !== undefined;
          expect(read).toBe(valid.test(text) && !(text.startsWith('00') && text.length > 55));
        },
      ),
    );
  });
});

describe('tracestate', () => {
  test.each([
    ['rojo=00f067aa0ba902b7,congo=t61rcWkgMzE', 'rojo=00f067aa0ba902b7,congo=t61rcWkgMzE'],
    ['a=1 ,\tb=2,', 'a=1,b=2'],
    ['fw529a3039@dt=FfD', 'fw529a3039@dt=FfD'],
    ['1tenant@system=x y', '1tenant@system=x y'],
  ])('"%s" is passed on', (header, passedOn) => {
    expect(parseTraceState(header)).toBe(passedOn);
  });

  test.each([
    ['a key twice', 'a=1,a=2'],
    ['a key in upper case', 'A=1'],
    ['no value', 'a='],
    ['no key', '=1'],
    ['an equals sign in a value', 'a=b=c'],
    ['a control character', 'a=\u0001'],
    ['33 members', Array.from({ length: 33 }, (_, at) => `k${at}=1`).join(',')],
    ['more than 512 characters', `a=${'x'.repeat(511)}`],
    ['nothing', ''],
    ['not being there', undefined],
  ])('with %s is dropped whole', (_what, header) => {
    expect(parseTraceState(header)).toBeUndefined();
  });
});

test('ids of our own are of the right form, and no two are alike', () => {
  const traces = new Set(Array.from({ length: 1_000 }, randomTraceId));
  const spans = new Set(Array.from({ length: 1_000 }, randomSpanId));
  expect([traces.size, spans.size]).toEqual([1_000, 1_000]);
  expect([...traces].every((id) => /^[0-9a-f]{32}$/.test(id))).toBe(true);
  expect([...spans].every((id) => /^[0-9a-f]{16}$/.test(id))).toBe(true);
});
