import type { LinkableNote } from '../linking/link-index.ts';
import { isBrainError } from '../domain/error.ts';
import type { DomainEvent } from '../domain/event.ts';
import type { Node } from '../domain/node.ts';
import type { NodeId, OwnerId, Position } from '../domain/values.ts';
import type { Changes } from '../storage/log.ts';
import type { Store } from '../storage/store.ts';
import type { Repositories } from '../storage/repositories.ts';
import type { Commit, Tx, WriteOptions } from '../storage/transaction.ts';
import { openSnapshot, saveSnapshot, type SnapshotStore } from './index-snapshot.ts';
import type { IndexThread, NoteIndex } from './index-thread.ts';

/** Events after which a new snapshot is worth writing, once the owner is quiet: writing it takes a while. */
const TAIL_EVENTS = 2_000;
/** Events that a start after a crash has to read again at most; then the snapshot is written also while busy. */
const TAIL_LIMIT = 100_000;
const CHANGES_PAGE = 2_000;
const NODES_PAGE = 500;

/** The index of one owner and how far in the log it is. */
interface OwnerIndex {
  readonly links: NoteIndex;
  position: Position;
  /** Nodes whose entry may differ from the stored one: read again before the next use. */
  readonly doubtful: Set<NodeId>;
  /** Nodes whose entry is of a transaction that is not committed yet, and the version that it leads them to. */
  readonly ahead: Map<NodeId, number>;
  /** The last event in the stored snapshot. */
  savedSeq: number;
  /** The last event at the last upkeep: if it is still the last, the owner is quiet. */
  upkeptSeq: number;
  /** When it was used last, by `performance.now()`. */
  lastUseMs: number;
}

/** Of an index in memory: its notes, the events it lacks, and those that its snapshot lacks. */
export interface Freshness {
  readonly notes: number;
  readonly behind: number;
  readonly unsaved: number;
}

/** How a piece of work tells the index of its notes ahead of their commit. */
export interface Ahead {
  place(node: Node): void;
  /** Takes the note as it was. */
  remove(node: Node): void;
}

/**
 * The indexes of the owners served here, each a projection of its owner's log: it starts from its snapshot, takes
 * the log's tail, and before it answers it takes whatever was committed since, here or by another process.
 */
export class OwnerIndexes {
  readonly #store: Store;
  readonly #snapshots: SnapshotStore;
  readonly #thread: IndexThread;
  readonly #opening = new Map<OwnerId, Promise<OwnerIndex>>();
  readonly #live = new Map<OwnerId, OwnerIndex>();
  readonly #stopListening: () => void;

