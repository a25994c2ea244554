import { globSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Edge } from '../api/v2.ts';
import { LIMITS } from '../domain/limits.ts';
import { readVault } from '../vault/read-vault.ts';
import { DEMO_CATEGORIES } from './demo-categories.ts';
import { DEMO, isOfPerson, readDemo, WRITTEN_BEFORE } from './demo-notes.ts';

const FOLDER = join(import.meta.dirname, '../../demo');
const { notes, earlier } = await readDemo();

describe('the notes of the demo', () => {
  it('are read whole, and every link in them leads to one of them', async () => {
    const options = { categories: 'folders', maxNoteBytes: LIMITS.contentBytes } as const;
    const { problems, stats } = await readVault(join(FOLDER, 'notes'), options);
    expect(problems).toEqual([]);
    expect(stats).toMatchObject({ files: notes.length, brokenLinks: 0 });
    expect(stats.links).toBeGreaterThan(50);
    expect(notes.length).toBeGreaterThan(100);
    expect(new Set(notes.map(({ title }) => title)).size).toBe(notes.length);
    expect(notes.filter(({ key }) => !key.startsWith(`${DEMO}/`))).toEqual([]);
  });

  it('bear dates by which a later change is told', () => {
    const last = Date.parse(WRITTEN_BEFORE);
    const late = [...notes, ...earlier].filter(
      ({ createdAt = '', updatedAt = '' }) =>
        !(Date.parse(createdAt) <= Date.parse(updatedAt) && Date.parse(updatedAt) < last),
    );
    expect(late.map(({ key }) => key)).toEqual([]);
  });

  it('were each edited after what is told of them first', () => {
    const byKey = new Map(notes.map((note) => [note.key, note]));
    for (const first of earlier) {
      const now = byKey.get(first.key);
      expect(now?.content).not.toBe(first.content);
      expect(now?.createdAt).toBe(first.createdAt);
      expect(Date.parse(now?.updatedAt ?? '')).toBeGreaterThan(Date.parse(first.updatedAt ?? ''));
    }
    expect(earlier.length).toBeGreaterThan(0);
  });

  it('lie in folders that are its categories, parents first', () => {
    const folders = globSync('**/', { cwd: join(FOLDER, 'notes') }).map((path) => path.replaceAll('\\', '/'));
    const paths = [...DEMO_CATEGORIES.keys()];
    expect(folders.filter((path) => path !== '.').toSorted()).toEqual(paths.toSorted());
    const early = paths.filter((path, index) => {
      const end = path.lastIndexOf('/');
      return end > 0 && !paths.slice(0, index).includes(path.slice(0, end));
    });
    expect(early).toEqual([]);
    expect(new Set(DEMO_CATEGORIES.values()).size).toBe(paths.length);
  });
});

describe('isOfPerson', () => {
  const demo = new Set(['a', 'b']);
  const written = [{ kind: 'link', term: 'tea', contribution: 1 }];
  const edge = (given: Partial<Edge>) =>
    ({ sourceId: 'a', targetId: 'b', type: 'reference', origin: 'human', reasons: [], ...given }) as Edge;

  it.each([
    [false, { reasons: written }],
    [true, { reasons: written, sourceId: 'own' }],
    [true, { reasons: written, targetId: 'own' }],
    [true, {}],
    [true, { type: 'manual', status: 'accepted' }],
    [false, { type: 'related', origin: 'auto', status: 'proposed' }],
    [false, { type: 'related', origin: 'auto', status: 'rejected' }],
    [true, { type: 'related', origin: 'auto', status: 'accepted' }],
  ] as const)('is %s of %o', (is, given) => {
    expect(isOfPerson(edge(given as Partial<Edge>), demo)).toBe(is);
  });
});
