import { describe, expect, it } from 'vitest';
import type { VaultNote } from './types.ts';
import { collectionOf } from './collection.ts';

const note = (key: string, more: Partial<VaultNote> = {}): VaultNote => ({
  key,
  path: key,
  title: key,
  content: '',
  aliases: [],
  tags: [],
  links: [],
  ...more,
});
const sent = (path: string, notes: readonly VaultNote[], name?: string) => {
  const isFolder = !/\.(?:md|ndjson)$/.test(path);
  const collection = collectionOf(path, { name, notes: [...notes], isFolder });
  return {
    name: collection.name,
    notes: [...collection.notes()].map(({ key, path, links }) => ({ key, path, links })),
  };
};

describe('collectionOf', () => {
  it.each(['/x/notes', '/x/notes.ndjson'])('lets go of the notes of %s as it hands them over', (path) => {
    const notes = [note('a'), note('b'), note('c')];
    const isFolder = path === '/x/notes';
    const keys: string[] = [];
    for (const { key } of collectionOf(path, { name: undefined, notes, isFolder }).notes()) {
      expect(notes).toEqual([]); // whoever holds the vault meanwhile holds no text of it
      keys.push(key);
    }
    expect(keys).toHaveLength(3);
  });

  it('puts the notes of a folder under its name, with their links', () => {
    const linked = note('a.md', { links: [{ target: 'sub/b.md', text: 'b' }] });
    expect(sent('/home/me/garden/', [linked, note('sub/b.md')])).toEqual({
      name: 'garden',
      notes: [
        { key: 'garden/a.md', path: 'garden/a.md', links: [{ target: 'garden/sub/b.md', text: 'b' }] },
        { key: 'garden/sub/b.md', path: 'garden/sub/b.md', links: [] },
      ],
    });
  });

  it('takes a folder for one also where it is called as a file would be', () => {
    const keys = ['/x/notes.md', '/x/tea.json'].map((path) => {
      const collection = collectionOf(path, { name: undefined, notes: [note('a.md')], isFolder: true });
      return [...collection.notes()][0]?.key;
    });
    expect(keys).toEqual(['notes.md/a.md', 'tea.json/a.md']);
  });

  it('takes another name', () => {
    expect(sent('/x/notes', [note('a.md')], 'work').notes[0]?.key).toBe('work/a.md');
  });

  it('gives one file the key that it has in its folder, and speaks for no other note', () => {
    expect(sent('/x/notes/a.md', [note('a.md')])).toMatchObject({
      name: 'notes/a.md',
      notes: [{ key: 'notes/a.md' }],
    });
  });

  it('is known by no more than an import may be, however long the names of files are', () => {
    const long = 'x'.repeat(250);
    const { name, notes } = sent(`/x/notes/${long}.md`, [note(`${long}.md`)]);
    expect([name.length, notes[0]?.key]).toEqual([200, `notes/${long}.md`]);
    expect([sent(`/x/${long}`, []).name, sent(`/x/${long}.ndjson`, []).name]).toEqual(
      Array(2).fill(long.slice(0, 200)),
    );
  });

  it('leaves a key of the graph, written by an export, as it is', () => {
    const back = note('brain2:old/a.md', { path: 'a.md' });
    const linked = note('b.md', { links: [{ target: 'brain2:old/a.md', text: 'a' }] });
    expect(sent('/x/out', [back, linked]).notes).toEqual([
      { key: 'old/a.md', path: 'a.md', links: [] },
      { key: 'out/b.md', path: 'out/b.md', links: [{ target: 'old/a.md', text: 'a' }] },
    ]);
  });

  it('leaves the ids of records as they are, under the name of the file', () => {
    const { path: _path, ...record } = note('id-1', { links: [{ target: 'id-2', text: 'two' }] });
    expect(sent('/x/tea.ndjson', [record])).toEqual({
      name: 'tea.ndjson',
      notes: [{ key: 'id-1', path: 'tea.ndjson', links: [{ target: 'id-2', text: 'two' }] }],
    });
  });

  it('tells the path in the source of what was sent', () => {
    const { pathOf } = collectionOf('/x/out', {
      name: undefined,
      notes: [note('brain2:k', { path: 'a.md' })],
      isFolder: true,
    });
    expect([pathOf('k'), pathOf('out/gone.md')]).toEqual(['a.md', 'gone.md']);
  });
});
