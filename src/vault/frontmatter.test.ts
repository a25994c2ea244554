import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { readDate } from './fields.ts';
import { readFullYaml, splitFrontmatter } from './frontmatter.ts';
import { parseSimpleYaml } from './simple-yaml.ts';

describe('the fast reader of YAML', () => {
  const word = fc.stringMatching(/^[A-Za-z0-9_ .:,/#'"~\-[\]{}&*!|>%@`\\é日=?+()]{0,12}$/);
  const key = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9 _-]{0,6}$/);
  const line = fc.oneof(
    fc.tuple(key, word).map(([name, value]) => `${name}: ${value}`),
    fc.tuple(key, fc.array(word, { maxLength: 3 })).map(([name, items]) => `${name}: [${items.join(', ')}]`),
    fc
      .tuple(key, fc.array(word, { maxLength: 3 }))
      .map(([name, items]) => [`${name}:`, ...items.map((item) => `  - ${item}`)].join('\n')),
    fc
      .tuple(key, fc.array(word, { maxLength: 2 }))
      .map(([name, items]) => [`${name}:`, ...items.map((item) => `- ${item}`)].join('\n')),
    fc.tuple(key, word).map(([name, value]) => `${name}: "${value}"`),
    fc.tuple(key, word).map(([name, value]) => `${name}: '${value}'`),
    key.map((name) => `${name}:`),
    fc.constantFrom(
      '',
      '   ',
      '# a comment',
      '  indented',
      'a: null',
      'a: ~',
      'b: 2024-01-01',
      'c: 1.10',
      'null: x',
      '- x',
    ),
    word,
  );

  test('agrees with the library wherever it gives an answer', () => {
    let answered = 0;
    fc.assert(
      fc.property(fc.array(line, { maxLength: 5 }), (lines) => {
        const source = lines.join('\n');
        const simple = parseSimpleYaml(source);
        if (!simple) return;
        answered++;
        expect(readFullYaml(source)).toEqual({ fields: simple });
      }),
      { numRuns: 10_000 },
    );
    expect(answered).toBeGreaterThan(500);
  });

  test('answers for what notes usually hold', () => {
    const source = 'title: A: b\ntags: [a, b]';
    expect(parseSimpleYaml(source)).toBeUndefined();
    expect(
      parseSimpleYaml('title: "A: b"\ntags:\n  - a\n  - b/c\ndate: 2024-01-01T10:00:00\nempty:'),
    ).toEqual(
      new Map<string, unknown>([
        ['title', 'A: b'],
        ['tags', ['a', 'b/c']],
        ['date', '2024-01-01T10:00:00'],
        ['empty', null],
      ]),
    );
  });
});

describe('splitting', () => {
  test('takes YAML and TOML off the body and counts its lines', () => {
    expect(splitFrontmatter('---\na: b\n---\nbody\n')).toMatchObject({ body: 'body\n', bodyLine: 3 });
    expect(splitFrontmatter('---\n---\nbody')).toMatchObject({ body: 'body', bodyLine: 2 });
    const toml = splitFrontmatter(
      '+++\ntitle = "T"\ndate = 2024-01-02T03:04:05Z\ntags = ["a"]\nn = 1\n+++\nbody',
    );
    expect(toml.body).toBe('body');
    expect([...toml.fields]).toEqual([
      ['title', 'T'],
      ['date', '2024-01-02T03:04:05.000Z'],
      ['tags', ['a']],
      ['n', '1'],
    ]);
  });

  test('a rule at the top is not frontmatter', () => {
    expect(splitFrontmatter('---\n\nbody')).toMatchObject({ body: '---\n\nbody', bodyLine: 0 });
    expect(splitFrontmatter('----\na: b\n---\n').body).toBe('----\na: b\n---\n');
  });

  test.each([
    ['---\ntitle: Part 2: the end\ntags: [a\n---\nbody', 2],
    ['---\nok: 1\nbad: [1, 2\n---\nbody', 4],
    ['---\n- a\n- b\n---\nbody', 2],
    ['---\ntitle: never closed\nbody', 1],
    ['+++\nok = 1\nbad = \n+++\nbody', 3],
  ])('broken frontmatter %j loses no text and names its line', (text, line) => {
    const split = splitFrontmatter(text);
    expect(split.body).toBe(text);
    expect(split.problem?.line).toBe(line);
  });

  test('the title of a broken block is kept', () => {
    const split = splitFrontmatter('---\ntitle: Part 2: the end\n---\nbody');
    expect(split.fields.get('title')).toBe('Part 2: the end');
  });

  test('no text is lost whatever it is', () => {
    const soup = fc.array(
      fc.constantFrom('---', '+++', '...', '\n', 'a: b', 'a = 1', ': ', '- ', '[', '"', 'x'),
    );
    fc.assert(
      fc.property(soup, (parts) => {
        const text = parts.join('');
        const split = splitFrontmatter(text);
        expect(text.endsWith(split.body)).toBe(true);
        const block = text.slice(0, text.length - split.body.length);
        expect(
          block
            .replace(/^(?:---|\+\+\+)\s*/, '')
            .replace(/(?:---|\+\+\+|\.\.\.)\s*$/, '')
            .trim(),
        ).toBe(split.source.trim());
      }),
    );
  });

  const aliases = Array.from(
    { length: 9 },
    (_, i) => `b${i}: &${'bcdefghij'[i]} [${`*${'abcdefghi'[i]},`.repeat(9)}]`,
  );
  test.each([
    ['a bomb of aliases', `x: &a [1,1,1,1,1,1,1,1,1]\n${aliases.join('\n')}`],
    ['a circle of aliases', 'tags: &a [*a]'],
    ['deep brackets', `a: ${'['.repeat(60_000)}`],
    ['deep keys', Array.from({ length: 300 }, (_, i) => `${' '.repeat(i)}a:`).join('\n')],
    ['a megabyte', `a: ${'x: '.repeat(400_000)}`],
    ['many quotes', `a: ${'"'.repeat(60_000)}`],
  ])('%s does not hang', (_, source) => {
    const start = performance.now();
    splitFrontmatter(`---\n${source}\n---\nbody`);
    expect(performance.now() - start).toBeLessThan(2000);
  });
});

describe('dates', () => {
  test.each([
    ['2024-01-02', '2024-01-02T00:00:00.000Z'],
    ['2024-1-2', '2024-01-02T00:00:00.000Z'],
    ['2024/01/02', '2024-01-02T00:00:00.000Z'],
    ['2001-12-14t21:59:43.10-05:00', '2001-12-15T02:59:43.100Z'],
    ['2001-12-14 21:59:43.10 -5', '2001-12-15T02:59:43.100Z'],
    ['2024-01-02 10:30', '2024-01-02T10:30:00.000Z'],
    ['2024-01-02T10:30:00+0530', '2024-01-02T05:00:00.000Z'],
    ['1642564062835', '2022-01-19T03:47:42.835Z'],
    ['1642564062', '2022-01-19T03:47:42.000Z'],
  ])('%s is %s', (text, expected) => {
    expect(readDate(text)).toBe(expected);
  });

  test.each([
    '',
    'yesterday',
    '{{date}}',
    '2024-13-01',
    '2024-02-30',
    '2024-01-02 25:00',
    '12',
    '2024-01-02 nonsense',
  ])('%j is no date', (text) => {
    expect(readDate(text)).toBeUndefined();
  });
});
