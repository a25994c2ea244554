import { describe, expect, test } from 'vitest';

import { assembleVault } from './assemble.ts';
import { parseMarkdown } from './parse-note.ts';

/** Reads notes by path and gives, for each with links, the paths that they lead to. */
function vault(files: Readonly<Record<string, string>>) {
  const parsed = Object.entries(files).flatMap(([path, text]) => parseMarkdown({ path, text }, 'none') ?? []);
  const { notes, problems } = assembleVault(parsed);
  const links = notes.filter((note) => note.links.length > 0);
  return {
    links: Object.fromEntries(links.map((note) => [note.key, note.links.map((link) => link.target)])),
    texts: links.flatMap((note) => note.links.map((link) => link.text)),
    problems,
    notes,
  };
}

describe('wikilinks', () => {
  test('go by file name without case and in NFC, the same folder first, then the shortest path', () => {
    const files = { 'x/y/note.md': '', 'x/note.md': '', 'z/note.md': '', 'z/Café.md': '' };
    expect(vault({ ...files, 'z/a.md': '[[NOTE]]' }).links).toEqual({ 'z/a.md': ['z/note.md'] });
    expect(vault({ ...files, 'q.md': '[[Note]] [[cafe\u0301]]' }).links).toEqual({
      'q.md': ['x/note.md', 'z/Café.md'],
    });
  });

  test('may hold a path, whole, from its end, or relative', () => {
    const files = { 'b/c.md': '', 'a/b/c.md': '', 'd/c.md': '' };
    expect(vault({ ...files, 'x.md': '[[b/c]]' }).links).toEqual({ 'x.md': ['b/c.md'] });
    expect(vault({ ...files, 'x.md': '[[a/b/c.md]] [[/d/c]]' }).links).toEqual({
      'x.md': ['a/b/c.md', 'd/c.md'],
    });
    expect(vault({ ...files, 'd/x.md': '[[./c]] [[../b/c]]' }).links).toEqual({
      'd/x.md': ['d/c.md', 'b/c.md'],
    });
  });

  test('keep label, heading and block out of the name', () => {
    const found = vault({
      'n.md': '',
      'm.md': '',
      'o.md': '',
      'C#.md': '',
      'C.md': '',
      'x.md': '[[n#h|L]] ![[m^b]] [[o\\|P]] [[C#]]',
    });
    expect(found.links).toEqual({ 'x.md': ['n.md', 'm.md', 'o.md', 'C#.md'] });
    expect(found.texts).toEqual(['L', 'm b', 'P', 'C']);
  });

  test('of Dendron have the label first and may name their vault', () => {
    const files = { 'v/a.b.md': '', 'v/label.md': '', 'v/c.md': '' };
    const text = '[[Some Label|a.b]] [[dendron://v/c#h]] [[label|gone.note]]';
    const found = vault({ ...files, 'v/x.md': text });
    expect(found.links).toEqual({ 'v/x.md': ['v/a.b.md', 'v/c.md', 'v/label.md'] });
    expect(
      vault({ 'v/a.md': '---\ntitle: Config\n---', 'v/x.md': '[[config|dendron://v/gone]]' }).links,
    ).toEqual({});
  });

  test('go by title, then alias, then folder, where no file has the name', () => {
    const files = {
      'a.md': '---\ntitle: The Title\naliases: [Other]\n---',
      'b.md': '---\naliases: [The Title]\n---',
      'f/index.md': '',
    };
    const found = vault({ ...files, 'x.md': '[[the title]] [[other]] [[F]]' });
    expect(found.links).toEqual({ 'x.md': ['a.md', 'f/index.md'] });
  });

  test('count in frontmatter, quoted or not', () => {
    const text = '---\nup: "[[a|A]]"\nrelated: [[b]]\n---\n';
    expect(vault({ 'a.md': '', 'b.md': '', 'x.md': text }).links).toEqual({ 'x.md': ['a.md', 'b.md'] });
  });

  test('of Logseq find the namespace in the file name', () => {
    expect(vault({ 'pages/a___b.md': '', 'x.md': '[[a/b]]' }).links).toEqual({ 'x.md': ['pages/a___b.md'] });
  });
});

