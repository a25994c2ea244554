import { isDeepStrictEqual } from 'node:util';
import { deleteEdge } from '../domain/edge.ts';
import { isBrainError } from '../domain/error.ts';
import type { NodeId, OwnerId, Position } from '../domain/values.ts';
import { assertNever } from '../shared/assert.ts';
import { eachConcurrent } from '../shared/each-concurrent.ts';
import type { PendingWork } from '../storage/repositories.ts';
import type { Store } from '../storage/store.ts';
import { TABLE_LIMITS } from '../storage/table.ts';
import type { Tx } from '../storage/transaction.ts';
import type { BareNotes } from './bare-notes.ts';
import type { References } from './import-links.ts';
import type { IndexedLinks } from './index-thread.ts';
import { isLeased } from './lease.ts';
import type { Linker, Review } from './linker.ts';
import type { OwnerIndexes } from './owner-indexes.ts';
import { askedByOthers, askedByThis, PairTurns, type AskedEdges } from './pair-turns.ts';

/** Head, log item and the mark itself. */
const RESERVED_OPS = 3;
const OPS_AN_EDGE = 3;
const CHANGES_PAGE = 2_000;

export interface LinkOptions {
  /** The links that a person wrote in the notes. */
  readonly references?: References | undefined;
  /** Notes that were made just now, so that nothing about their edges is stored. */
  readonly bare?: BareNotes | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Of a run that people look through; `isDry`: what it takes is not applied. */
  readonly review?: (Omit<Review, 'skip'> & { readonly isDry: boolean }) | undefined;
}

export interface FinishOptions extends Pick<LinkOptions, 'signal'> {
  readonly spares?: boolean | undefined;
}

/** How many marks there were. */
export interface Finished {
  readonly done: number;
  readonly spared: number;
}

type LinkMark = PendingWork & { readonly kind: 'link' };

export type PendingService = ReturnType<typeof pendingService>;

/**
 * Work that was promised with a commit and is done after it: the links of imported notes, the last edges of a
 * deleted hub. Its marks are stored with what promised it, so a crash leaves nothing half: `finish` goes on.
 */
