import { describe, expect, it } from 'vitest';
import { WordCutter } from '../linking/words.ts';
import { snippetOf } from './snippet.ts';

const cutter = new WordCutter();
const FAR = 'and so on, for a while, without a word of it; '.repeat(10);

/** The highlighted words of the snippet for what was searched. */
function marked(content: string, query: string): readonly string[] {
  const { text, highlights } = snippetOf(content, cutter.cutPlain(query).keys, cutter);
  return highlights.map(([start, end]) => text.slice(start, end));
}

describe('a snippet', () => {
  it.each([
    ['cats', `${FAR}The cat sat by other Cats.`, ['cat', 'Cats']],
    ['Story', `${FAR}Two stories, one story.`, ['stories', 'story']],
    ['человека', `${FAR}Он говорил с человеком.`, ['человеком']],
    ['睡眠', `${FAR}深い睡眠。`, ['睡眠']],
    ['#sleep', `${FAR}Of sleep.`, ['sleep']],
  ])('is around a word in whatever form it stands there: %s', (query, content, words) => {
    expect(marked(content, query)).toEqual(words);
  });

  it('marks whole words, and not a part of another', () => {
    expect(marked('Start with art, artful or smart; arts too.', 'art')).toEqual(['art', 'arts']);
  });

  it('is the same wherever in its note the word stands', () => {
    for (const before of [0, 150, 190, 199, 200, 201, 340, 390, 399, 400, 401, 3_100, 3_300, 30_000]) {
      const content = `${'x '.repeat(before / 2)}tide, tides ${'x '.repeat(300)}`;
      expect(marked(content, 'tide')).toEqual(['tide', 'tides']);
    }
    expect(marked(`${'x '.repeat(60_000)}tide`, 'tide')).toEqual([]);
  });

  it('is the start of the note where only its title has the words', () => {
    expect(snippetOf('Nothing of it here.', ['tide'], cutter)).toEqual({
      text: 'Nothing of it here.',
      highlights: [],
    });
  });
});
