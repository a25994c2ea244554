import { BrainError, toBrainError } from '../domain/error.ts';
import { unchanged } from '../domain/decision.ts';
import { createNode, type Node, type NodeInput } from '../domain/node.ts';
import type { NodeId, OwnerId } from '../domain/values.ts';
import { eachConcurrent } from '../shared/each-concurrent.ts';
import type { Store } from '../storage/store.ts';
import { deleteAll, saveAll, type BulkNeeds } from './bulk-atomic.ts';
import {
  afterAll,
  errorOfItem,
  type BulkItem,
  type BulkMode,
  type BulkOutcome,
  type BulkResult,
  type Decide,
  type OfNote,
  type PatchOfNote,
} from './bulk-items.ts';
import type { LinkRun, LinkRuns } from './link-runs.ts';
import { MadeEdges } from './made-edges.ts';
import { decideCreate, decidePatch, type NodeService } from './nodes.ts';
import type { Keep, PlannedKeep } from './receipts.ts';

/** Of the notes that one answer brings; what is above it is asked for again. */
const READ_LENGTH = 8_000_000;
const READ_AT_ONCE = 50;

export type BulkService = ReturnType<typeof bulkService>;

/**
 * Many notes at once. They are stored first and linked after, so that they see each other; the answer comes when both
 * are durable, and what a crash cuts off in between is made good from a mark. Where all is to happen or nothing, an
 * item that cannot be done throws `invalid` with an issue for each, and too many of them `too_large`.
 */
export function bulkService(
  needs: BulkNeeds & {
    readonly nodes: NodeService;
    readonly runs: LinkRuns;
    readonly newNodeId: () => NodeId;
  },
) {
  const { store, indexes, pending, nodes, runs, newNodeId } = needs;

  /** `earlier`: notes that a run which was cut off has stored, and may not have linked. */
  async function save(
    owner: OwnerId,
    mode: BulkMode,
    items: readonly BulkItem<Decide>[],
    also: { readonly keep: Keep<BulkResult> | undefined; readonly earlier?: ReadonlySet<NodeId> },
  ): Promise<BulkResult> {
    const { keep, earlier } = also;
    const run = runs.open(owner);
    const made = new MadeEdges(store, owner);
    try {
      const saved =
        mode === 'atomic'
          ? await saveAll(needs, owner, items, { run, keep })
          : await saveEach(store, run, items);
      const ids = new Set(saved.changed);
      const result = (): BulkResult => ({ outcomes: saved.outcomes, edges: made.at(ids), isLinked: true });
      try {
        if (earlier && earlier.size > 0) {
          const index = await indexes.ready(owner);
          for (const id of earlier) if (index.has(id)) ids.add(id);
        }
        if (!saved.isLinked) await link(owner, run, [...ids]);
        await run.end(keep && ((tx) => keep(tx, result())));
        return result();
      } catch (error) {
        return await keepAlone(owner, afterAll(error, { ...result(), isLinked: false }), keep);
      }
    } finally {
      made.stop();
      await run.stop();
    }
  }

  async function link(owner: OwnerId, run: LinkRun, ids: readonly NodeId[]): Promise<void> {
    await Array.fromAsync(pending.link(owner, ids, { bare: run.bare }));
  }

  async function keepAlone(owner: OwnerId, result: BulkResult, keep?: Keep<BulkResult>): Promise<BulkResult> {
    try {
      if (keep) await store.write(owner, (tx) => keep(tx, result));
      return result;
    } catch (error) {
      return afterAll(error, result);
    }
  }

  return {
    /** Stores new notes at version 1, linked. */
    async create(
      owner: OwnerId,
      mode: BulkMode,
      items: readonly BulkItem<NodeInput>[],
      keep?: PlannedKeep<BulkResult>,
    ): Promise<BulkResult> {
      const fresh = (): NodeId[] => items.map(() => newNodeId());
      // The same request, cut off and sent again, makes the same notes, each once: also where one was deleted since.
      const plan = mode === 'partial' ? await keep?.plan(owner, fresh) : undefined;
      const ids = plan?.value ?? fresh();
      const earlier = new Set<NodeId>();
      const deciding = (input: NodeInput, at: number): Decide => {
        const id = ids[at] as NodeId;
        return async (tx) => {
          if (!plan || (await plan.claim(tx, at))) return decideCreate(tx, id, input);
          earlier.add(id);
          const made = createNode(input, { id, owner, now: tx.now });
          return unchanged(made.after as Node); // it is answered as it was made, whatever it is now
        };
      };
      const kept = plan && keep ? keptOnceSettled(keep) : keep;
      return save(owner, mode, decided(items, deciding), { keep: kept, earlier });
    },

    /** Changes notes as `nodes.patch` does one. */
    patch: (
      owner: OwnerId,
      mode: BulkMode,
      items: readonly BulkItem<PatchOfNote>[],
      keep?: Keep<BulkResult>,
    ): Promise<BulkResult> => {
      const deciding =
        ({ id, expectedVersion, ...patch }: PatchOfNote): Decide =>
        (tx) =>
          decidePatch(tx, id, patch, expectedVersion);
      return save(owner, mode, decided(items, deciding), { keep });
    },

    /** Deletes notes and every edge of theirs. */
    async delete(
      owner: OwnerId,
      mode: BulkMode,
      items: readonly BulkItem<OfNote>[],
      keep?: Keep<BulkResult>,
    ): Promise<BulkResult> {
      if (mode === 'atomic') return deleteAll(needs, owner, items, keep);
      const outcomes = await eachItem(store, items, async ({ id, expectedVersion }) => {
        await nodes.delete(owner, id, expectedVersion, { bulk: true });
        return { id };
      });
      return keepAlone(owner, { outcomes, edges: [], isLinked: true }, keep);
    },

    /** The notes, as many as one answer holds: the others are `too_large` for it. */
    async get(owner: OwnerId, items: readonly BulkItem<NodeId>[]): Promise<readonly BulkOutcome[]> {
      const outcomes: BulkOutcome[] = [];
      let length = 0;
      for (let start = 0; start < items.length; start += READ_AT_ONCE) {
        const some = items.slice(start, start + READ_AT_ONCE);
        const ids = some.flatMap((one) => ('item' in one ? [one.item] : []));
        const found = new Map((await store.read(owner).nodes.batchGet(ids)).map((node) => [node.id, node]));
        for (const [at, one] of some.entries()) {
          const outcome = outcomeOf(one, found, READ_LENGTH - length);
          if ('node' in outcome) length += outcome.node?.content.length ?? 0;
          outcomes.push(
            'error' in outcome ? { error: errorOfItem(outcome.error, start + at, 'ids') } : outcome,
          );
        }
      }
      return outcomes;
    },
  };
}

