import {
  assignCategory,
  createNode,
  removeCategory,
  updateNode,
  type Node,
  type NodeInput,
} from '../domain/node.ts';
import { toBrainError, type BrainError, type ErrorCode, type Issue } from '../domain/error.ts';
import type { Decision } from '../domain/decision.ts';
import { weight, type CategoryId, type NodeId, type OwnerId } from '../domain/values.ts';
import { mapConcurrent } from '../shared/map-concurrent.ts';
import type { Store } from '../storage/store.ts';
import type { Tx } from '../storage/transaction.ts';
import type { CategoryService } from './categories.ts';
import type { Linker, Wanted } from './linker.ts';
import type { NodeService } from './nodes.ts';
import type { OwnerIndexes } from './owner-indexes.ts';
import type { PendingService } from './pending.ts';

/** A note as a source has it. `key` is its stable name: importing it again updates the same node. */
export interface ImportNote {
  readonly key: string;
  readonly path?: string | undefined;
  readonly title?: string | undefined;
  readonly content?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly aliases?: readonly string[] | undefined;
  readonly createdAt?: string | undefined;
  readonly updatedAt?: string | undefined;
  /** Titles from a root category down. */
  readonly category?: readonly string[] | undefined;
  /** Links that a person wrote in it, by the keys of their targets. */
  readonly links?: readonly { readonly target: string; readonly text: string }[] | undefined;
}

/** A note, or what stood in the place of one and why it cannot be taken. */
export type ImportEntry = ImportNote | { readonly key: string; readonly refused: BrainError };

export interface ImportOptions {
  /** Names what is imported, such as a vault; what of it is in the graph but no longer there is reported. */
  readonly collection: string;
  /** Deletes what is no longer there. */
  readonly prune: boolean;
  /** Says what would be done, and does nothing. */
  readonly dryRun: boolean;
  readonly signal?: AbortSignal | undefined;
}

export type ItemStatus = 'created' | 'updated' | 'unchanged' | 'failed';

export interface ImportSummary {
  readonly created: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly failed: number;
  readonly missing: number;
  readonly pruned: number;
  /** Hand-made links stored as edges, and those whose target is not there. */
  readonly references: number;
  readonly brokenReferences: number;
  /** Automatic edges in the graph when the import ended. */
  readonly notes: number;
  readonly edges: number;
}

export type ImportEvent =
  | {
      readonly type: 'item';
      readonly key: string;
      readonly status: ItemStatus;
      readonly nodeId?: NodeId | undefined;
      readonly problem?: {
        readonly code: ErrorCode;
        readonly detail: string;
        readonly errors: readonly Issue[];
      };
    }
  | {
      readonly type: 'progress';
      readonly stage: 'references' | 'links';
      readonly done: number;
      readonly total: number;
    }
  | { readonly type: 'missing'; readonly key: string; readonly nodeId: NodeId; readonly pruned: boolean }
  | { readonly type: 'summary'; readonly summary: ImportSummary };

/** Notes stored in one round: each round is one sync of the disk and about 15 ms of the event loop. */
const NOTES_AT_ONCE = 100;
const LINKS_A_PROGRESS = 200;

interface Imported {
  readonly nodeId: NodeId;
  readonly status: ItemStatus;
  readonly links: NonNullable<ImportNote['links']>;
}

export type ImportService = ReturnType<typeof importService>;