export function pendingService(needs: {
  readonly store: Store;
  readonly indexes: OwnerIndexes;
  readonly linker: Linker;
  readonly nowMs: () => number;
}) {
  const { store, indexes, linker, nowMs } = needs;

  /** Brings the edges of many notes to what their texts ask for; yields how many are done. */
  async function* link(
    owner: OwnerId,
    ids: readonly NodeId[],
    options: LinkOptions = {},
  ): AsyncGenerator<number> {
    if (ids.length === 0) return;
    let done = 0;
    const index = await indexes.ready(owner);
    // A run that people look through is held against one made anew; others against the notes that came before them.
    await index.settle({ exact: options.review !== undefined });
    const { references, signal } = options;
    const byContent = new PairTurns(ids, (id) => index.versionOf(id));
    const byHand = references && new PairTurns(ids, (id) => index.versionOf(id));
    yield* eachConcurrent(index.links(ids), { limit: store.bulkAtOnce, signal }, async (note) => {
      // Here, and not when it is stored: what is asked of a later note is to be known at its turn.
      const asked = {
        content: byContent.take(note),
        references: byHand?.take({ ...note, links: references?.of(note.id) ?? [] }),
      };
      let skip = 0;
      while (!(await store.write(owner, (tx) => linkOne(tx, note, asked, options, skip), { bulk: true })))
        if (options.review?.isDry) skip += options.review.most;
      return ++done;
    });
  }

  /** As much of a note's edges as fits in a transaction; gives whether all is done. */
  async function linkOne(
    tx: Tx,
    { id, version }: IndexedLinks,
    asked: { readonly content: AskedEdges; readonly references: AskedEdges | undefined },
    { references, bare, review }: LinkOptions,
    skip: number,
  ): Promise<boolean> {
    const index = await indexes.ready(tx.owner, tx);
    // The index says as much as linking asks of a note; reading its text again would be for nothing.
    const known = index.has(id) && { id, owner: tx.owner, archived: false };
    const node = known || (await tx.nodes.find(id));
    if (!node) return true; // deleted meanwhile
    return linker.link(tx, node, {
      index,
      // A note that was changed since it was ranked has been linked with its change: that stays.
      content: index.versionOf(id) === version ? asked.content : askedByOthers(asked.content),
      references: asked.references,
      isBare: bare?.has(id, tx),
      review: review && { ...review, skip },
      claimed: references && ((other) => references.connects(other, id)),
    });
  }

  /** The links written in notes whose texts are linked already. */
  async function* linkReferences(
    owner: OwnerId,
    ids: readonly NodeId[],
    references: References,
    { signal }: LinkOptions = {},
  ): AsyncGenerator<number> {
    let done = 0;
    yield* eachConcurrent(ids, { limit: store.bulkAtOnce, signal }, async (id) => {
      const step = async (tx: Tx): Promise<boolean> => {
        const node = await tx.nodes.find(id);
        const index = await indexes.ready(owner, tx);
        return !node || linker.link(tx, node, { index, references: askedByThis(references.of(id)) });
      };
      while (!(await store.write(owner, step, { bulk: true })));
      return ++done;
    });
  }

  async function finishUnlink(owner: OwnerId, id: NodeId): Promise<void> {
    const step = async (tx: Tx): Promise<number> => {
      if ((await tx.nodes.existing([id])).length === 0) return unlink(tx, id, 0);
      // An import has brought the note back: its edges are its own again.
      await unmark(tx, { kind: 'unlink', nodeId: id });
      return 0;
    };
    while ((await store.write(owner, step, { bulk: true })) > 0);
  }

  /** Takes a mark away, unless another has come into its place since it was read: that promises more. */
  async function unmark(tx: Tx, mark: PendingWork): Promise<void> {
    const now = await tx.pending.find(mark.kind === 'import' ? mark.importId : mark.nodeId);
    if (isDeepStrictEqual(now, mark)) tx.pending.replace(mark, undefined);
  }

  /** Links notes, each of which bears a mark of its own. */
  async function linkMarked(
    owner: OwnerId,
    marks: readonly LinkMark[],
    { signal }: Pick<LinkOptions, 'signal'> = {},
  ): Promise<void> {
    const ids = marks.map(({ nodeId }) => nodeId);
    await Array.fromAsync(link(owner, ids, { signal }));
    const unmarked = eachConcurrent(marks, { limit: store.bulkAtOnce, signal }, (mark) =>
      store.write(owner, (tx) => unmark(tx, mark), { bulk: true }),
    );
    await Array.fromAsync(unmarked);
  }

  /** The notes that were stored after a position; all there are where the log does not go back so far. */
  async function storedAfter(owner: OwnerId, after: Position): Promise<readonly NodeId[]> {
    const stored = new Set<NodeId>();
    try {
      for (let from = after; ;) {
        const { events, position, hasMore } = await store.changes(owner, from, CHANGES_PAGE);
        for (const { event } of events)
          if (event.type.startsWith('node.') && 'nodeId' in event) stored.add(event.nodeId);
        if (!hasMore) break;
        from = position;
      }
    } catch (error) {
      if (!isBrainError(error, 'position_gone')) throw error;
      return [...(await indexes.ready(owner)).ids()] as NodeId[];
    }
    const index = await indexes.ready(owner);
    return [...stored].filter((id) => index.has(id));
  }

  return {
    link,
    linkReferences,
    finishUnlink,
    linkMarked,
    /**
     * Does all that is marked. What an abort leaves keeps its mark. `spares`: leaves to other processes what they have
     * under way, which else is linked as far as it has come.
     */
    async finish(owner: OwnerId, { signal, spares = false }: FinishOptions = {}): Promise<Finished> {
      const all = await Array.fromAsync(store.read(owner).pending.all());
      const marks = spares ? all.filter((mark) => !isUnderWay(mark, nowMs())) : all;
      const marked: LinkMark[] = [];
      for (const mark of marks) {
        signal?.throwIfAborted();
        if (mark.kind === 'link') marked.push(mark);
        else if (mark.kind === 'unlink') await finishUnlink(owner, mark.nodeId);
        else if (mark.kind === 'import') {
          await Array.fromAsync(link(owner, await storedAfter(owner, mark.after), { signal }));
          await store.write(owner, (tx) => unmark(tx, mark));
        } else assertNever(mark);
      }
      await linkMarked(owner, marked, { signal });
      return { done: marks.length, spared: all.length - marks.length };
    },
  };
}

const isUnderWay = (mark: PendingWork, nowMs: number): boolean =>
  mark.kind === 'import' && isLeased(mark.until, nowMs);

/** For a note that is stored, in its own transaction. */
export async function linkNow(
  linker: Linker,
  tx: Tx,
  node: Parameters<Linker['link']>[1],
  indexes: OwnerIndexes,
): Promise<boolean> {
  const index = await indexes.ready(tx.owner, tx);
  const links = node.archived ? [] : await index.linksOf(node.id);
  return linker.link(tx, node, { index, content: askedByThis(links) });
}

/**
 * Deletes as many edges of a note that is gone as fit beside `otherOps`, and keeps a mark while some remain.
 * Gives how many do.
 */
export async function unlink(tx: Tx, id: NodeId, otherOps: number): Promise<number> {
  const edges = await tx.edges.of(id);
  const room = Math.floor((TABLE_LIMITS.opsInTransaction - RESERVED_OPS - otherOps) / OPS_AN_EDGE);
  for (const edge of edges.slice(0, room)) tx.edges.apply(deleteEdge(edge, 'person', tx.now));
  const left = Math.max(0, edges.length - room);
  const marked = await tx.pending.find(id);
  tx.pending.replace(marked, left > 0 ? { nodeId: id, kind: 'unlink' } : undefined);
  return left;
}
