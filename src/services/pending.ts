import { deleteEdge } from '../domain/edge.ts';
import type { NodeId, OwnerId } from '../domain/values.ts';
import { mapConcurrent } from '../shared/map-concurrent.ts';
import type { Store } from '../storage/store.ts';
import { TABLE_LIMITS } from '../storage/table.ts';
import type { Tx } from '../storage/transaction.ts';
import type { Linker } from './linker.ts';
import type { OwnerIndexes } from './owner-indexes.ts';

/** Notes decided in one round when many are linked: about 15 ms of the event loop. */
const NOTES_AT_ONCE = 64;
/** Head, log item and the mark itself. */
const RESERVED_OPS = 3;
const OPS_AN_EDGE = 3;

export type PendingService = ReturnType<typeof pendingService>;

/**
 * Work that was promised with a commit and is done after it: the links of imported notes, the last edges of a
 * deleted hub. Its marks are stored with what promised it, so a crash leaves nothing half: `finish` goes on.
 */
export function pendingService(needs: {
  readonly store: Store;
  readonly indexes: OwnerIndexes;
  readonly linker: Linker;
}) {
  const { store, indexes, linker } = needs;

  async function link(owner: OwnerId, ids: readonly NodeId[], signal?: AbortSignal): Promise<void> {
    await mapConcurrent(ids, { limit: NOTES_AT_ONCE, signal }, (id) =>
      store.write(owner, async (tx) => {
        const node = await tx.nodes.find(id);
        if (node) await linker.link(tx, node, { index: await indexes.ready(owner, tx), content: true });
        // A note deleted meanwhile may have a mark of another kind in its place: that one stays.
        else if ((await tx.pending.find(id))?.kind !== 'link') return;
        tx.pending.replace({ nodeId: id, kind: 'link' }, undefined);
      }),
    );
  }

  async function finishUnlink(owner: OwnerId, id: NodeId): Promise<void> {
    while ((await store.write(owner, (tx) => unlink(tx, id, 0))) > 0);
  }

  return {
    link,
    finishUnlink,
    /** Does all that is marked; run at start. Gives how much there was. */
    async finish(owner: OwnerId): Promise<number> {
      const marks = await Array.fromAsync(store.read(owner).pending.all());
      for (const mark of marks) if (mark.kind === 'unlink') await finishUnlink(owner, mark.nodeId);
      await link(
        owner,
        marks.filter((mark) => mark.kind === 'link').map((mark) => mark.nodeId),
      );
      return marks.length;
    },
  };
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
