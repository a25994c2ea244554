import { describe, expect, test } from 'vitest';
import { at, nodeIdOf, OWNER, START } from '../../test/support/arbitraries.ts';
import {
  changeSupport,
  createEdge,
  deleteEdge,
  isLinkers,
  otherEnd,
  setStatus,
  updateWeight,
} from './edge.ts';
import type { Edge, EdgeInput, Reason } from './edge.ts';
import { LIMITS } from './limits.ts';
import { edgeId, ownerId } from './values.ts';

const made = { id: edgeId('0190a7c4-5b3e-7c2a-9f10-3d2b8e6a1c55'), now: START };
const [a, b] = [nodeIdOf(1), nodeIdOf(2)];
const ends = { source: { id: a, owner: OWNER }, target: { id: b, owner: OWNER } };

function create(input: EdgeInput = {}): Edge {
  const { after } = createEdge(input, ends, made);
  if (!after) throw new Error('nothing was made');
  return after;
}

const invalid = (...pointers: readonly string[]): unknown =>
  expect.objectContaining({
    code: 'invalid',
    issues: pointers.map((pointer) => expect.objectContaining({ pointer })),
  });
const conflict: unknown = expect.objectContaining({ code: 'conflict' });

describe('an edge', () => {
  test('has two different ends of one owner; another owner’s note is told as not there', () => {
    expect(() => createEdge({}, { ...ends, target: ends.source }, made)).toThrow(invalid('/targetId'));
    const foreign = { id: b, owner: ownerId('mallory') };
    expect(() => createEdge({}, { ...ends, target: foreign }, made)).toThrow(`there is no note ${b}`);
  });

  test('is one per pair and type', () => {
    const existing = create();
    expect(() => createEdge({}, { ...ends, existing }, made)).toThrow(
      expect.objectContaining({ code: 'conflict', details: { edgeId: existing.id } }),
    );
  });

  test('is refused with every broken field at once', () => {
    const reasons: Reason[] = [{ kind: 'term', term: 'x', contribution: 2 }];
    expect(() => create({ weight: 1.5, reasons })).toThrow(invalid('/weight', '/reasons/0/contribution'));
    expect(() => updateWeight(create(), { weight: Number.NaN, reasons }, at(1))).toThrow(
      invalid('/weight', '/reasons/0/contribution'),
    );
  });

  test('is accepted when a person drew it, proposed when the linker found it', () => {
    expect(create()).toMatchObject({
      origin: 'human',
      status: 'accepted',
      type: 'manual',
      weight: 1,
      version: 1,
    });
    expect(create({ origin: 'auto' }).status).toBe('proposed');
    expect(isLinkers(create({ origin: 'auto' }))).toBe(true);
    expect(isLinkers(create({ origin: 'auto', status: 'accepted' }))).toBe(false);
    expect(isLinkers(create())).toBe(false);
  });

  test.each(['human', 'import'] as const)('of origin %s is deleted, not rejected or reopened', (origin) => {
    const edge = create({ origin });
    expect(() => setStatus(edge, 'rejected', at(1))).toThrow(conflict);
    expect(() => setStatus(edge, 'proposed', at(1))).toThrow(conflict);
    expect(setStatus(edge, 'accepted', at(1)).events).toEqual([]);
    expect(deleteEdge(edge, 'person', at(1))).toMatchObject({
      after: undefined,
      events: [{ version: 2, by: 'person' }],
    });
  });

  test('that the linker found goes through every status, one event each', () => {
    let edge = create({ origin: 'auto' });
    for (const [status, type] of [
      ['rejected', 'edge.rejected'],
      ['accepted', 'edge.accepted'],
      ['proposed', 'edge.reopened'],
    ] as const) {
      const decision = setStatus(edge, status, at(1));
      expect(decision.events).toMatchObject([{ type, version: edge.version + 1 }]);
      edge = decision.after ?? edge;
      expect(edge.status).toBe(status);
    }
  });

  test('of the same weight or support is not changed', () => {
    const edge = create({ origin: 'auto', weight: 0.5, support: 'source' });
    expect(updateWeight(edge, { weight: 0.5 }, at(1)).events).toEqual([]);
    expect(changeSupport(edge, 'source', at(1)).events).toEqual([]);
    expect(updateWeight(edge, { weight: 0.6 }, at(1)).events).toMatchObject([{ from: 0.5, weight: 0.6 }]);
  });

  test('keeps 8 reasons, cut to well-formed terms', () => {
    const reason: Reason = {
      kind: 'term',
      term: `${'x'.repeat(LIMITS.reasonTermLength - 1)}😀`,
      contribution: 1,
    };
    const { reasons } = create({ reasons: Array.from({ length: 12 }, () => reason) });
    expect(reasons).toHaveLength(LIMITS.reasonsOfEdge);
    expect(reasons[0]?.term).toHaveLength(LIMITS.reasonTermLength);
    expect(reasons.every((r) => r.term.isWellFormed())).toBe(true);
  });

  test('knows its other end', () => {
    expect([otherEnd(create(), a), otherEnd(create(), b)]).toEqual([b, a]);
  });
});
