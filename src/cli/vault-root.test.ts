import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { writeFiles } from '../../test/cli/brain2.ts';
import type { NodeSummary } from '../api/v2.ts';
import { checkRoot, vaultRoot } from './vault-root.ts';

let home: string;
let file: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'brain2-root-'));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  writeFiles(home, { 'notes/daily/work/x.md': 'x', 'notes/tea.md': 'tea', 'notes/daily/y.md': 'y' });
  file = join(home, 'notes/daily/work/x.md');
});

/** The folder, below the home, where notes of these keys are stored. */
const rootOf = (keys: readonly string[], name?: string): string => {
  const stored = keys.map((key) => ({ id: key, title: key, source: { kind: 'import', key, path: key } }));
  return vaultRoot(file, { name, stored: stored as unknown as readonly NodeSummary[] }).slice(
    home.length + 1,
  );
};

describe('the folder that one file is a note of', () => {
  it('is that of which an import has brought it, the outermost where there were several', () => {
    expect(rootOf(['notes/daily/work/x.md'])).toBe('notes');
    expect(rootOf(['daily/work/x.md', 'notes/tea.md'])).toBe('notes/daily');
    expect(rootOf(['work/x.md', 'notes/daily/work/x.md', 'daily/work/x.md'])).toBe('notes');
  });

  it('is, of a new note, that of which an import has brought others that are on the disk', () => {
    expect(rootOf(['notes/tea.md', 'notes/gone.md'])).toBe('notes');
    expect(rootOf(['daily/y.md'])).toBe('notes/daily');
    expect(rootOf(['daily/y.md', 'notes/tea.md'])).toBe('notes');
    expect(rootOf(['notes/gone.md', 'other/tea.md'])).toBe('notes/daily/work');
  });

  it('is found under the name that it was imported by, and under no other', () => {
    expect(rootOf(['mine/daily/work/x.md'], 'mine')).toBe('notes');
    expect(rootOf(['mine/tea.md'], 'mine')).toBe('notes');
    expect(rootOf(['notes/daily/work/x.md'], 'mine')).toBe('notes/daily/work');
  });

  it.each(['.obsidian', 'logseq/config.edn'])(
    'is the nearest vault, marked by %s, where none was imported',
    (mark) => {
      mkdirSync(join(home, mark), { recursive: true });
      mkdirSync(join(home, 'notes', mark), { recursive: true });
      expect(rootOf([])).toBe('notes');
      expect(rootOf(['daily/y.md'])).toBe('notes/daily');
    },
  );

  it('is the one that it lies in where nothing tells more', () => {
    expect(rootOf([])).toBe('notes/daily/work');
  });
});

it('a root is a folder that one file of Markdown lies in', () => {
  checkRoot(join(home, 'notes'), file);
  checkRoot(join(home, 'notes/daily/work'), file);
  mkdirSync(join(home, 'notes/dailyx'));
  mkdirSync(join(home, 'notes/folder.md'));
  for (const root of ['other', 'notes/tea.md', 'notes/daily/work/x.md', 'notes/dailyx'])
    expect(() => checkRoot(join(home, root), file)).toThrow('--root is a folder that');
  for (const path of ['notes', 'notes/folder.md', 'notes/tea.ndjson'])
    expect(() => checkRoot(home, join(home, path))).toThrow('--root goes with one file of Markdown');
});
