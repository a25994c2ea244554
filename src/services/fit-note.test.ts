import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createNode } from '../domain/node.ts';
import { instant, nodeId, ownerId } from '../domain/values.ts';
import { fitNote } from './fit-note.ts';

const made = {
  id: nodeId('0190a7c4-5b3e-7c2a-9f10-3d2b8e6a1c55'),
  owner: ownerId('local'),
  now: instant('2026-01-01T00:00:00Z'),
};

describe('a note of an import', () => {
  it('is taken with what fits, and says what does not', () => {
    const tags = Array.from({ length: 40 }, (_, i) => `tag ${i}`);
    const { note, trimmed } = fitNote({
      key: 'k',
      title: 'T'.repeat(900),
      content: 'text',
      tags: [...tags, 'x'.repeat(200)],
    });
    expect(note.title).toHaveLength(500);
    expect(note.tags).toHaveLength(32);
    expect(trimmed).toEqual([
      'title cut to 500 characters',
      '9 of its tags left out: at most 32, each short and on one line',
    ]);
  });

  it('is as it was when it fits', () => {
    const note = { key: 'k', title: 'Sleep', content: 'text', tags: ['a', 'A', 'b'], aliases: ['Rest'] };
    expect(fitNote(note)).toEqual({ note: { ...note, tags: ['a', 'b'] }, trimmed: [] });
  });

  it('passes every rule of a node, whatever surrounds its text', () => {
    const text = fc.string({ unit: 'binary', maxLength: 700 });
    const notes = fc.record({
      title: text,
      tags: fc.array(text, { maxLength: 60 }),
      aliases: fc.array(text, { maxLength: 60 }),
    });
    fc.assert(
      fc.property(notes, (fields) => {
        const { note } = fitNote({ key: 'k', content: 'text', ...fields });
        const { key: _key, path: _path, category: _category, links: _links, ...input } = note;
        expect(createNode(input, made).after).toBeDefined();
      }),
    );
  });
});
