import { isDeepStrictEqual } from 'node:util';
import { isInForce, isLinkers, otherEnd, type Edge } from '../domain/edge.ts';
import { BrainError, isBrainError } from '../domain/error.ts';
import {
  archiveNode,
  createNode,
  deleteNode,
  restoreNode,
  updateNode,
  type Node,
  type NodeDecision,
  type NodeInput,
} from '../domain/node.ts';
import type { CategoryId, Instant, NodeId, OwnerId, Tag } from '../domain/values.ts';
import type { Related } from '../linking/link-index.ts';
import { keys, updateKey } from '../storage/keys.ts';
import type { Repositories } from '../storage/repositories.ts';
import type { Store } from '../storage/store.ts';
import type { Tx, WriteOptions } from '../storage/transaction.ts';
import type { NoteIndex } from './index-thread.ts';
import type { Linker } from './linker.ts';
import { toLinkable, type Ahead, type OwnerIndexes } from './owner-indexes.ts';
import { cutPage, fillPage, type ListPage, type PageOptions, type PageSource } from './pages.ts';
import { linkNow, unlink, type PendingService } from './pending.ts';
import type { Keep } from './receipts.ts';

/** A note with the edges now in force. */
export interface LinkedNode {
  readonly node: Node;
  readonly edges: readonly Edge[];
}

export interface NodeFilter {
  readonly tag?: Tag | undefined;
  readonly category?: CategoryId | undefined;
  readonly updatedSince?: Instant | undefined;
  /** Absent: those not archived. */
  readonly archived?: boolean | undefined;
  readonly sort: 'createdAt' | '-createdAt' | 'updatedAt' | '-updatedAt';
}

export interface RelatedNode extends Related {
  readonly node: Node;
  /** The edge that stands for it, where it was kept as one. */
  readonly edgeId?: string | undefined;
}

/** What is to become of a note; absent fields stay. */
export interface NotePatch {
  readonly input: NodeInput;
  readonly archived?: boolean | undefined;
}

/** Items of a note beside those of its tags and categories: itself, by update time, its source key. */
const OWN_ITEMS = 3;

/** Items that a note takes in the table, at most. */
export function itemsOf(node: Node): number {
  return node.tags.length + node.categories.length + OWN_ITEMS;
}

export type NodeService = ReturnType<typeof nodeService>;

