import type { NodeDecision } from '../domain/node.ts';
import type { NodeId, OwnerId, Position } from '../domain/values.ts';
import type { PendingWork } from '../storage/repositories.ts';
import type { Store } from '../storage/store.ts';
import type { Tx } from '../storage/transaction.ts';
import { BareNotes } from './bare-notes.ts';
import type { Ahead, OwnerIndexes } from './owner-indexes.ts';

interface RunNeeds {
  readonly store: Store;
  readonly indexes: OwnerIndexes;
  readonly newNodeId: () => NodeId;
}

export type LinkRuns = ReturnType<typeof linkRuns>;

/** Runs in which many notes are stored first and linked after, such as imports and bulks. */
export function linkRuns(needs: RunNeeds) {
  const running = new Map<OwnerId, number>();
  const count = (owner: OwnerId, by: 1 | -1): number => {
    const now = (running.get(owner) ?? 0) + by;
    if (now === 0) running.delete(owner);
    else running.set(owner, now);
    return now;
  };
  return {
    /** The caller stops it, whatever comes. */
    open(owner: OwnerId): LinkRun {
      count(owner, 1);
      return new LinkRun(needs, owner, () => count(owner, -1));
    },

    /** How many are under way; what they have marked to be linked is then not for others. */
    running: (owner: OwnerId): number => running.get(owner) ?? 0,
  };
}

/**
 * What is stored with one is promised to be linked, by a mark that goes with each change and says from which position
 * in the log on: should the run be cut off, `pending.finish` links it all the same. Another process may do that also
 * while the run goes on, and take the mark away: so the next change brings it again.
 */
export class LinkRun {
  readonly bare: BareNotes;
  readonly #needs: RunNeeds;
  readonly #owner: OwnerId;
  readonly #onStop: () => void;
  readonly #id: string;
  /** Where the log stood before the first change, once there is one. */
  #after: Position | undefined;
  /** When the save before has given its write to the store. */
  #given = Promise.resolve();

  constructor(needs: RunNeeds, owner: OwnerId, onStop: () => void) {
    this.#needs = needs;
    this.#owner = owner;
    this.#onStop = onStop;
    this.#id = needs.newNodeId();
    this.bare = new BareNotes(needs.store, owner);
  }

  /**
   * Stores one note as it is decided, as a transaction of its own among others. Calls are decided in their order,
   * however long each of them looks at the index.
   */
  async save<T extends { readonly decision: NodeDecision }>(decide: (tx: Tx) => Promise<T>): Promise<T> {
    const { indexes } = this.#needs;
    const before = this.#given;
    const given = Promise.withResolvers<void>();
    this.#given = given.promise;
    const store = async (tx: Tx, ahead: Ahead): Promise<T> => {
      const decided = await decide(tx);
      if (decided.decision.events.length > 0) {
        await indexes.ready(this.#owner, tx);
        tx.nodes.apply(decided.decision);
        this.place(tx, ahead, decided.decision);
        this.promise(tx);
      }
      return decided;
    };
    let saving: Promise<T>;
    try {
      await (await indexes.ready(this.#owner)).keepUp();
      await before;
      saving = indexes.write(this.#owner, store, { bulk: true });
    } finally {
      given.resolve();
    }
    return saving;
  }

  /** Tells the index of a note that is being stored. */
  place(tx: Tx, ahead: Ahead, { before, after }: NodeDecision): void {
    if (!after) return;
    if (!before) this.bare.add(after.id, tx);
    ahead.place(after);
  }

  /** Marks that what the run has stored, and stores here, is to be linked. */
  promise(tx: Tx): void {
    // Of several decisions that of the lowest position: one that stood on a round which came to nothing was too high.
    const { position } = tx;
    if (this.#after?.epoch !== position.epoch || position.seq < this.#after.seq) this.#after = position;
    tx.pending.replace(undefined, this.#mark(this.#after, position));
  }

  /** All that was promised is done: its mark goes, in one transaction with `also`. */
  async end(also?: (tx: Tx) => Promise<void>): Promise<void> {
    const mark = this.#after && this.#mark(this.#after);
    if (!mark && !also) return;
    await this.#needs.store.write(this.#owner, async (tx) => {
      if (mark) tx.pending.replace(mark, undefined);
      await also?.(tx);
    });
  }

  /** Lets go of the store. */
  stop(): void {
    this.bare.stop();
    this.#onStop();
  }

  #mark(after: Position, lastAt?: Position): PendingWork {
    return { kind: 'import', importId: this.#id, after, lastAt };
  }
}
