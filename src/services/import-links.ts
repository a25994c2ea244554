import type { NodeId, OwnerId } from '../domain/values.ts';
import { Turns } from '../shared/turns.ts';
import type { Store } from '../storage/store.ts';
import type { ImportNote } from './import-note.ts';
import { reasonsText, type Wanted } from './wanted.ts';

/** An imported note and the links that a person wrote in it. */
export interface LinkedSource {
  readonly key: string;
  readonly nodeId: NodeId;
  readonly links: NonNullable<ImportNote['links']>;
}

/** The links written in the notes of an import, resolved to nodes. */
export interface References {
  /** Links whose target is there, and those whose target is not. */
  readonly stored: number;
  readonly broken: number;
  /** What the links of a note lead to, each node once. */
  of(id: NodeId): readonly Wanted[];
  /** Whether a link in one of the two leads to the other. */
  connects(a: NodeId, b: NodeId): boolean;
}

/** Finds the node of each target: of this import, or of an earlier one. */
export async function resolveLinks(
  store: Store,
  owner: OwnerId,
  notes: Iterable<LinkedSource>,
): Promise<References> {
  const sources = [...notes];
  const ids = new Map(sources.map(({ key, nodeId }) => [key, nodeId]));
  const outside = new Set<string>();
  for (const { links } of sources) for (const { target } of links) if (!ids.has(target)) outside.add(target);
  for (const [key, id] of await store.read(owner).nodes.bySourceKeys([...outside])) ids.set(key, id);

  const byNode = new Map<NodeId, ReadonlyMap<NodeId, Wanted>>();
  const leads = (from: NodeId, to: NodeId): boolean => byNode.get(from)?.has(to) === true;
  let stored = 0;
  let broken = 0;
  const turns = new Turns();
  for (const { nodeId, links } of sources) {
    if (turns.isOver) await turns.next();
    const targets = new Map<NodeId, Wanted>();
    for (const { target, text } of links) {
      const otherId = ids.get(target);
      if (otherId === undefined) broken += 1;
      else if (otherId !== nodeId && !targets.has(otherId)) {
        targets.set(otherId, {
          otherId,
          weight: 1,
          reasons: reasonsText([{ kind: 'link', term: text, contribution: 1 }]),
        });
      }
    }
    stored += targets.size;
    byNode.set(nodeId, targets);
  }
  return {
    stored,
    broken,
    of: (id) => [...(byNode.get(id)?.values() ?? [])],
    connects: (a, b) => leads(a, b) || leads(b, a),
  };
}