/** Use cases on notes. Each change, with the links that follow from it, is one transaction. */
export function nodeService(needs: {
  readonly store: Store;
  readonly indexes: OwnerIndexes;
  readonly linker: Linker;
  readonly pending: PendingService;
  readonly newNodeId: () => NodeId;
}) {
  const { store, indexes, linker, pending } = needs;

  /**
   * Saves a decided change of a note and its links in one transaction. The rare one that is too large for that, such
   * as every tag replaced and every link as well, is stored first and linked next; a crash in between is made good.
   */
  async function saveLinked(
    owner: OwnerId,
    id: NodeId,
    decide: (tx: Tx) => Promise<NodeDecision>,
    keep?: Keep<LinkedNode>,
  ): Promise<LinkedNode> {
    const save = (linked: 'now' | 'next') =>
      indexes.write(owner, async (tx, ahead): Promise<LinkedNode & { readonly isLinked: boolean }> => {
        const decision = await decide(tx);
        const node = decision.after as Node;
        let isLinked = true;
        if (decision.events.length > 0) {
          await indexes.ready(owner, tx);
          tx.nodes.apply(decision);
          ahead.place(node);
          isLinked = linked === 'now' && (await linkNow(linker, tx, node, indexes));
          if (!isLinked) tx.pending.replace(undefined, markOf(node));
        }
        const edges = inForce(await tx.edges.of(id));
        await keep?.(tx, { node, edges });
        return { node, edges, isLinked };
      });
    const saved = await save('now').catch((error: unknown) => {
      if (isBrainError(error, 'too_large')) return save('next');
      throw error;
    });
    if (saved.isLinked) return saved;
    await pending.linkMarked(owner, [markOf(saved.node)]);
    const linked = { node: saved.node, edges: inForce(await store.read(owner).edges.of(id)) };
    if (keep) await store.write(owner, (tx) => keep(tx, linked));
    return linked;
  }

  async function edgesOf(owner: OwnerId, id: NodeId): Promise<readonly Edge[]> {
    const from = store.read(owner);
    await from.nodes.get(id);
    return withoutDangling(from, inForce(await from.edges.of(id)), await indexes.ready(owner));
  }

  return {
    /** Stores a new note at version 1, linked. Throws `invalid`, or `conflict` when its source key is taken. */
    async create(owner: OwnerId, input: NodeInput, keep?: Keep<LinkedNode>): Promise<LinkedNode> {
      const id = needs.newNodeId();
      return saveLinked(owner, id, (tx) => decideCreate(tx, id, input), keep);
    },

    get: (owner: OwnerId, id: NodeId): Promise<Node> => store.read(owner).nodes.get(id),

    list(
      owner: OwnerId,
      filter: NodeFilter,
      page: { readonly limit: number; readonly after?: string | undefined },
    ) {
      return fillPage(listing(store.read(owner).nodes, owner, filter), page);
    },

    /**
     * Changes the given fields, and archives or restores: an archived note is in no list, search or linking, and
     * keeps the edges that a person made. Throws `stale` when the note is not at `expectedVersion`.
     */
    async patch(owner: OwnerId, id: NodeId, patch: NotePatch, expectedVersion?: number): Promise<LinkedNode> {
      const { node, edges } = await saveLinked(owner, id, (tx) =>
        decidePatch(tx, id, patch, expectedVersion),
      );
      return { node, edges: await withoutDangling(store.read(owner), edges, await indexes.ready(owner)) };
    },

    /** Deletes the note and every edge of it. A hub's edges go in several transactions, the note in the first. */
    async delete(
      owner: OwnerId,
      id: NodeId,
      expectedVersion?: number,
      options?: WriteOptions,
    ): Promise<void> {
      const work = async (tx: Tx, ahead: Ahead): Promise<number> => {
        const node = await tx.nodes.get(id);
        checkVersion('note', node, expectedVersion);
        await indexes.ready(owner, tx);
        tx.nodes.apply(deleteNode(node, tx.now));
        ahead.remove(node);
        return unlink(tx, id, itemsOf(node));
      };
      const left = await indexes.write(owner, work, options);
      if (left > 0) await pending.finishUnlink(owner, id);
    },

    /** The edges of a note that are in force. Throws `not_found`. */
    edges: edgesOf,

    /** The same by pages, in the order in which they were made. */
    async edgePage(
      owner: OwnerId,
      id: NodeId,
      page: { readonly limit: number; readonly after?: string | undefined },
    ): Promise<ListPage<Edge>> {
      const edges = [...(await edgesOf(owner, id))].sort((a, b) => (a.id < b.id ? -1 : 1));
      return cutPage(edges, { keyOf: (edge) => edge.id, isAfter: (edge, key) => edge.id > key }, page);
    },

    /** The engine's ranking for a stored note, best first, kept as edges or not. `limit` is 1 to 50. */
    async related(owner: OwnerId, id: NodeId, limit: number): Promise<readonly RelatedNode[]> {
      const from = store.read(owner);
      const node = await from.nodes.get(id);
      const index = await indexes.ready(owner);
      const ranking = await (node.archived
        ? index.preview(toLinkable(node), limit)
        : index.related(id, limit));
      const edges = new Map(
        inForce(await from.edges.of(id)).map((edge) => [otherEnd(edge, id) as string, edge.id]),
      );
      return withNodes(from, ranking, (related) => ({ edgeId: edges.get(related.id) }));
    },

    /** What would be linked to a text that is not stored, and why; stores nothing. */
    async preview(owner: OwnerId, input: NodeInput, limit: number): Promise<readonly RelatedNode[]> {
      const index = await indexes.ready(owner);
      const now = new Date(0).toISOString() as Instant;
      const draft = createNode(input, { id: needs.newNodeId(), owner, now }).after as Node;
      return withNodes(store.read(owner), await index.previewLinks(toLinkable(draft), limit), () => ({}));
    },
  };
}

/**
 * Throws `stale` where the thing is at another version. Then `details.differing` names those of the fields to be
 * changed that are stored with another value: where there are none, the change is as good as made.
 */
export function checkVersion(
  what: string,
  current: { readonly version: number },
  expected: number | undefined,
  change?: object,
): void {
  const { version } = current;
  if (expected === undefined || expected === version) return;
  const stored = new Map(Object.entries(current));
  const differing = Object.entries(change ?? {})
    .filter(([field, value]) => value !== undefined && !isDeepStrictEqual(value, stored.get(field)))
    .map(([field]) => field);
  throw new BrainError('stale', `the ${what} is at version ${version}, not ${expected}; read it again`, {
    details: { currentVersion: version, expectedVersion: expected, ...(change && { differing }) },
  });
}

/** Promises that the note is linked as it is. */
const markOf = ({ id, version }: Node) => ({ kind: 'link', nodeId: id, version }) as const;

export function inForce(edges: readonly Edge[]): readonly Edge[] {
  return edges.filter(isInForce);
}

/**
 * Leaves out edges to notes whose deletion is still under way, and the linker's to archived ones, which are in no
 * index; the linker brings them back, or takes them away, when the note is restored or its neighbor edited.
 */
