import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { editDistanceWithin } from './edit-distance.ts';
import { WordCutter, type CutWords } from './words.ts';

const keys = (text: string) => new WordCutter().cutPlain(text).keys;

describe('words', () => {
  it.each([
    [
      'plural and singular are one word',
      'Notes note studies study class',
      ['note', 'note', 'study', 'study', 'class'],
    ],
    ['stop words of many languages are none', 'the und avec para który ещё 的', []],
    ['compatibility forms are one word', 'ﬁle ｆｉｌｅ file', ['file', 'file', 'file']],
    ['single letters count only as names', 'x C 7', ['c', '7']],
    ['Russian words are cut to six letters', 'программирование программа', ['програ', 'програ']],
    ['Korean words give syllable pairs', '데이터를 값', ['데이', '이터', '터를', '값']],
    ['Chinese is cut by dictionary', '神经网络', ['神经', '网络']],
    ['signs, emoji and lone surrogates part words', 'a_bc😀xy\ud800fg', ['bc', 'xy', 'fg']],
  ])('%s', (_, text, expected) => {
    expect(keys(text)).toEqual(expected);
  });

  it('every word lies where its offsets say, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const stream = new WordCutter().cutPlain(text);
        stream.keys.forEach((key, at) => {
          expect(stream.starts[at]).toBeLessThan(stream.ends[at]!);
          expect(stream.ends[at]).toBeLessThanOrEqual(text.length);
          expect(key).not.toBe('');
        });
      }),
    );
  });

  it('those that are looked for are found as among all', () => {
    const anyWord = fc.oneof(
      fc.constantFrom(
        'Cats',
        'cat',
        'C',
        'the',
        '7',
        '70s',
        'café',
        'Äpfel',
        '睡眠',
        '데이터',
        'чая',
        'ﬁle',
        'x'.repeat(60),
      ),
      fc.string({ maxLength: 5 }),
    );
    const anyText = fc.array(anyWord, { maxLength: 12 }).map((list) => list.join(' '));
    const cutter = new WordCutter();
    const places = (text: string, wanted: ReadonlySet<string>, cut: CutWords): string[] =>
      Array.from({ length: cut.count }, (_, at) => at)
        .filter((at) => wanted.has(cutter.keyOf(cut.numbers[at]!)))
        .map((at) => `${cut.starts[at]}-${cut.ends[at]} ${text.slice(cut.starts[at], cut.ends[at])}`);
    fc.assert(
      fc.property(anyText, anyText, (text, query) => {
        const wanted = new Set(keys(query));
        const among = places(text, wanted, cutter.numberMarkdown(text));
        expect(places(text, wanted, cutter.numberWanted(text, wanted))).toEqual(among);
      }),
    );
  });

  it.each([
    [undefined, 250_000],
    [10, 25],
  ])('what was read before changes no answer, with room for %s words', (mostWords, before) => {
    const used = new WordCutter(mostWords === undefined ? {} : { mostWords });
    for (let at = 0; at < before; at++) used.cutPlain(`filler${at}`);
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(used.cutPlain(text).keys).toEqual(keys(text));
      }),
    );
  });
});

describe('edit distance', () => {
  it('counts insertions, deletions, changes and swaps of neighbours', () => {
    expect(editDistanceWithin('kubernetes', 'kuberentes', 1)).toBe(true);
    expect(editDistanceWithin('container', 'contaner', 1)).toBe(true);
    expect(editDistanceWithin('container', 'contianre', 2)).toBe(true);
    expect(editDistanceWithin('container', 'contianre', 1)).toBe(false);
    expect(editDistanceWithin('', 'abc', 2)).toBe(false);
  });
});
