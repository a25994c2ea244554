import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anyText } from '../../test/support/arbitraries.ts';
import { isBrainError } from './error.ts';
import { LIMITS } from './limits.ts';
import * as value from './values.ts';

/** What the factory gives, or undefined where it refuses with `invalid`. Anything else that is thrown is a bug. */
function parsed<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (isBrainError(error, 'invalid') && error.issues.length > 0) return undefined;
    throw error;
  }
}

const TEXTS: Readonly<Record<string, (text: string) => string>> = {
  title: value.title,
  categoryTitle: value.categoryTitle,
  description: value.description,
  icon: value.icon,
  tag: value.tag,
  content: value.content,
  ownerId: value.ownerId,
  nodeId: value.nodeId,
  color: value.color,
  instant: value.instant,
};

const shaped = fc.oneof(
  anyText,
  fc.uuid().map((id) => id.toUpperCase()),
  fc.stringMatching(/^#[0-9a-fA-F]{6}$/),
  fc.date().map((date) => (Number.isNaN(date.getTime()) ? '' : date.toISOString())),
);

describe('a value object', () => {
  test.each(Object.keys(TEXTS))(
    'of kind %s gives a parsed value back unchanged, or refuses the text',
    (kind) => {
      const parse = TEXTS[kind] ?? value.title;
      let kept = 0;
      const property = fc.property(shaped, (text) => {
        const once = parsed(() => parse(text));
        if (once === undefined) return;
        kept += 1;
        expect(parse(once)).toBe(once);
        expect(once.isWellFormed()).toBe(true);
        expect(once).not.toContain('\0');
      });
      fc.assert(property, { numRuns: 2_000 });
      expect(kept).toBeGreaterThan(20);
    },
  );

  test('of one line has no control character, no white space at its ends and none that is folded', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const line = parsed(() => value.title(text)) ?? '';
        expect(line).toBe(line.trim());
        expect(line).not.toMatch(/\s\s|[^\S ]/);
        expect(line).toBe(line.normalize('NFC'));
      }),
    );
    expect(value.title(' a\t\n b\u2003c ')).toBe('a b c');
    expect(value.title('e\u0301')).toBe('é');
  });

  test.each(['\ud800', 'a\udc00b', '😀'.slice(0, 1), '\0', 'a\u0007'])('of one line refuses %j', (text) => {
    expect(parsed(() => value.title(text))).toBeUndefined();
    expect(parsed(() => value.tag(text))).toBeUndefined();
    expect(parsed(() => value.description(text))).toBeUndefined();
  });
});

describe('content', () => {
  test('is kept to the letter, but for line ends', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const kept = parsed(() => value.content(text));
        expect(kept === undefined).toBe(!text.isWellFormed() || text.includes('\0'));
        expect(kept ?? '').toBe(
          kept === undefined ? '' : text.replaceAll('\r\n', '\n').replaceAll('\r', '\n'),
        );
      }),
    );
  });

  test.each([
    ['letters', 'x', 1],
    ['letters of two bytes', 'é', 2],
    ['emoji', '😀', 4],
    ['what JSON escapes', '"', 2],
    ['control characters', '\u0001', 6],
  ])('of %s is measured in the bytes that are stored', (_what, unit, bytes) => {
    const most = Math.floor(LIMITS.contentBytes / bytes);
    expect(value.content(unit.repeat(most))).toHaveLength(unit.length * most);
    expect(() => value.content(unit.repeat(most + 1))).toThrow('at most 300000');
  });
});

describe('a tag', () => {
  test.each([
    ['sleep', 'sleep'],
    ['#sleep', 'sleep'],
    ['##Sleep ', 'Sleep'],
    ['# #sleep', 'sleep'],
    [' # a  b#c', 'a b#c'],
  ])('%j is kept as %j', (text, tag) => {
    expect(value.tag(text)).toBe(tag);
  });

  test.each(['', ' ', '#', ' # ', '# #', 'x'.repeat(101)])('%j is refused', (text) => {
    expect(() => value.tag(text)).toThrow('a tag has 1 to 100 characters');
  });

  test('is one with its other spellings; the first is kept', () => {
    expect(value.tags(['Sleep', '#sleep', 'SLEEP', 'a'])).toEqual(['Sleep', 'a']);
    // J with caron has no letter of its own, its small form has: both spell one tag.
    expect(value.tags(['J\u030c', '\u01f0'])).toEqual(['J\u030c']);
  });

  test('is refused by its place, and the 33rd different one too', () => {
    expect(() => value.tags(['a', '#'])).toThrow(
      expect.objectContaining({ issues: [expect.objectContaining({ pointer: '/1' })] }),
    );
    const many = Array.from({ length: LIMITS.tags }, (_, i) => `t${i}`);
    expect(value.tags([...many, 'T0'])).toHaveLength(LIMITS.tags);
    expect(() => value.tags([...many, 'more'])).toThrow('at most 32 tags');
  });
});

describe('an owner', () => {
  test.each(['a', 'Alice.B_c@d|e:f-9', 'a'.repeat(128)])('%j is one', (text) => {
    expect(value.ownerId(text)).toBe(text);
  });

  test.each(['', 'a#N', '#', 'a b', 'a\n', '-a', 'é', 'a'.repeat(129)])(
    '%j is none: it could spell a key',
    (text) => {
      expect(() => value.ownerId(text)).toThrow('an owner is');
    },
  );
});

describe('a weight', () => {
  test.each([0, 0.5, 1, Number.MIN_VALUE])('may be %d', (weight) => {
    expect(value.weight(weight)).toBe(weight);
  });

  test.each([-Number.MIN_VALUE, 1 + Number.EPSILON, Number.NaN, Number.POSITIVE_INFINITY])(
    'may not be %d',
    (weight) => {
      expect(() => value.weight(weight)).toThrow('from 0 to 1');
    },
  );
});

describe('an instant', () => {
  test('sorts as text in the order of time', () => {
    const valid = fc.date({
      min: new Date('0000-01-01T00:00:00Z'),
      max: new Date('9999-12-31T23:59:59Z'),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(valid, valid, (a, b) => {
        const order = value.instant(a) < value.instant(b);
        expect(order).toBe(a.getTime() < b.getTime());
      }),
    );
    expect(value.instant('2026-01-02T03:04:05+02:00')).toBe('2026-01-02T01:04:05.000Z');
  });

  test.each([
    '',
    'never',
    '2026-13-01',
    '2026-02-30',
    '2026-02-29T12:00:00Z',
    '+012026-01-01T00:00:00Z',
    Number.NaN,
    8.64e15,
  ])('may not be %j', (text) => {
    expect(() => value.instant(text)).toThrow('not a date');
  });

  test('may be of the last of February in a leap year, at any hour of any zone', () => {
    expect(value.instant('2024-02-29T23:30:00-05:00')).toBe('2024-03-01T04:30:00.000Z');
    expect(value.instant('0000-02-29')).toBe('0000-02-29T00:00:00.000Z');
  });
});
