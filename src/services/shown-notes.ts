import type { NodeId, OwnerId } from '../domain/values.ts';
import type { Store } from '../storage/store.ts';

/** A note as it is shown to its readers. */
export interface ShownNote {
  readonly version: number;
  readonly json: string;
}

/** Kept at most; above either all are made anew. */
const MOST_CHARACTERS = 16 * 1024 * 1024;
const MOST_OWNERS = 1_000;
/**
 * A commit that failed may have been done all the same, and nobody is told of it: so long at most is then shown what
 * was there before.
 */
const LONGEST_MS = 1_000;

interface OfOwner {
  readonly notes: Map<NodeId, ShownNote>;
  readonly untilMs: number;
}

/**
 * The JSON of notes that were read a moment ago, which spares reading and writing it again. Any commit of the owner
 * ends what is kept of them, before whoever changed it is answered. Keeps nothing where other processes write.
 */
export class ShownNotes {
  readonly #isShared: boolean;
  readonly #owners = new Map<OwnerId, OfOwner>();
  #characters = 0;

  constructor({ store, isShared }: { readonly store: Store; readonly isShared: boolean }) {
    this.#isShared = isShared;
    if (!isShared) store.onCommit(({ owner }) => this.#forget(owner));
  }

  find(owner: OwnerId, id: NodeId): ShownNote | undefined {
    const kept = this.#owners.get(owner);
    return kept && performance.now() < kept.untilMs ? kept.notes.get(id) : undefined;
  }

  /** Gives what `read` gives, and keeps it unless the owner's notes have changed meanwhile. */
  async keep(owner: OwnerId, id: NodeId, read: () => Promise<ShownNote>): Promise<ShownNote> {
    const kept = this.#isShared ? undefined : this.#of(owner);
    const shown = await read();
    if (!kept || this.#owners.get(owner) !== kept) return shown;
    if (this.#characters + shown.json.length > MOST_CHARACTERS) this.#forgetAll();
    else if (!kept.notes.has(id)) {
      kept.notes.set(id, shown);
      this.#characters += shown.json.length;
    }
    return shown;
  }

  #of(owner: OwnerId): OfOwner {
    const now = performance.now();
    const before = this.#owners.get(owner);
    if (before && now < before.untilMs) return before;
    this.#forget(owner);
    if (this.#owners.size >= MOST_OWNERS) this.#forgetAll();
    const kept = { notes: new Map<NodeId, ShownNote>(), untilMs: now + LONGEST_MS };
    this.#owners.set(owner, kept);
    return kept;
  }

  #forget(owner: OwnerId): void {
    for (const { json } of this.#owners.get(owner)?.notes.values() ?? []) this.#characters -= json.length;
    this.#owners.delete(owner);
  }

  #forgetAll(): void {
    this.#owners.clear();
    this.#characters = 0;
  }
}
