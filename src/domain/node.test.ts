import { describe, expect, test } from 'vitest';
import { at, categoryIdOf, nodeIdOf, OWNER, START } from '../../test/support/arbitraries.ts';
import { isBrainError } from './error.ts';
import { LIMITS } from './limits.ts';
import { archiveNode, assignCategory, createNode, labelOf, removeCategory, updateNode } from './node.ts';
import type { Assignment, Node, NodeInput } from './node.ts';
import { content, title, weight } from './values.ts';

const made = { id: nodeIdOf(1), owner: OWNER, now: START };

function create(input: NodeInput): Node {
  const { after } = createNode(input, made);
  if (!after) throw new Error('nothing was made');
  return after;
}

function pointersOf(work: () => unknown): readonly string[] {
  try {
    work();
  } catch (error) {
    if (isBrainError(error, 'invalid')) return error.issues.map((issue) => issue.pointer);
    throw error;
  }
  return [];
}

/** One broken rule in every field that has one. */
const BROKEN: NodeInput = {
  title: 'a\u0000b',
  content: '\ud800',
  tags: ['fine', '#'],
  aliases: ['fine', 'fine too', ''],
  source: { kind: 'import', key: '\0' },
  updatedAt: 'never',
};

describe('a note', () => {
  test('is refused with every broken field at once, by JSON pointers', () => {
    const all = ['/title', '/content', '/tags/1', '/aliases/2', '/source/key', '/createdAt', '/updatedAt'];
    expect(pointersOf(() => create({ ...BROKEN, createdAt: 'never' }))).toEqual(all);
    const changed = pointersOf(() => updateNode(create({ title: 'a' }), BROKEN, START));
    expect(changed.toSorted()).toEqual(all.filter((p) => p !== '/createdAt').toSorted());
  });

  test.each([{}, { title: ' ', content: ' \n' }, { title: '', content: '' }])(
    'of %j is refused: it is blank',
    (input) => {
      expect(pointersOf(() => create(input))).toEqual(['/content']);
      expect(pointersOf(() => updateNode(create({ title: 'a' }), { title: '', ...input }, START))).toEqual([
        '/content',
      ]);
    },
  );

  test('keeps when it was written, where its source knows; else it is now', () => {
    expect(create({ title: 'a' })).toMatchObject({ createdAt: START, updatedAt: START, version: 1 });
    const input = { title: 'a', createdAt: '2001-02-03T04:05:06Z', updatedAt: '2002-02-03T04:05:06Z' };
    expect(create(input)).toMatchObject({
      createdAt: '2001-02-03T04:05:06.000Z',
      updatedAt: '2002-02-03T04:05:06.000Z',
    });
    const update = updateNode(create(input), { title: 'b', updatedAt: '2003-02-03T04:05:06Z' }, at(1));
    expect(update.after).toMatchObject({ updatedAt: '2003-02-03T04:05:06.000Z', version: 2 });
    expect(update.events).toMatchObject([{ at: at(1) }]);
  });

  test('that is given what it has is not changed, however that is spelled', () => {
    const node = create({ title: 'a', tags: ['x', 'y'], source: { kind: 'import', key: 'k', path: 'p' } });
    const same: NodeInput = {
      title: ' a ',
      tags: ['#x', 'y', 'X'],
      source: { path: 'p', key: 'k', kind: 'import' },
    };
    expect(updateNode(node, same, at(1))).toEqual({ before: node, after: node, events: [] });
    expect(updateNode(node, {}, at(1)).events).toEqual([]);
    expect(archiveNode({ ...node, archived: true }, at(1)).events).toEqual([]);
  });

  test('takes of its source only what a source has', () => {
    const source = { kind: 'import', key: 'k', role: 'admin' } as const;
    expect(create({ title: 'a', source }).source).toEqual({ kind: 'import', key: 'k' });
  });

  test('has a source key of 1 to 900 bytes', () => {
    const key = 'é'.repeat(LIMITS.sourceKeyBytes / 2);
    expect(create({ title: 'a', source: { kind: 'import', key } }).source.key).toBe(key);
    for (const bad of ['', `${key}x`]) {
      expect(pointersOf(() => create({ title: 'a', source: { kind: 'import', key: bad } }))).toEqual([
        '/source/key',
      ]);
    }
  });
});

describe('a note in categories', () => {
  const assignment = (n: number): Assignment => ({
    categoryId: categoryIdOf(n),
    confidence: weight(0.5),
    method: 'ai',
  });

  test('is put in one once, and again only when it says something new', () => {
    const once = assignCategory(create({ title: 'a' }), assignment(1), at(1)).after;
    if (!once) throw new Error('nothing was made');
    const { method, confidence, categoryId } = assignment(1);
    expect(assignCategory(once, { method, confidence, categoryId }, at(2)).events).toEqual([]);
    const surer = assignCategory(once, { ...assignment(1), confidence: weight(1) }, at(2));
    expect(surer.after).toMatchObject({ version: 3, categories: [{ categoryId, confidence: 1 }] });
    expect(removeCategory(once, categoryIdOf(2), at(2)).events).toEqual([]);
    expect(removeCategory(once, categoryIdOf(1), at(2)).after?.categories).toEqual([]);
  });

  test('is in 16 at most', () => {
    let node = create({ title: 'a' });
    for (let n = 0; n < LIMITS.categoriesOfNode; n++)
      node = assignCategory(node, assignment(n), at(n)).after ?? node;
    expect(() => assignCategory(node, assignment(99), at(99))).toThrow(
      expect.objectContaining({ code: 'conflict' }),
    );
    expect(assignCategory(node, { ...assignment(3), method: 'manual' }, at(99)).events).toHaveLength(1);
  });
});

describe('the label of a note', () => {
  test.each([
    ['Title', 'content', 'Title'],
    ['', '\n\n  # Heading  \nmore', 'Heading'],
    ['', 'plain\nmore', 'plain'],
    ['', 'x'.repeat(200), 'x'.repeat(100)],
    ['', `${'x'.repeat(99)}😀`, 'x'.repeat(99)],
    ['', ' '.repeat(3000), ''],
  ])('with title %j and content %j is %j', (given, text, label) => {
    expect(labelOf({ title: title(given), content: content(text) })).toBe(label);
  });
});
