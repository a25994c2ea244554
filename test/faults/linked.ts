import { expect } from 'vitest';
import type { ImportNote } from '../../src/api/v2-imports.ts';
import type { EdgeType } from '../../src/domain/edge.ts';
import type { NodeId } from '../../src/domain/values.ts';
import { ordered } from '../../src/storage/keys.ts';
import { indexOf, storedGraph } from './oracle.ts';

/** Of the links that the engine finds between the notes as they are now; notes linked before a kill saw fewer. */
const SHARE_LINKED = 0.9;

/** Every note once, every written link an edge, and edges for what the engine finds. */
export async function expectLinked(dataDir: string, notes: readonly ImportNote[]): Promise<void> {
  const { nodes, edges } = await storedGraph(dataDir);
  const idOf = new Map([...nodes.values()].map(({ id, source }) => [source.key as string, id]));
  expect([...idOf.keys()].sort()).toEqual(notes.map((note) => note.key).sort());
  expect(nodes.size).toBe(notes.length);

  const pair = (a: string, b: string) => ordered(a as NodeId, b as NodeId).join(' ');
  const pairsOf = (type: EdgeType) =>
    new Set([...edges.values()].filter((e) => e.type === type).map((e) => pair(e.sourceId, e.targetId)));
  const id = (key: string) => idOf.get(key) ?? '';
  const written = notes.flatMap(({ key, links }) =>
    (links ?? []).map(({ target }) => pair(id(key), id(target))),
  );
  expect([...pairsOf('reference')].sort()).toEqual([...new Set(written)].sort());

  const index = indexOf(nodes.values());
  const found = new Set([...nodes.keys()].flatMap((a) => index.links(a).map((b) => pair(a, b.id))));
  expect(found.size).toBeGreaterThan(notes.length);
  expect(found.intersection(pairsOf('related')).size / found.size).toBeGreaterThan(SHARE_LINKED);
}
