import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { visibleRanges } from './visible-text.ts';
import { WordCutter } from './words.ts';

function visible(text: string): string {
  const ranges = visibleRanges(text);
  let kept = '';
  for (let at = 0; at < ranges.length; at += 2) kept += text.slice(ranges[at], ranges[at + 1]);
  return kept;
}

describe('visible text', () => {
  it.each([
    ['comments', 'a <!-- b --> c %% d %% e', 'a  c  e'],
    ['an unclosed comment stays', 'a <!-- b', 'a <!-- b'],
    ['tags', 'a <b class="x">c</b> d<br/>', 'a c d'],
    ['a smaller-than sign stays', 'a < b > c', 'a < b > c'],
    ['addresses', 'see https://x.example/a_b?c=d, then', 'see  then'],
    ['link targets', '[label](target.md "title") after', '[label after'],
    ['parentheses in a target', '[set](Set_(mathematics)) after', '[set after'],
    ['reference definitions', '[ref]: ../some/path.md\nafter', '[ref\nafter'],
    ['wiki targets with a label', '[[target|label]] x', 'label]] x'],
    ['wiki targets without', '[[target]] x', '[[target]] x'],
    ['entities', 'a&nbsp;b &amp; c & d', 'ab  c & d'],
    ['code', '`vector<int>` [[a|b]]', '`vector<int>` b]]'],
    ['fences', '```js\na <b> [[c|d]]\n```\n<i>', '```js\na <b> [[c|d]]\n```\n'],
  ])('%s', (_, text, expected) => {
    expect(visible(text)).toBe(expected);
  });

  it('ranges rise and lie within any text', () => {
    const pieces = fc.constantFrom(
      '<',
      '>',
      '<!--',
      '-->',
      '%%',
      '[[',
      ']]',
      '|',
      '](',
      ')',
      '`',
      '```\n',
      '\n',
      'a',
      '://',
      '&',
      ';',
      ' ',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 40 }), (list) => {
        const text = list.join('');
        const ranges = [0, ...visibleRanges(text), text.length];
        expect(ranges).toEqual([...ranges].sort((a, b) => a - b));
      }),
    );
  });

  it.each([
    '<a',
    '<!--',
    '%% ',
    '[[',
    '[[a|',
    '](',
    '](a(',
    '`',
    '` ``',
    '```\n',
    '&#a',
    'a://',
    '[x]: ',
    '<!--%%[[](`',
  ])('a megabyte of %j is read in one pass', (piece) => {
    const text = piece.repeat(1_000_000 / piece.length);
    expect(new WordCutter().cutMarkdown(text).keys.length).toBeLessThanOrEqual(text.length);
  });
});