export function importService(needs: {
  readonly store: Store;
  readonly indexes: OwnerIndexes;
  readonly linker: Linker;
  readonly pending: PendingService;
  readonly nodes: NodeService;
  readonly categories: CategoryService;
  readonly newNodeId: () => NodeId;
}) {
  const { store, indexes, linker, pending } = needs;

  /** Stores one note as its source has it, marked to be linked. Each is a transaction: no half note, ever. */
  async function saveNote(
    owner: OwnerId,
    note: ImportNote,
    categoryId: CategoryId | undefined,
  ): Promise<Imported> {
    let touched: NodeId | undefined;
    try {
      return await store.write(owner, async (tx) => {
        const known = (await tx.nodes.bySourceKeys([note.key])).get(note.key);
        const before = known && (await tx.nodes.find(known));
        const decision = decideNote(tx, note, before, { id: needs.newNodeId(), owner, categoryId });
        const node = decision.after as Node;
        touched = node.id;
        if (decision.events.length > 0) {
          tx.nodes.apply(decision);
          indexes.place(await indexes.ready(owner, tx), node);
          tx.pending.replace(undefined, { nodeId: node.id, kind: 'link' });
        }
        const status = before ? (decision.events.length > 0 ? 'updated' : 'unchanged') : 'created';
        return { nodeId: node.id, status, links: note.links ?? [] };
      });
    } catch (error) {
      if (touched) indexes.doubt(owner, [touched]);
      throw error;
    }
  }

  /** What would become of the note, without storing it. */
  async function dryNote(owner: OwnerId, note: ImportNote): Promise<Imported> {
    const from = store.read(owner);
    const known = (await from.nodes.bySourceKeys([note.key])).get(note.key);
    const before = known && (await from.nodes.find(known));
    const now = new Date(0).toISOString() as Tx['now'];
    const decision = decideNote({ now }, note, before, {
      id: needs.newNodeId(),
      owner,
      categoryId: undefined,
    });
    const status = before ? (decision.events.length > 0 ? 'updated' : 'unchanged') : 'created';
    return { nodeId: (decision.after as Node).id, status, links: note.links ?? [] };
  }

  /** The edges of the links written in one note; an index note with hundreds takes several transactions. */
  async function saveReferences(owner: OwnerId, nodeId: NodeId, targets: readonly Wanted[]): Promise<void> {
    const step = (tx: Tx) =>
      tx.nodes.find(nodeId).then((node) => node === undefined || linker.linkReferences(tx, node, targets));
    while (!(await store.write(owner, step)));
  }

  async function* run(
    owner: OwnerId,
    options: ImportOptions,
    entries: AsyncIterable<ImportEntry> | Iterable<ImportEntry>,
  ): AsyncGenerator<ImportEvent> {
    const imported = new Map<string, Imported>();
    const counts = { created: 0, updated: 0, unchanged: 0, failed: 0 };
    const categoryIds = new Map<string, CategoryId | undefined>();
    const categoryOf = async (path: readonly string[] | undefined): Promise<CategoryId | undefined> => {
      if (!path || path.length === 0 || options.dryRun) return undefined;
      const name = path.join('\n');
      if (!categoryIds.has(name)) categoryIds.set(name, await needs.categories.ensurePath(owner, path));
      return categoryIds.get(name);
    };
    const saveOne = async (note: ImportEntry): Promise<ImportEvent> => {
      try {
        if ('refused' in note) throw note.refused;
        const category = await categoryOf(note.category);
        const saved = options.dryRun ? await dryNote(owner, note) : await saveNote(owner, note, category);
        imported.set(note.key, saved);
        counts[saved.status] += 1;
        return { type: 'item', key: note.key, status: saved.status, nodeId: saved.nodeId };
      } catch (error) {
        const { code, message, issues } = toBrainError(error);
        if (code !== 'invalid' && code !== 'too_large') throw error; // the store's own trouble ends the import
        counts.failed += 1;
        return {
          type: 'item',
          key: note.key,
          status: 'failed',
          problem: { code, detail: message, errors: issues },
        };
      }
    };

    for await (const batch of batches(entries, NOTES_AT_ONCE)) {
      options.signal?.throwIfAborted();
      yield* await Promise.all(batch.map(saveOne));
    }

    const references = { stored: 0, broken: 0 };
    yield* linkReferences();
    const missing = yield* reportMissing();
    if (!options.dryRun) yield* linkContent();
    const { counts: total } = await store.head(owner);
    yield {
      type: 'summary',
      summary: {
        ...counts,
        ...missing,
        references: references.stored,
        brokenReferences: references.broken,
        notes: total.nodes,
        edges: total.edges,
      },
    };

    async function* linkReferences(): AsyncGenerator<ImportEvent> {
      const targetsOf = await resolver(store, owner, imported);
      let done = 0;
      for (const batch of chunks([...imported.values()], NOTES_AT_ONCE)) {
        options.signal?.throwIfAborted();
        await mapConcurrent(batch, { limit: NOTES_AT_ONCE }, async ({ nodeId, links, status }) => {
          const { targets, broken } = targetsOf(nodeId, links);
          references.stored += targets.length;
          references.broken += broken;
          if (options.dryRun || (links.length === 0 && status === 'created')) return;
          await saveReferences(owner, nodeId, targets);
        });
        done += batch.length;
        yield { type: 'progress', stage: 'references', done, total: imported.size };
      }
    }

    /** Notes of the collection that the source no longer has. */
    async function* reportMissing(): AsyncGenerator<ImportEvent, { missing: number; pruned: number }> {
      const result = { missing: 0, pruned: 0 };
      const gone: { key: string; nodeId: NodeId }[] = [];
      for await (const source of store.read(owner).nodes.sources())
        if (!imported.has(source.key)) gone.push(source);
      for (const batch of chunks(gone, NOTES_AT_ONCE)) {
        const nodes = await store.read(owner).nodes.batchGet(batch.map((source) => source.nodeId));
        for (const node of nodes.filter((n) => isOfCollection(n, options.collection))) {
          const pruned = options.prune && !options.dryRun;
          if (pruned) await needs.nodes.delete(owner, node.id);
          result.missing += 1;
          result.pruned += pruned ? 1 : 0;
          yield { type: 'missing', key: node.source.key ?? '', nodeId: node.id, pruned };
        }
      }
      return result;
    }

    async function* linkContent(): AsyncGenerator<ImportEvent> {
      const marks = await Array.fromAsync(store.read(owner).pending.all());
      const ids = marks.filter((mark) => mark.kind === 'link').map((mark) => mark.nodeId);
      let done = 0;
      for (const batch of chunks(ids, LINKS_A_PROGRESS)) {
        await pending.link(owner, batch, { ...(options.signal && { signal: options.signal }) });
        done += batch.length;
        yield { type: 'progress', stage: 'links', done, total: ids.length };
      }
    }
  }

  return { run };
}