  constructor(needs: {
    readonly store: Store;
    readonly snapshots: SnapshotStore;
    readonly thread: IndexThread;
  }) {
    this.#store = needs.store;
    this.#thread = needs.thread;
    this.#snapshots = needs.snapshots;
    this.#stopListening = needs.store.onCommit((commit) => {
      const index = this.#live.get(commit.owner);
      if (index) follow(index, commit);
    });
  }

  /**
   * The owner's index as of all that is committed and, inside a transaction (`tx`), of what it sees.
   * Opens it on first use: some milliseconds from a snapshot, about 0.1 ms a note without one.
   */
  async ready(owner: OwnerId, tx?: Tx): Promise<NoteIndex> {
    const index = await this.#open(owner);
    index.lastUseMs = performance.now();
    const { epoch, seq } = tx?.committed ?? (await this.#store.head(owner));
    if (seq > index.position.seq || epoch !== index.position.epoch) await this.#catchUp(index, owner);
    if (index.doubtful.size > 0) {
      await settleDoubtful(index, tx ?? this.#store.read(owner), tx);
    }
    return index.links;
  }

  /**
   * A write whose work tells the index, which it has made ready, of notes ahead of their commit. If a run of it comes
   * to nothing, what it told is read again from the store before the next use, by whatever is decided next.
   */
  write<T>(
    owner: OwnerId,
    work: (tx: Tx, ahead: Ahead) => Promise<T>,
    options?: Pick<WriteOptions, 'bulk'>,
  ): Promise<T> {
    const told = new Set<NodeId>();
    const tell = (id: NodeId, version: number, change: (links: NoteIndex) => void): void => {
      const index = this.#live.get(owner);
      if (!index) return;
      told.add(id);
      index.ahead.set(id, version);
      change(index.links);
    };
    const ahead: Ahead = {
      place: (node) => tell(node.id, node.version, (links) => place(links, node)),
      remove: ({ id, version }) => tell(id, version + 1, (links) => links.remove(id)),
    };
    const onUndone = (): void => this.#doubt(owner, told);
    return this.#store.write(owner, (tx) => work(tx, ahead), { ...options, onUndone });
  }

  #doubt(owner: OwnerId, ids: Iterable<NodeId>): void {
    const index = this.#live.get(owner);
    for (const id of ids) {
      index?.ahead.delete(id);
      index?.doubtful.add(id);
    }
  }

  /** How far the index of an owner is behind the log, and its snapshot behind it; undefined while it is not in memory. */
  async freshness(owner: OwnerId): Promise<Freshness | undefined> {
    const index = this.#live.get(owner);
    if (!index) return undefined;
    const head = await this.#store.head(owner);
    return {
      notes: index.links.size,
      behind: head.seq - index.position.seq + index.doubtful.size,
      unsaved: index.position.seq - Math.max(0, index.savedSeq),
    };
  }

  /** Stores a snapshot of each index whose tail has grown long; called now and then. */
  async upkeep(): Promise<void> {
    for (const [owner, index] of this.#live) {
      const quiet = index.position.seq === index.upkeptSeq;
      index.upkeptSeq = index.position.seq;
      const tail = index.position.seq - index.savedSeq;
      if (tail >= (quiet ? TAIL_EVENTS : TAIL_LIMIT)) await this.#save(owner, index);
    }
  }

  /** Stores a snapshot of the owner's index as of now, and lets go of it. Gives where in the log it stands. */
  async keep(owner: OwnerId): Promise<Position> {
    await this.ready(owner);
    const index = await this.#open(owner);
    await this.#save(owner, index);
    await this.#letGo(owner, index);
    return index.position;
  }

  /**
   * Lets go of the indexes that were not used for longest, until the others hold so many notes at most; the one used
   * last stays, and so does what was used within `idleMs`, for somebody may still be at it. What is not stored yet is
   * stored first if `saves`.
   */
  async keepWithin(notes: number, { idleMs = 0, saves = false } = {}): Promise<void> {
    const byUse = Array.from(this.#live).sort(([, a], [, b]) => b.lastUseMs - a.lastUseMs);
    const isIdle = ({ lastUseMs }: OwnerIndex): boolean => performance.now() - lastUseMs >= idleMs;
    let held = 0;
    for (const [at, [owner, index]] of byUse.entries()) {
      held += index.links.size;
      if (at === 0 || held <= notes || !isIdle(index)) continue;
      if (saves) await this.#save(owner, index);
      if (isIdle(index)) await this.#letGo(owner, index); // it may have been used while it was stored
    }
  }

  /** Stores what is not stored yet, and lets go of everything. */
  async close(): Promise<void> {
    this.#stopListening();
    try {
      for (const [owner, index] of this.#live) await this.#save(owner, index);
    } finally {
      this.#live.clear();
      this.#opening.clear();
      await this.#thread.close();
    }
  }

  async #letGo(owner: OwnerId, index: OwnerIndex): Promise<void> {
    this.#live.delete(owner);
    this.#opening.delete(owner);
    await index.links.close();
  }

  /** Callers that come while it opens wait for the same opening; one that fails is tried again by the next. */
  #open(owner: OwnerId): Promise<OwnerIndex> {
    if (this.#live.get(owner)?.links.isLost) {
      this.#live.delete(owner);
      this.#opening.delete(owner);
    }
    let opening = this.#opening.get(owner);
    if (!opening) {
      opening = this.#load(owner);
      this.#opening.set(owner, opening);
      opening.catch(() => this.#opening.delete(owner));
    }
    return opening;
  }

  async #load(owner: OwnerId): Promise<OwnerIndex> {
    const saved = await openSnapshot(this.#snapshots, this.#thread, owner, await this.#store.head(owner));
    const index: OwnerIndex = saved
      ? {
          ...saved,
          ahead: new Map(),
          savedSeq: saved.position.seq,
          upkeptSeq: saved.position.seq,
          lastUseMs: performance.now(),
        }
      : await rebuild(this.#store, owner, await this.#thread.open());
    await this.#catchUp(index, owner);
    this.#live.set(owner, index);
    return index;
  }

  /** Takes the log's tail; an index of another log, or of one trimmed past it, is rebuilt in place. */
  async #catchUp(index: OwnerIndex, owner: OwnerId): Promise<void> {
    const head = await this.#store.head(owner);
    if (isBlank(index.position) && head.floorSeq === 0) index.position = { epoch: head.epoch, seq: 0 };
    const sameLog = head.epoch === '' || head.epoch === index.position.epoch;
    if (!sameLog || index.position.seq < head.floorSeq) {
      await refill(index, this.#store, owner);
      return;
    }
    while (index.position.seq < head.seq) {
      const changes = await this.#changesAfter(owner, index.position);
      if (!changes) return this.#catchUp(index, owner);
      doubt(
        index,
        changes.events.map(({ event }) => event),
      );
      if (changes.position.seq > index.position.seq) index.position = changes.position;
    }
  }

  /** Undefined where the log was trimmed, or became another one, since its head was read. */
  async #changesAfter(owner: OwnerId, position: Position): Promise<Changes | undefined> {
    try {
      return await this.#store.changes(owner, position, CHANGES_PAGE);
    } catch (error) {
      if (isBrainError(error, 'position_gone')) return undefined;
      throw error;
    }
  }

  async #save(owner: OwnerId, index: OwnerIndex): Promise<void> {
    if (index.position.seq === index.savedSeq) return;
    await settleDoubtful(index, this.#store.read(owner));
    const { links, position, ahead, doubtful } = index;
    const unsure = [...new Set([...ahead.keys(), ...doubtful])];
    await saveSnapshot(this.#snapshots, owner, { links, position, doubtful: unsure });
    index.savedSeq = position.seq;
  }
}

/** Reads doubtful nodes as a transaction sees them; what is not committed there stays in doubt, for it may never be. */
async function settleDoubtful(
  index: OwnerIndex,
  from: Repositories,
  tx?: Pick<Tx, 'isUncommitted'>,
): Promise<void> {
  const rest = new Set(index.doubtful);
  while (rest.size > 0) {
    const { position } = index;
    const page = rest.values().take(NODES_PAGE).toArray();
    const stored = new Map((await from.nodes.batchGet(page)).map((node) => [node.id, node]));
    if (index.position !== position) {
      for (const id of index.doubtful) rest.add(id);
      continue; // a commit came meanwhile: what was read may be the past
    }
    for (const id of page) {
      const node = stored.get(id);
      rest.delete(id);
      if (!tx && index.ahead.has(id)) continue; // told by a write under way while this was read: that is newer
      if (node) place(index.links, node);
      else index.links.remove(id);
      if (!tx?.isUncommitted(id)) index.doubtful.delete(id);
    }
  }
}

export function toLinkable(node: Node): LinkableNote {
  return {
    id: node.id,
    title: node.title,
    aliases: node.aliases,
    tags: node.tags,
    text: node.content,
    version: node.version,
  };
}

/** An archived note is found by nobody, so it is not in the index. */
function place(links: NoteIndex, node: Node): void {
  if (node.archived) links.remove(node.id);
  else links.put(toLinkable(node));
}

/** Own commits are in the index already, put there by the services; what is not, is doubted. */
function follow(index: OwnerIndex, commit: Commit): void {
  if (isBlank(index.position)) index.position = { epoch: commit.epoch, seq: 0 };
  for (const event of commit.events) {
    if (!('nodeId' in event)) continue;
    if ((index.ahead.get(event.nodeId) ?? 0) <= event.version) index.ahead.delete(event.nodeId); // else a later one is
  }
  if (commit.from !== index.position.seq + 1) return; // another process wrote in between: the tail is read at next use
  doubt(index, commit.events);
  index.position = { epoch: commit.epoch, seq: commit.to };
}

/** Notes of which committed events say what the index does not know, nor was told ahead of the commit. */
function doubt(index: OwnerIndex, events: Iterable<DomainEvent>): void {
  for (const event of events) {
    if (!('nodeId' in event) || (index.ahead.get(event.nodeId) ?? 0) >= event.version) continue;
    const known = index.links.versionOf(event.nodeId);
    const leaves = event.type === 'node.deleted' || event.type === 'node.archived';
    if (leaves ? known !== undefined : known === undefined || known < event.version)
      index.doubtful.add(event.nodeId);
  }
}

/** Before the first event of all. */
function isBlank({ epoch, seq }: Position): boolean {
  return epoch === '' && seq === 0;
}

async function rebuild(store: Store, owner: OwnerId, links: NoteIndex): Promise<OwnerIndex> {
  const index: OwnerIndex = {
    links,
    position: { epoch: '', seq: 0 },
    doubtful: new Set(),
    ahead: new Map(),
    savedSeq: 0,
    upkeptSeq: 0,
    lastUseMs: performance.now(),
  };
  await refill(index, store, owner);
  return index;
}

/** Reads every note. What is written meanwhile comes after `position`, so the tail brings it. */
async function refill(index: OwnerIndex, store: Store, owner: OwnerId): Promise<void> {
  const { epoch, seq } = await store.head(owner);
  for (const id of Array.from(index.links.ids())) index.links.remove(id);
  for await (const node of store.read(owner).nodes.all()) place(index.links, node);
  index.position = { epoch, seq };
  index.savedSeq = -1;
}
