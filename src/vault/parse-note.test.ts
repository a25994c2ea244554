import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { assembleVault } from './assemble.ts';
import { parseMarkdown } from './parse-note.ts';
import type { MarkdownFile } from './parse-note.ts';
import type { CategorySource, VaultNote } from './types.ts';
import { writeMarkdown } from './write-markdown.ts';

function read(file: Partial<MarkdownFile>, categories: CategorySource = 'none'): VaultNote {
  const parsed = parseMarkdown({ path: 'a/b.md', text: '', ...file }, categories);
  const note = parsed && assembleVault([parsed]).notes[0];
  if (!note) throw new Error('no note');
  return note;
}

describe('a note', () => {
  test('has the content without frontmatter and mark, with LF line ends, and no other change', () => {
    const text = '\uFEFF---\r\ntitle: T\r\n---\r\n\r\n  a\t \r\nb\rc\u00a0';
    expect(read({ text })).toMatchObject({ title: 'T', content: '\n  a\t \nb\nc\u00a0' });
  });

  test('is named by frontmatter, else by the heading that opens it, else by its file, else by its folder', () => {
    expect(read({ text: '---\ntitle: 2024\n---\n# H' }).title).toBe('2024');
    expect(read({ text: '\n# The **H** [x](y) #\ntext' }).title).toBe('The H x');
    expect(read({ text: 'Under\n=====\n' }).title).toBe('Under');
    expect(read({ text: 'text\n# H' }).title).toBe('b');
    expect(read({ path: 'My Folder/_index.md', text: '' }).title).toBe('My Folder');
    expect(read({ path: 'README.md', text: '' }).title).toBe('README');
    expect(read({ path: 'pages/a___b.md', text: '' }).title).toBe('a/b');
  });

  test('has the tags of its fields and its text, each once', () => {
    const text = '---\ntags: [one, "#Two", "[[no]]"]\nkeywords: k e y, other\n---\n#two #three';
    expect(read({ text }).tags).toEqual(['one', 'Two', 'k e y', 'other', 'three']);
    expect(read({ text: '---\ntags: one two\n---\n' }).tags).toEqual(['one', 'two']);
  });

  test('has aliases that are names, and not the paths of Hugo', () => {
    expect(read({ text: '---\naliases: [One, /old/path, ../x, .NET]\nalias: Two\n---\n' }).aliases).toEqual([
      'One',
      '.NET',
      'Two',
    ]);
  });

  test('takes times from its fields and else from its file', () => {
    const text = '---\ncreated: 1642564062835\nlastmod: 2024-01-02\n---\n';
    expect(read({ text })).toMatchObject({
      createdAt: '2022-01-19T03:47:42.835Z',
      updatedAt: '2024-01-02T00:00:00.000Z',
    });
    expect(read({ text: '', createdMs: 0, updatedMs: 1000.5 })).not.toHaveProperty('createdAt');
    expect(read({ text: '', updatedMs: 1000.5 }).updatedAt).toBe('1970-01-01T00:00:01.000Z');
  });

  test('has a category by folders or frontmatter, at most three deep', () => {
    const text = '---\ncategories: [x/y/z/w, other]\n---\n';
    expect(read({ path: 'a/b/c/d/e.md', text }, 'folders').category).toEqual(['a', 'b', 'c']);
    expect(read({ path: 'e.md', text }, 'folders')).not.toHaveProperty('category');
    expect(read({ text }, 'frontmatter').category).toEqual(['x', 'y', 'z']);
    expect(read({ text: '---\ncategory: a\\/b\n---\n' }, 'frontmatter').category).toEqual(['a/b']);
    expect(read({ text }, 'none')).not.toHaveProperty('category');
  });

  test('of Logseq has its page properties', () => {
    const note = read({ text: 'title:: The Page\nalias:: one, [[two]]\ntags:: #a #b\n\n- text' });
    expect(note).toMatchObject({ title: 'The Page', aliases: ['one', 'two'], tags: ['a', 'b'] });
  });

  test('that is a drawing is none', () => {
    expect(
      parseMarkdown({ path: 'd.md', text: '---\nexcalidraw-plugin: parsed\n---\n{}' }, 'none'),
    ).toBeUndefined();
  });
});

describe('writing', () => {
  const line = fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
    .map((text) => text.replace(/\s+/g, ' ').trim());
  const tricky = fc.constantFrom(
    'null',
    '~',
    'yes',
    '1.10',
    '2024-01-02',
    "it's",
    '"q"',
    'a: b',
    '- x',
    '#h',
    '[x]',
    'a\\b',
    '\u0085x',
    '---',
    'x\u2028y'.replace('\u2028', '\u00ad'),
  );
  const text = fc.oneof(line, tricky).filter((value) => value !== '' && !value.includes('\0'));
  const name = text.filter((value) => !/^[/.#]|,|\[\[/.test(value));
  const titleOf = text.map((value) => value.replace(/\\/g, ''));
  const content = fc
    .string({ unit: 'grapheme' })
    .map((value) => value.replace(/[\r\0]/g, '').replaceAll('#', '♯'));
  const time = fc
    .date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true })
    .map((date) => date.toISOString());
  const note = fc.record(
    {
      key: text,
      title: text,
      content,
      tags: fc.uniqueArray(name, { selector: (tag) => tag.normalize('NFC').toLowerCase(), maxLength: 4 }),
      aliases: fc.uniqueArray(name, { selector: (tag) => tag.normalize('NFC').toLowerCase(), maxLength: 4 }),
      category: fc.array(titleOf.filter(Boolean), { minLength: 1, maxLength: 3 }),
      createdAt: time,
      updatedAt: time,
    },
    { requiredKeys: ['key', 'title', 'content', 'tags', 'aliases'] },
  );

  test('a note written and read again is the same note', () => {
    fc.assert(
      fc.property(note, (written) => {
        const again = read({ text: writeMarkdown(written) }, 'frontmatter');
        expect(again).toEqual({ ...written, path: 'a/b.md', links: [] });
      }),
      { numRuns: 1000 },
    );
  });

  test('a note read from Markdown, written and read again keeps all of its fields', () => {
    const text =
      '---\ntitle: "A: b"\ntags: [x]\naliases: [y]\ncategory: c/d\ndate: 2024-01-02\n---\n# H\n#tag [[Self]]\n';
    const first = read({ text }, 'frontmatter');
    expect(read({ text: writeMarkdown(first) }, 'frontmatter')).toEqual(first);
  });

  test('links that no text carries are kept by key', () => {
    const target = { path: 'x/[odd] name|#.md', text: '# Odd' };
    const source = {
      path: 'a.md',
      text: writeMarkdown({ key: 'a.md', title: 'A', content: '', tags: [], aliases: [] }, [target.path]),
    };
    const parsed = [target, source].flatMap((file) => parseMarkdown(file, 'none') ?? []);
    expect(assembleVault(parsed).notes[1]?.links).toEqual([{ target: target.path, text: 'Odd' }]);
  });
});
