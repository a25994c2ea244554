import { describe, expect, it } from 'vitest';
import type { Edge, Node } from '../api/v2.ts';
import { exportPaths, linkedKeysOf } from './export-notes.ts';

const node = (id: string, label: string, more: Partial<Node> = {}): Node => ({
  id,
  title: label,
  label,
  content: '',
  format: 'markdown',
  tags: [],
  aliases: [],
  categories: [],
  archived: false,
  source: { kind: 'api' },
  createdAt: '2026-01-01T00:00:00.000Z',
  updatedAt: '2026-01-01T00:00:00.000Z',
  version: 1,
  ...more,
});
const from = (path: string) => ({ source: { kind: 'import' as const, key: path, path } });
const pathsOf = (...notes: readonly Node[]) => [...exportPaths(notes).values()];

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
      ),
    ).toEqual([
      'etc/a.md',
      'hidden/node_modules_/b.md',
      'a.md_/c.md',
      'con_.md',
      'note.md',
      `${'é'.repeat(60)}.md`,
    ]);
  });
});

describe('linkedKeysOf', () => {
  const edge = (sourceId: string, targetId: string, more: Partial<Edge> = {}): Edge => ({
    id: `${sourceId}-${targetId}`,
    sourceId,
    targetId,
    type: 'manual',
    weight: 1,
    origin: 'human',
    status: 'accepted',
    reasons: [],
    createdAt: '',
    updatedAt: '',
    version: 1,
    ...more,
  });

  it('names the links by hand that the text does not carry, and no others', () => {
    const notes = [node('1', 'A', { content: 'see [[B]]' }), node('2', 'B'), node('3', 'C')];
    const edges = [
      edge('1', '2', { type: 'reference' }),
      edge('1', '3'),
      edge('2', '3', { type: 'related', origin: 'auto' }),
    ];
    expect([...linkedKeysOf(notes, edges, exportPaths(notes))]).toEqual([['1', ['brain2:3']]]);
  });
});
