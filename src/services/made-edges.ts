import { applyEdgeEvent, type Edge } from '../domain/edge.ts';
import type { EdgeId, NodeId, OwnerId } from '../domain/values.ts';
import type { Store } from '../storage/store.ts';

/** The edges that come about at some notes while they are being linked, as they stand in the end. */
export class MadeEdges {
  readonly #edges = new Map<EdgeId, Edge>();
  readonly #stopListening: () => void;

  constructor(store: Store, owner: OwnerId) {
    this.#stopListening = store.onCommit((commit) => {
      if (commit.owner !== owner) return;
      for (const event of commit.events) {
        if (!('edgeId' in event)) continue;
        const before = this.#edges.get(event.edgeId);
        if (!before && event.type !== 'edge.created') continue;
        const after = applyEdgeEvent(before, event);
        if (after) this.#edges.set(event.edgeId, after);
        else this.#edges.delete(event.edgeId);
      }
    });
  }

  at(ids: ReadonlySet<NodeId>): readonly Edge[] {
    return [...this.#edges.values()].filter((edge) => ids.has(edge.sourceId) || ids.has(edge.targetId));
  }

  stop(): void {
    this.#stopListening();
    this.#edges.clear();
  }
}

/** Counts automatic edges as they come and go, until it is stopped. */
export function countAutomatic(store: Store, owner: OwnerId): { readonly count: number; stop(): void } {
  const counter = { count: 0, stop: () => {} };
  counter.stop = store.onCommit((commit) => {
    if (commit.owner !== owner) return;
    for (const event of commit.events) {
      if (event.type === 'edge.created' && event.edge.origin === 'auto') counter.count += 1;
      else if (event.type === 'edge.deleted' && event.by === 'linker') counter.count -= 1;
    }
  });
  return counter;
}