/** The stored note made equal to its source; fields that the source does not carry stay as they are. */
function decideNote(
  { now }: { readonly now: Tx['now'] },
  note: ImportNote,
  before: Node | undefined,
  made: { readonly id: NodeId; readonly owner: OwnerId; readonly categoryId: CategoryId | undefined },
): Decision<Node> {
  const { key, path, category: _category, links: _links, ...fields } = note;
  const source = { kind: 'import' as const, key, ...(path !== undefined && { path }) };
  const input: NodeInput = { ...fields, source };
  const saved = before ? updateNode(before, input, now) : createNode(input, { ...made, now });
  const { categoryId } = made;
  if (categoryId === undefined) return saved;
  const events = [...saved.events];
  let node = saved.after as Node;
  // A category that an earlier import gave is taken back; one that a person gave stays.
  for (const given of node.categories) {
    if (given.method !== 'rule-based' || given.categoryId === categoryId) continue;
    const removed = removeCategory(node, given.categoryId, now);
    events.push(...removed.events);
    node = removed.after as Node;
  }
  if (!node.categories.some((c) => c.categoryId === categoryId)) {
    const assigned = assignCategory(node, { categoryId, confidence: weight(1), method: 'rule-based' }, now);
    events.push(...assigned.events);
    node = assigned.after as Node;
  }
  return { before, after: node, events };
}

/** Resolves links to the nodes of this import, or of an earlier one. */
async function resolver(store: Store, owner: OwnerId, imported: ReadonlyMap<string, Imported>) {
  const wanted = new Set([...imported.values()].flatMap(({ links }) => links.map((link) => link.target)));
  const outside = [...wanted].filter((key) => !imported.has(key));
  const stored = await store.read(owner).nodes.bySourceKeys(outside);
  return (nodeId: NodeId, links: Imported['links']): { targets: readonly Wanted[]; broken: number } => {
    const targets = new Map<NodeId, Wanted>();
    let broken = 0;
    for (const { target, text } of links) {
      const otherId = imported.get(target)?.nodeId ?? stored.get(target);
      if (otherId === undefined) broken += 1;
      else if (otherId !== nodeId && !targets.has(otherId)) {
        targets.set(otherId, {
          otherId,
          weight: 1,
          reasons: [{ kind: 'link', term: text, contribution: 1 }],
        });
      }
    }
    return { targets: [...targets.values()], broken };
  };
}

function isOfCollection(node: Node, collection: string): boolean {
  const { kind, path } = node.source;
  return (
    kind === 'import' && path !== undefined && (path === collection || path.startsWith(`${collection}/`))
  );
}

function* chunks<T>(items: readonly T[], size: number): Generator<readonly T[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size);
}

async function* batches<T>(
  items: AsyncIterable<T> | Iterable<T>,
  size: number,
): AsyncGenerator<readonly T[]> {
  let batch: T[] = [];
  for await (const item of items) {
    batch.push(item);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