describe('Markdown links', () => {
  test('are relative to the note, decoded, with or without extension, anchor and slash', () => {
    const files = { 'a/my note.md': '', 'b.md': '', 'a/c/d.md': '', 'a/e.md': '' };
    const text = '[](my%20note.md) [](<my note>) [](../b.md#x) [](c/d/) [](./e.html?q) [](E.MD)';
    expect(vault({ ...files, 'a/x.md': text }).links).toEqual({
      'a/x.md': ['a/my note.md', 'b.md', 'a/c/d.md', 'a/e.md'],
    });
  });

  test('to a folder lead to its index, _index or README', () => {
    const files = {
      'a/README.md': '',
      'b/_index.md': '',
      'b/README.md': '',
      'c/index.md': '',
      'd.md': '',
      'd/index.md': '',
    };
    expect(vault({ ...files, 'x.md': '[](a/) [](b) [](c/index.md) [](d)' }).links).toEqual({
      'x.md': ['a/README.md', 'b/_index.md', 'c/index.md', 'd.md'],
    });
  });

  test('that are absolute start at the vault, else at the folder that explains most of them', () => {
    const files = {
      'content/en/a/b.md': '',
      'content/en/c/_index.md': '',
      'content/en/d.md': '',
      'other/d.md': '',
      'e.md': '',
    };
    const found = vault({ ...files, 'content/en/x.md': '[](/a/b) [](/c/) [](/d) [](/e)' });
    expect(found.links).toEqual({
      'content/en/x.md': ['content/en/a/b.md', 'content/en/c/_index.md', 'content/en/d.md', 'e.md'],
    });
  });

  test('that are absolute keep to the language of the note', () => {
    const files = {
      'content/en/a.md': '',
      'content/en/b.md': '[](/a)',
      'content/fr/a.md': '',
      'content/fr/b.md': '[](/a)',
    };
    expect(vault(files).links).toEqual({
      'content/en/b.md': ['content/en/a.md'],
      'content/fr/b.md': ['content/fr/a.md'],
    });
  });

  test('by reference, of Hugo and to a redirected path are links too', () => {
    const files = { 'c/a.md': '', 'c/b.md': '---\naliases: [/old/]\n---', 'c/d.md': '' };
    const found = vault({ ...files, 'c/x.md': '[A][r] {{< ref "/c/d" >}} [o](/old)\n\n[r]: a.md' });
    expect(found.links).toEqual({ 'c/x.md': ['c/a.md', 'c/d.md', 'c/b.md'] });
    expect(found.texts).toEqual(['A', 'd', 'o']);
  });
});

describe('a vault', () => {
  test('links a note once to each other note and never to itself', () => {
    const found = vault({
      'a.md': '[[b|first]] [[b|second]] [x](b.md) [[a]] [[#h]] [](#h)',
      'b.md': '[[a]]',
    });
    expect(found.notes.map((note) => note.links)).toEqual([
      [{ target: 'b.md', text: 'first' }],
      [{ target: 'a.md', text: 'a' }],
    ]);
    expect(found.problems).toEqual([]);
  });

  test('lists each missing target of a note once, with the line in the file', () => {
    const found = vault({
      'a.md': '---\ntitle: T\n---\n\n[[gone]] and\n[x](gone.md) [[gone]]\n[y](/far/away)',
    });
    expect(found.problems).toEqual(
      [
        { line: 5, target: 'gone' },
        { line: 6, target: 'gone.md' },
        { line: 7, target: '/far/away' },
      ].map((problem) =>
        expect.objectContaining({ ...problem, path: 'a.md', code: 'broken_link', severity: 'warning' }),
      ),
    );
  });

  test('does not call attachments, other sites, folders and templates broken', () => {
    const text =
      '![[i.png]] [[f.pdf]] [](f.zip) [](https://a.b) [](//a.b) [](mailto:a@b) [](www.a.b) [](dir/) [](<{{ x }}>) [](..)';
    expect(vault({ 'x/a.md': text, 'x/dir/b.md': '' }).problems).toEqual([]);
  });

  test('linked by file names takes these as titles, others the heading', () => {
    expect(vault({ 'a.md': '# Heading\n[[b]]', 'b.md': '' }).notes[0]?.title).toBe('a');
    expect(vault({ 'a.md': '# Heading\n[x](b.md)', 'b.md': '' }).notes[0]?.title).toBe('Heading');
  });

  test('knows a copied export by its path and says so', () => {
    const text = '---\nbrain2_key: k\n---\n';
    const { notes, problems } = vault({ 'a.md': text, 'b.md': text });
    expect(notes.map((note) => note.key)).toEqual(['k', 'b.md']);
    expect(problems).toMatchObject([{ path: 'b.md', code: 'duplicate_id', severity: 'warning' }]);
  });

  test('of 10,000 notes of one name, all linking to it by path and name, is resolved in seconds', () => {
    const files: Record<string, string> = {};
    for (let i = 0; i < 10_000; i++)
      files[`d${i}/readme.md`] = `[[readme]] [[d${i}/readme]] [x](/d${(i * 7) % 10_000}) [[x${i}/readme]]`;
    const start = performance.now();
    expect(vault(files).notes).toHaveLength(10_000);
    expect(performance.now() - start).toBeLessThan(5000);
  });
});
