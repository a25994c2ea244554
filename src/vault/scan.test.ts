import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { scanMarkdown } from './scan.ts';

const targets = (text: string): string[] => scanMarkdown(text).links.map((link) => link.target);
const texts = (text: string): string[] => scanMarkdown(text).links.map((link) => link.text);

describe('links', () => {
  test.each([
    ['a [[Note]] b', ['Note']],
    ['[[Note|label]] [[Note#Heading]] [[Note^block]]', ['Note|label', 'Note#Heading', 'Note^block']],
    ['![[Note]]', ['Note']],
    ['| [[Note\\|label]] |', ['Note\\|label']],
    ['[[[Note]]]', ['Note']],
    ['#[[Two Words]]', ['Two Words']],
    ['[t](a.md)', ['a.md']],
    ['[t](<my note.md> "title")', ['my note.md']],
    ["[t](a.md 'title') [t](a.md (title))", ['a.md', 'a.md']],
    ['[t](a_(b).md)', ['a_(b).md']],
    ['[t](My Note.md)', ['My Note.md']],
    ['[a [b] c](d.md)', ['d.md']],
    ['[![alt](i.png)](d.md)', ['d.md']],
    ['[`a[0]`](d.md)', ['d.md']],
    ['[label]([[Page]])', ['Page']],
    ['[t][Ref] [Ref][] [ref]\n\n[REF]: a.md', ['a.md', 'a.md', 'a.md']],
    ['[a\n b][]\n\n[A  b]: <x y.md> "title"', ['x y.md']],
    ['{{< ref "a/b.md" >}} {{% relref `c` %}} {{<ref d>}}', ['a/b.md', 'c', 'd']],
    ['[t]({{< ref "a.md" >}})', ['a.md']],
  ])('%j holds %j', (text, expected) => {
    expect(targets(text)).toEqual(expected);
  });

  test.each([
    '`[[Note]]`',
    '``[[Note]] ` [[Note]]``',
    '```\n[[Note]]\n```',
    '~~~~ md\n[[Note]]\n~~~\n[[Note]]\n~~~~',
    '```\n[[Note]] in a fence that never ends',
    '- ```js\n  [[Note]]\n  ```',
    '> ```\n> [[Note]]\n> ```',
    '<!-- [[Note]] -->',
    '%% [[Note]]\n[a](b.md) %%',
    '\\[[Note]] \\[t](a.md)',
    '![alt](a.md) ![alt][ref]\n\n[ref]: a.md',
    '[[a\nb]] [[]] [[a]b]]',
    '[t] [x]: y\n\n[t2]: a.md',
    '{{</* ref "a" */>}}',
    '<https://a.b/[[Note]]>',
  ])('%j holds none', (text) => {
    expect(targets(text)).toEqual([]);
  });

  test('what was code or a comment ends where its block ends', () => {
    expect(targets('a ` b\n\n[[One]] `\n\n- ` [[Two]]\n- ` [[Three]]')).toEqual(['One', 'Two', 'Three']);
    expect(targets('- ```\n  [[No]]\n\nout [[Yes]]')).toEqual(['Yes']);
    expect(targets('> ```\n> [[No]]\n\nout [[Yes]]')).toEqual(['Yes']);
    expect(targets('<!-- [[Yes]]\n```\n-->\n```\n')).toEqual(['Yes']);
    expect(targets('<!-- [[Yes]] and 50%% [[Too]]')).toEqual(['Yes', 'Too']);
  });

  test('the text is what a reader sees', () => {
    expect(texts('[**b** `c` [x](y) \\* z](a.md)')).toEqual(['x', 'b c x * z']);
    expect(texts('[a\n  b](a.md)')).toEqual(['a b']);
  });

  test('brackets that are both a wikilink and a link give both, the first as a guess', () => {
    expect(scanMarkdown('[[1]](a.md)').links).toMatchObject([
      { kind: 'wiki', target: '1', tentative: true },
      { kind: 'url', target: 'a.md' },
    ]);
  });
});

describe('tags', () => {
  test.each([
    ['#one and #two/three, (#no) a#no ##no # no', ['one', 'two/three']],
    ['#123 #1-2 #y2024', ['y2024']],
    ['`#no`\n```\n#no\n```\n<!-- #no -->', []],
    ['# Heading\n#día #日本 #stage.seed.', ['día', '日本', 'stage.seed']],
    ['[t](#no) https://a.b/#no [x]( #no )', []],
    ['#[[two words]] #tail/', ['two words', 'tail']],
  ])('%j has %j', (text, expected) => {
    expect(scanMarkdown(text).tags).toEqual(expected);
  });
});

describe('the scanner is linear', () => {
  const SIZE = 1_000_000; // what is quadratic takes minutes
  const pieces = [
    '[',
    '[[',
    '![',
    '(',
    ']',
    ']]',
    '`',
    '` `` ',
    '<!--',
    '%%',
    '[a](',
    '[a](<',
    '[a](b "',
    '[a](b (',
    '[a](b(c',
    '[a](b [a](b ',
    '[[a',
    '[[a|',
    '![[a]]',
    '[a][',
    '[a][b',
    '{{< ref "',
    '{{<',
    '\\',
    '#a/',
    '#[[a',
    '> ',
    '- ',
    '1. ',
    '```',
    '\n```\n',
    '\n- ```\n',
    '\n[a]: b',
    '\n[a]: b "',
    '<http',
    '/',
    ' ',
    '\n#',
    '\n> ~~~',
    '* `',
  ];
  test.each(pieces)('%j repeated to a megabyte is scanned in seconds', (piece) => {
    const defined = '[a]: b\n\n[b]: c\n\n';
    for (const text of [
      piece.repeat(SIZE / piece.length),
      defined + piece.repeat(SIZE / piece.length) + 'x',
    ]) {
      const start = performance.now();
      scanMarkdown(text);
      expect(performance.now() - start).toBeLessThan(4000);
    }
  });

  test('backtick runs of every length, none of which closes, are scanned in seconds', () => {
    const text = Array.from({ length: 1400 }, (_, index) => '`'.repeat(index + 1)).join(' x ');
    const start = performance.now();
    scanMarkdown(text);
    expect(performance.now() - start).toBeLessThan(4000);
  });

  test('any soup of markup is scanned, and offsets of links rise within their kind', () => {
    const soup = fc.array(fc.constantFrom(...pieces, 'x', '\n\n', ')', ']]', ' [[x]] ', '-->'), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(soup, (parts) => {
        const text = parts.join('');
        for (const link of scanMarkdown(text).links) {
          expect(link.offset).toBeGreaterThanOrEqual(0);
          expect(link.offset).toBeLessThan(text.length);
          expect('[!{'.includes(text.charAt(link.offset))).toBe(true);
        }
      }),
      { numRuns: 2000 },
    );
  });

  test('links written between text without markup are all found', () => {
    const name = fc.stringMatching(/^[a-z0-9 ]{1,8}$/);
    const plain = fc.stringMatching(/^[a-zA-Z .,;:'"\n-]{0,20}$/);
    fc.assert(
      fc.property(fc.array(fc.tuple(plain, name)), (parts) => {
        const text = parts.map(([before, target]) => `${before}[[${target}]]`).join(' ');
        expect(targets(text)).toEqual(parts.map(([, target]) => target));
      }),
    );
  });
});