/** Of a request that goes on where it was: while an item may succeed when it is sent again, its answer is not the last. */
function keptOnceSettled(keep: Keep<BulkResult>): Keep<BulkResult> {
  return async (tx, result) => {
    const isSettled = result.outcomes.every((one) => !('error' in one) || !one.error.retryable);
    if (isSettled) await keep(tx, result);
  };
}

function outcomeOf(one: BulkItem<NodeId>, found: ReadonlyMap<NodeId, Node>, room: number): BulkOutcome {
  if ('refused' in one) return { error: one.refused };
  const node = found.get(one.item);
  if (!node) return { error: new BrainError('not_found', `there is no node ${one.item}`) };
  if (node.content.length <= room) return { id: node.id, node };
  return { error: new BrainError('too_large', 'the answer is full; ask for this note again') };
}

function decided<T>(
  items: readonly BulkItem<T>[],
  deciding: (item: T, at: number) => Decide,
): readonly BulkItem<Decide>[] {
  return items.map((one, at) => ('refused' in one ? one : { item: deciding(one.item, at) }));
}

/** Does each item for itself: what is wrong with one, or goes wrong, is told in its place. */
async function eachItem<T>(
  store: Store,
  items: readonly BulkItem<T>[],
  work: (item: T) => Promise<BulkOutcome>,
): Promise<readonly BulkOutcome[]> {
  const all = eachConcurrent(items.entries(), { limit: store.bulkAtOnce }, async ([at, one]) => {
    try {
      if ('refused' in one) throw one.refused;
      return await work(one.item);
    } catch (error) {
      return { error: errorOfItem(toBrainError(error), at) };
    }
  });
  return Array.fromAsync(all);
}

async function saveEach(store: Store, run: LinkRun, items: readonly BulkItem<Decide>[]) {
  const changed: NodeId[] = [];
  const outcomes = await eachItem(store, items, async (decide) => {
    const { decision } = await run.save(async (tx) => ({ decision: await decide(tx) }));
    const node = decision.after as Node;
    if (decision.events.length > 0) changed.push(node.id);
    return { id: node.id, node };
  });
  return { outcomes, changed, isLinked: false };
}