export async function withoutDangling(
  from: Repositories,
  edges: readonly Edge[],
  index: Pick<NoteIndex, 'has'>,
): Promise<readonly Edge[]> {
  const ends = [...new Set(edges.flatMap((edge) => [edge.sourceId, edge.targetId]))];
  const there = new Set(await from.nodes.existing(ends));
  return edges.filter(
    (edge) =>
      there.has(edge.sourceId) &&
      there.has(edge.targetId) &&
      (!isLinkers(edge) || (index.has(edge.sourceId) && index.has(edge.targetId))),
  );
}

async function withNodes<T>(
  from: Repositories,
  ranking: readonly Related[],
  more: (related: Related) => T,
): Promise<readonly (Related & { readonly node: Node } & T)[]> {
  const nodes = new Map(
    (await from.nodes.batchGet(ranking.map((r) => r.id as NodeId))).map((n) => [n.id as string, n]),
  );
  return ranking.flatMap((related) => {
    const node = nodes.get(related.id);
    return node ? [{ ...related, node, ...more(related) }] : [];
  });
}

/** Throws `invalid`, or `conflict` when its source key is taken. */
export async function decideCreate(tx: Tx, id: NodeId, input: NodeInput): Promise<NodeDecision> {
  await checkSourceFree(tx, input.source?.key, id);
  return createNode(input, { id, owner: tx.owner, now: tx.now });
}

/** Throws `not_found`, `stale` or `invalid`. */
export async function decidePatch(
  tx: Tx,
  id: NodeId,
  { input, archived }: NotePatch,
  expectedVersion: number | undefined,
): Promise<NodeDecision> {
  const node = await tx.nodes.get(id);
  checkVersion('note', node, expectedVersion, { ...input, archived });
  const updated = updateNode(node, input, tx.now);
  if (archived === undefined) return updated;
  const after = updated.after as Node;
  const moved = archived ? archiveNode(after, tx.now) : restoreNode(after, tx.now);
  return { before: node, after: moved.after, events: [...updated.events, ...moved.events] };
}

/** Throws `conflict` where the source key is that of another note than `id`. */
export async function checkSourceFree(
  from: Repositories,
  key: string | undefined,
  id: NodeId,
): Promise<void> {
  if (key === undefined) return;
  const taken = (await from.nodes.bySourceKeys([key])).get(key);
  if (taken !== undefined && taken !== id) {
    throw new BrainError('conflict', 'a note of this source key exists', { details: { nodeId: taken } });
  }
}

type NodePage = Promise<ListPage<Node>>;

/** The index that serves the filter best, and what it leaves to check. */
function listing(nodes: Repositories['nodes'], owner: OwnerId, filter: NodeFilter): PageSource<Node> {
  const { tag, category, updatedSince, sort } = filter;
  const reverse = sort.startsWith('-');
  const byUpdate = sort.endsWith('updatedAt');
  if ((tag !== undefined || category !== undefined) && byUpdate) {
    throw new BrainError('invalid', 'a list by tag or category is sorted by createdAt', {
      issues: [
        { pointer: '/sort', code: 'sort', message: 'with tag or category, sort is createdAt or -createdAt' },
      ],
    });
  }
  const byUpdateFrom = async (options: PageOptions): NodePage => {
    if (updatedSince === undefined) return nodes.listByUpdate({ ...options, reverse });
    if (!reverse) return nodes.listByUpdate({ ...options, after: options.after ?? updateKey(updatedSince) });
    const page = await nodes.listByUpdate({ ...options, reverse });
    const last = page.items.at(-1);
    return last && last.updatedAt < updatedSince ? { items: page.items } : page; // all that follow are older
  };
  const read = (options: PageOptions): NodePage => {
    if (tag !== undefined) return nodes.listByTag(tag, { ...options, reverse });
    if (category !== undefined) return nodes.listByCategory(category, { ...options, reverse });
    return byUpdate ? byUpdateFrom(options) : nodes.list({ ...options, reverse });
  };
  const keyOf = ({ id, updatedAt }: Node): string => {
    if (tag !== undefined) return keys.tagOfNode(owner, tag, id).sk;
    if (category !== undefined) return keys.nodeInCategory(owner, category, id).sk;
    return (byUpdate ? keys.nodeByUpdate(owner, updatedAt, id) : keys.node(owner, id)).sk;
  };
  const keep = (node: Node): boolean =>
    node.archived === (filter.archived ?? false) &&
    (updatedSince === undefined || node.updatedAt >= updatedSince) &&
    (category === undefined || node.categories.some((c) => c.categoryId === category));
  return { read, keep, keyOf };
}
