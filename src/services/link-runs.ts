import type { NodeDecision } from '../domain/node.ts';
import type { NodeId, OwnerId, Position } from '../domain/values.ts';
import type { PendingWork } from '../storage/repositories.ts';
import type { Store } from '../storage/store.ts';
import type { Tx } from '../storage/transaction.ts';
import { BareNotes } from './bare-notes.ts';
import { HEARTBEAT_MS, leaseFrom } from './lease.ts';
import type { Ahead, OwnerIndexes } from './owner-indexes.ts';

interface RunNeeds {
  readonly store: Store;
  readonly indexes: OwnerIndexes;
  readonly newNodeId: () => NodeId;
  /** Other processes may come upon the marks of a run. */
  readonly isShared: boolean;
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
    /** The caller stops it, whatever comes, and waits for that. */
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
 * in the log on: should the run be cut off, `pending.finish` links it all the same. The mark of a run that goes on is
 * under a lease, which other processes heed unless they are asked for all. They may then take it away: so the next
 * change brings it again.
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
  #beating: Promise<void> | undefined;
  readonly #heart: NodeJS.Timeout | undefined;

  constructor(needs: RunNeeds, owner: OwnerId, onStop: () => void) {
    this.#needs = needs;
    this.#owner = owner;
    this.#onStop = onStop;
    this.#id = needs.newNodeId();
    this.bare = new BareNotes(needs.store, owner);
    if (needs.isShared) this.#heart = setInterval(() => this.#beat(), HEARTBEAT_MS);
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
    tx.pending.replace(undefined, {
      ...this.#mark(this.#after),
      lastAt: position,
      ...(this.#needs.isShared && { until: leaseFrom(Date.parse(tx.now)) }),
    });
  }

  /** All that was promised is done: its mark goes, in one transaction with `also`. */
  async end(also?: (tx: Tx) => Promise<void>): Promise<void> {
    const mark = this.#after && this.#mark(this.#after);
    if (!mark && !also) return;
    const settle = async (tx: Tx): Promise<void> => {
      if (mark) tx.pending.replace(mark, undefined);
      await also?.(tx);
    };
    await this.#needs.store.write(this.#owner, settle, { bulk: true });
  }

  /** Lets go of the store. */
  async stop(): Promise<void> {
    clearInterval(this.#heart);
    await this.#beating;
    this.bare.stop();
    this.#onStop();
  }

  /** Says that the run goes on while it stores nothing, for it links what it has stored. */
  #beat(): void {
    this.#beating ??= this.#needs.store
      .write(this.#owner, (tx) => this.#renew(tx), { bulk: true })
      .catch(() => {}) // at worst another process links the same once more
      .finally(() => (this.#beating = undefined));
  }

  async #renew(tx: Tx): Promise<void> {
    const mark = await tx.pending.find(this.#id);
    if (mark?.kind !== 'import' || mark.until === undefined) return; // all is done, or was by another
    const nowMs = Date.parse(tx.now);
    if (mark.until > leaseFrom(nowMs - HEARTBEAT_MS)) return; // a note did it just now
    tx.pending.replace(mark, { ...mark, until: leaseFrom(nowMs) });
  }

  #mark(after: Position): Extract<PendingWork, { readonly kind: 'import' }> {
    return { kind: 'import', importId: this.#id, after };
  }
}
