import { describe, expect, it } from 'vitest';
import { exportPaths, vaultFiles, type ExportableEdge, type ExportableNote } from './export-notes.ts';

const node = (id: string, label: string, more: Partial<ExportableNote> = {}): ExportableNote => ({
  id,
  label,
  content: '',
  tags: [],
  aliases: [],
  category: [],
  source: {},
  createdAt: '2026-01-01T00:00:00.000Z',
  updatedAt: '2026-01-01T00:00:00.000Z',
  ...more,
});
const from = (path: string) => ({ source: { key: path, path } });
const pathsOf = (...notes: readonly ExportableNote[]) => [...exportPaths(notes).values()];

describe('exportPaths', () => {
  it('keeps the path that a note came from, and else takes its title', () => {
    expect(
      pathsOf(
        node('1', 'A', from('garden/sub/a.md')),
        node('2', 'Tea: a/b?'),
        node('3', 'x', from('tea.ndjson')),
      ),
    ).toEqual(['garden/sub/a.md', 'Tea a b.md', 'x.md']);
  });

  it('gives no two notes one file, also where case does not count', () => {
    expect(pathsOf(node('1', 'Tea'), node('2', 'tea'), node('3', 'TEA'))).toEqual([
      'Tea.md',
      'tea 2.md',
      'TEA 3.md',
    ]);
  });

  it('stays in the folder, and makes nothing that an import would pass over', () => {
    expect(
      pathsOf(
        node('1', 'A', from('../../etc/a.md')),
        node('2', 'B', from('.hidden/node_modules/b.md')),
        node('3', 'C', from('a.md/c.md')),
        node('4', 'con'),
        node('5', '...'),
        node('6', 'é'.repeat(500)),
        node('7', 'G', from('logseq/bak/g.md')),
        node('8', 'H', from('__MACOSX/h.md')),
      ),
    ).toEqual([
      'etc/a.md',
      'hidden/node_modules_/b.md',
      'a.md_/c.md',
      'con_.md',
      'note.md',
      `${'é'.repeat(60)}.md`,
      'logseq/bak_/g.md',
      '__MACOSX_/h.md',
    ]);
  });
});

describe('vaultFiles', () => {
  const edge = (sourceId: string, targetId: string, origin = 'human'): ExportableEdge => ({
    sourceId,
    targetId,
    origin,
    status: 'accepted',
  });
  const linked = (text: string) => [...text.matchAll(/^ {2}- "(brain2:.*)"$/gm)].map(([, key]) => key);

  it('names the links by hand that the text does not carry, each pair once, and no others', () => {
    const notes = [node('1', 'A', { content: 'see [[B]]' }), node('2', 'B'), node('3', 'C')];
    const edges = [edge('1', '2'), edge('3', '1'), edge('1', '3'), edge('2', '3', 'auto')];
    const files = vaultFiles(notes, edges, (note) => note);
    expect(files.map(({ path, text }) => [path, linked(text)])).toEqual([
      ['A.md', ['brain2:3']],
      ['B.md', []],
      ['C.md', []],
    ]);
  });
});
