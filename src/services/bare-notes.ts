import type { NodeId, OwnerId } from '../domain/values.ts';
import type { Store } from '../storage/store.ts';

/**
 * Notes of which nothing but themselves is stored: made just now, and no edge of theirs committed since, by whomever.
 * What is not committed yet the writer sees by itself.
 */
export class BareNotes {
  readonly #ids = new Set<NodeId>();
  readonly #stopListening: () => void;

  constructor(store: Store, owner: OwnerId) {
    this.#stopListening = store.onCommit((commit) => {
      if (commit.owner !== owner) return;
      for (const event of commit.events) {
        if (!('edgeId' in event)) continue;
        this.#ids.delete(event.sourceId);
        this.#ids.delete(event.targetId);
      }
    });
  }

  /** Takes a note that is about to be stored for the first time. */
  add(id: NodeId): void {
    this.#ids.add(id);
  }

  has(id: NodeId): boolean {
    return this.#ids.has(id);
  }

  stop(): void {
    this.#stopListening();
    this.#ids.clear();
  }
}
