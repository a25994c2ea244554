import { BrainError, isBrainError, type Issue } from '../domain/error.ts';
import { deleteNode, type Node, type NodeDecision } from '../domain/node.ts';
import type { NodeId, OwnerId } from '../domain/values.ts';
import { countFitting } from '../storage/fitting.ts';
import { TABLE_LIMITS } from '../storage/table.ts';
import type { Store } from '../storage/store.ts';
import type { Tx } from '../storage/transaction.ts';
import {
  afterAll,
  issuesOfItem,
  refuseAll,
  type BulkItem,
  type BulkOutcome,
  type BulkResult,
  type Decide,
  type OfNote,
} from './bulk-items.ts';
import type { LinkRun } from './link-runs.ts';
import { checkVersion, itemsOf } from './nodes.ts';
import { PairTurns } from './pair-turns.ts';
import type { Linker } from './linker.ts';
import type { OwnerIndexes } from './owner-indexes.ts';
import { unlink, type PendingService } from './pending.ts';
import type { Keep } from './receipts.ts';

// Bulks of which all is done, in one transaction, or nothing.

/** Beside the notes: the mark, and the receipt in at most two parts. */
const SPARE_OPS = 3;
/** With the head and the log item. */
const RESERVED_OPS = SPARE_OPS + 2;
const OPS_AN_EDGE = 3;
/** The links of more notes hardly fit beside them, and asking for them keeps other writers waiting. */
const LINKED_AT_ONCE = 8;

export interface BulkNeeds {
  readonly store: Store;
  readonly indexes: OwnerIndexes;
  readonly linker: Linker;
  readonly pending: PendingService;
}

interface Saved {
  readonly outcomes: readonly BulkOutcome[];
  readonly changed: readonly NodeId[];
  readonly isLinked: boolean;
}

/** Saves all notes in one transaction, with their links where these fit; else they are promised. */
export async function saveAll(
  { indexes, linker }: BulkNeeds,
  owner: OwnerId,
  items: readonly BulkItem<Decide>[],
  { run, keep }: { readonly run: LinkRun; readonly keep: Keep<BulkResult> | undefined },
): Promise<Saved> {
  const save = (linking: 'now' | 'next') =>
    indexes.write(owner, async (tx, ahead): Promise<Saved> => {
      const decisions = await decideAll(items, async (decide) => {
        const decision = await decide(tx);
        tx.nodes.apply(decision); // the next one is decided on it
        return decision;
      });
      checkFitting(tx, decisions, () => SPARE_OPS);
      const changed = decisions.filter((decision) => decision.events.length > 0);
      if (changed.length > 0) await indexes.ready(owner, tx);
      for (const decision of changed) run.place(tx, ahead, decision);
      const nodes = changed.map(({ after }) => after as Node);
      const isLinked = linking === 'now' && (await linkAll(tx, nodes));
      if (!isLinked) run.promise(tx);
      const outcomes = decisions.map(({ after }) => ({ id: (after as Node).id, node: after }));
      await keep?.(tx, { outcomes, edges: [], isLinked: false }); // until it is kept again with its edges
      return { outcomes, changed: nodes.map(({ id }) => id), isLinked };
    });

  /** Gives whether all is done; what is not is left to the mark. */
  async function linkAll(tx: Tx, nodes: readonly Node[]): Promise<boolean> {
    if (nodes.length > LINKED_AT_ONCE) return false;
    const index = await indexes.ready(owner, tx);
    const turns = new PairTurns(
      nodes.map(({ id }) => id),
      (id) => index.versionOf(id),
    );
    const asked = [];
    for (const node of nodes) {
      const links = node.archived ? [] : await index.linksOf(node.id);
      asked.push({ node, content: turns.take({ id: node.id, version: index.versionOf(node.id), links }) });
    }
    const edges = asked.reduce((sum, { content }) => sum + content.edges.length, 0);
    const ops = nodes.reduce((sum, node) => sum + itemsOf(node), RESERVED_OPS + edges * OPS_AN_EDGE);
    if (ops > TABLE_LIMITS.opsInTransaction) return false;
    for (const { node, content } of asked) {
      if (!(await linker.link(tx, node, { index, content, isBare: run.bare.has(node.id, tx) }))) return false;
    }
    return true;
  }

  try {
    return await save('now');
  } catch (error) {
    // Edges that had to go were not counted.
    if (isBrainError(error, 'too_large') && error.details['fitting'] === undefined) return save('next');
    throw error;
  }
}

/** Deletes all notes in one transaction; edges of theirs that do not fit go after it. */
export async function deleteAll(
  { indexes, pending }: BulkNeeds,
  owner: OwnerId,
  items: readonly BulkItem<OfNote>[],
  keep: Keep<BulkResult> | undefined,
): Promise<BulkResult> {
  const { result, left } = await indexes.write(owner, async (tx, ahead) => {
    const decisions = await decideAll(items, async ({ id, expectedVersion }) => {
      const node = await tx.nodes.get(id);
      checkVersion('note', node, expectedVersion);
      return deleteNode(node, tx.now);
    });
    // Each may leave a mark for its last edges.
    checkFitting(tx, decisions, (count) => SPARE_OPS + count);
    await indexes.ready(owner, tx);
    for (const decision of decisions) tx.nodes.apply(decision);
    const nodes = decisions.map(({ before }) => before as Node);
    for (const node of nodes) ahead.remove(node);
    const left = await unlinkAll(tx, nodes);
    const outcomes = nodes.map(({ id }) => ({ id }));
    const result: BulkResult = { outcomes, edges: [], isLinked: true };
    await keep?.(tx, result);
    return { result, left };
  });
  try {
    for (const id of left) await pending.finishUnlink(owner, id);
    return result;
  } catch (error) {
    return afterAll(error, { ...result, isLinked: false });
  }
}

/** Deletes as many edges of notes that are gone as fit beside them, and gives the notes with more. */
async function unlinkAll(tx: Tx, nodes: readonly Node[]): Promise<readonly NodeId[]> {
  let ops = nodes.reduce((sum, node) => sum + itemsOf(node) + 1, SPARE_OPS);
  const left: NodeId[] = [];
  for (const { id } of nodes) {
    const before = (await tx.edges.of(id)).length;
    const after = await unlink(tx, id, Math.min(ops, TABLE_LIMITS.opsInTransaction - RESERVED_OPS));
    ops += (before - after) * OPS_AN_EDGE;
    if (after > 0) left.push(id);
  }
  return left;
}

/** Decides every item, or throws one `invalid` that says what is wrong with each. */
async function decideAll<T>(
  items: readonly BulkItem<T>[],
  decide: (item: T) => Promise<NodeDecision>,
): Promise<readonly NodeDecision[]> {
  const decisions: NodeDecision[] = [];
  const issues: Issue[] = [];
  for (const [at, one] of items.entries()) {
    try {
      if ('refused' in one) throw one.refused;
      decisions.push(await decide(one.item));
    } catch (error) {
      issues.push(...issuesOfItem(error, at));
    }
  }
  refuseAll(issues);
  return decisions;
}

function checkFitting(tx: Tx, decisions: readonly NodeDecision[], spare: (count: number) => number): void {
  const fitting = countFitting(decisions, { owner: tx.owner, now: tx.now, spare });
  if (fitting === decisions.length) return;
  throw new BrainError(
    'too_large',
    `all or nothing is one transaction, and of these ${decisions.length} items the first ${fitting} fit in it; send fewer, or use the mode partial`,
    { operation: 'bulk.atomic', details: { items: decisions.length, fitting } },
  );
}
