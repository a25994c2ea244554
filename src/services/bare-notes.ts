import type { NodeId, OwnerId } from '../domain/values.ts';
import type { Store } from '../storage/store.ts';
import type { Tx } from '../storage/transaction.ts';

/**
 * Notes of which nothing but themselves is stored: made just now, and no edge of theirs committed since, by whomever.
 * What is not committed yet the writer sees by itself. Not every commit of another process is heard of: where one is
 * missing in what was heard, no note is taken for bare that was made before it.
 */
export class BareNotes {
  readonly #ids = new Set<NodeId>();
  readonly #stopListening: () => void;
  /** Up to here every event since the first note is known. */
  #heardSeq = 0;

  constructor(store: Store, owner: OwnerId) {
    this.#stopListening = store.onCommit((commit) => {
      if (commit.owner !== owner) return;
      if (commit.from !== this.#heardSeq + 1) this.#ids.clear();
      this.#heardSeq = commit.to;
      for (const event of commit.events) {
        if (!('edgeId' in event)) continue;
        this.#ids.delete(event.sourceId);
        this.#ids.delete(event.targetId);
      }
    });
  }

  /** Takes a note that is stored for the first time by the work under way. */
  add(id: NodeId, { committed }: Pick<Tx, 'committed'>): void {
    if (committed.seq > this.#heardSeq) {
      this.#ids.clear();
      this.#heardSeq = committed.seq;
    }
    this.#ids.add(id);
  }

  /** Whether nothing about the note's edges is stored in what the work under way sees. */
  has(id: NodeId, { committed }: Pick<Tx, 'committed'>): boolean {
    return committed.seq <= this.#heardSeq && this.#ids.has(id);
  }

  stop(): void {
    this.#stopListening();
    this.#ids.clear();
  }
}
