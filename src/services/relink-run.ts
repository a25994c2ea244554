import { isLinkers, type EdgeDecision } from '../domain/edge.ts';
import { edgeOfChange, undoChange, type EdgeChange } from '../domain/edge-change.ts';
import type { JobItem } from '../domain/job.ts';
import type { EdgeId, Instant, JobId, NodeId } from '../domain/values.ts';
import { eachConcurrent } from '../shared/each-concurrent.ts';
import type { Store } from '../storage/store.ts';
import type { Tx } from '../storage/transaction.ts';
import type { JobKind, JobTools } from './job-run.ts';
import { checkRunner, keepItem } from './jobs.ts';
import type { OwnerIndexes } from './owner-indexes.ts';
import type { PendingService } from './pending.ts';
import { changeIn, getRun, itemOf, itemsOf, RELINK, resultOf, type RelinkRun } from './relink-items.ts';

/**
 * A changed edge takes three rows and its item one: with the head and the log, 24 of them fit into a transaction. Where
 * nothing is applied, an item is all.
 */
const CHANGES_A_TRANSACTION = 24;
const PREVIEWED_A_TRANSACTION = 90;

interface RunNeeds {
  readonly store: Store;
  readonly indexes: OwnerIndexes;
  readonly pending: PendingService;
  readonly newEdgeId: () => EdgeId;
}

/** How such a job is run: it may be cut off anywhere, and goes on. */
export function relinkKind(needs: RunNeeds): JobKind {
  const { store, indexes, pending } = needs;

  /** Links every note anew. What it changes goes into the items of the job, in the transaction that changes it. */
  async function relink(run: RelinkRun, { signal, report }: JobTools): Promise<void> {
    const { owner, input } = run;
    const isDry = input.action === 'preview';
    let index = await firstIndex(run, { begins: isDry });
    const take = async (tx: Tx, decisions: readonly EdgeDecision[]): Promise<void> => {
      if (decisions.length > 0) await checkRunner(tx, run);
      for (const decision of decisions) {
        if (!isDry) tx.edges.apply(decision);
        keepItem(tx, run, itemOf(decision, index++));
      }
    };
    const ids = Array.from((await indexes.ready(owner)).ids()) as NodeId[];
    report({ total: ids.length });
    const most = isDry ? PREVIEWED_A_TRANSACTION : CHANGES_A_TRANSACTION;
    for await (const done of pending.link(owner, ids, { signal, review: { take, most, isDry } }))
      report({ done });
  }

  /** Where to go on with the items; a dry run that was cut off begins anew. */
  async function firstIndex(
    { owner, id }: RelinkRun,
    { begins }: { readonly begins: boolean },
  ): Promise<number> {
    const prefix = `${id}#`;
    const { jobItems } = store.read(owner);
    if (!begins) {
      const { items } = await jobItems.list({ prefix, reverse: true, limit: 1 });
      return (items[0]?.index ?? -1) + 1;
    }
    for (;;) {
      const { items } = await jobItems.list({ prefix, limit: PREVIEWED_A_TRANSACTION });
      if (items.length === 0) return 0;
      await store.write(owner, async (tx) => items.forEach((item) => tx.jobItems.replace(item, undefined)), {
        bulk: true,
      });
    }
  }

  /** Undoes the changes of a run, where they still stand. Gives how many there were. */
  async function revert(run: RelinkRun, of: JobId, { signal, report }: JobTools): Promise<number> {
    const { owner } = run;
    const since = (await getRun(store.read(owner), of)).createdAt;
    let index = await firstIndex(run, { begins: false });
    const undo = (item: JobItem) => async (tx: Tx) => {
      const decision = await undone(tx, changeIn(item), { since, id: needs.newEdgeId() });
      if (!decision) return;
      await checkRunner(tx, run);
      tx.edges.apply(decision);
      keepItem(tx, run, itemOf(decision, index++));
    };
    let done = 0;
    const items = itemsOf(store.read(owner), of);
    const undoing = eachConcurrent(items, { limit: store.bulkAtOnce, signal }, (item) =>
      store.write(owner, undo(item), { bulk: true }),
    );
    await Array.fromAsync(undoing, () => report({ done: ++done }));
    return done;
  }

  return {
    kind: RELINK,
    async run(job, tools) {
      const run = job as RelinkRun;
      const { owner, input } = run;
      if (input.action === 'revert' && input.of !== undefined) {
        const changes = await revert(run, input.of, tools);
        const result = await resultOf(store.read(owner), run);
        const { added, removed, changed } = result.counts;
        return { ...result, left: changes - added - removed - changed };
      }
      await relink(run, tools);
      return resultOf(store.read(owner), run, input.of);
    },
  };
}

async function undone(
  tx: Tx,
  change: EdgeChange,
  { since, id }: { readonly since: Instant; readonly id: EdgeId },
): Promise<EdgeDecision | undefined> {
  const { sourceId, targetId, type } = edgeOfChange(change);
  const [edges, nodes, decision] = await Promise.all([
    tx.edges.between(sourceId, targetId),
    tx.nodes.batchGet([sourceId, targetId]),
    tx.decisions.find([sourceId, targetId]),
  ]);
  const state = {
    edge: edges.find((edge) => edge.type === type),
    isOpen: nodes.length === 2 && nodes.every((node) => !node.archived),
    // What a person had settled before the run is as it was.
    isSettled:
      (decision !== undefined && decision.at > since) ||
      edges.some((edge) => !isLinkers(edge) && edge.updatedAt > since),
  };
  return undoChange(change, state, { id, now: tx.now });
}
