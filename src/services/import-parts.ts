import { CategoryTree, recreateCategory } from '../domain/category.ts';
import { deleteEdge, isLinkers, recreateEdge } from '../domain/edge.ts';
import { BrainError, refuse } from '../domain/error.ts';
import { recreateNode, updateNode, type Node, type NodeDecision } from '../domain/node.ts';
import {
  categoryId,
  edgeId,
  instant,
  nodeId,
  type Instant,
  type NodeId,
  type OwnerId,
} from '../domain/values.ts';
import type { PairDecision, Repositories } from '../storage/repositories.ts';
import type { Tx } from '../storage/transaction.ts';
import type { ExportedCategory, ExportedEdge, ExportedNode } from './exported.ts';
import { checkSourceFree } from './nodes.ts';

// Parts of an export on their way back: each keeps its id and its times. What is there already stays what it is, but
// for a note whose text has changed. They come from outside: whatever is wrong with one throws `invalid`.

/** The note as the export has it. Throws `conflict` where another note has its source key. */
export async function decideExported(
  from: Repositories,
  exported: ExportedNode,
  made: { readonly owner: OwnerId; readonly now: Instant },
): Promise<NodeDecision> {
  const decision = await decideNode(from, exported, made);
  const { id, source } = decision.after as Node;
  await checkSourceFree(from, source.key, id);
  return decision;
}

async function decideNode(
  from: Repositories,
  exported: ExportedNode,
  made: { readonly owner: OwnerId; readonly now: Instant },
): Promise<NodeDecision> {
  const id = nodeId(exported.id);
  const { id: _id, categories, ...note } = exported;
  const before = await from.nodes.find(id);
  if (before) return updateNode(before, note, made.now);
  const known = [];
  for (const { id: named, ...how } of categories) {
    const found = await from.categories.find(categoryId(named));
    if (found) known.push({ ...how, categoryId: found.id });
  }
  return recreateNode({ ...note, categories: known }, { ...made, id });
}

/** Gives whether it was made. */
export async function takeCategory(tx: Tx, exported: ExportedCategory): Promise<boolean> {
  const id = categoryId(exported.id);
  if (await tx.categories.find(id)) return false;
  const tree = new CategoryTree(await Array.fromAsync(tx.categories.all()));
  const input = { ...exported, ...timesOf(exported) };
  tx.categories.apply(recreateCategory(input, tree, { id, owner: tx.owner, now: tx.now }));
  return true;
}

/** Gives whether it was made; what a person says of a pair stands above what the linker found. */
export async function takeEdge(tx: Tx, exported: ExportedEdge): Promise<boolean> {
  const [source, target] = [await end(tx, exported.sourceId), await end(tx, exported.targetId)];
  const existing = await tx.edges.findPair(source.id, target.id, exported.type);
  if (existing && !isLinkers(existing)) return false;
  if (existing) tx.edges.apply(deleteEdge(existing, 'import', tx.now));
  const id = edgeId(exported.id);
  if (await tx.edges.find(id)) throw new BrainError('conflict', 'another edge has this id');
  const input = { ...exported, ...timesOf(exported) };
  tx.edges.apply(recreateEdge(input, { source, target }, { id, now: tx.now }));
  return true;
}

/** Gives whether there was none on this pair. */
export async function takeDecision(tx: Tx, exported: PairDecision): Promise<boolean> {
  const [a, b] = [await end(tx, exported.a), await end(tx, exported.b)];
  if (await tx.decisions.find([a.id, b.id])) return false;
  tx.decisions.replace(undefined, { ...exported, a: a.id, b: b.id, at: instant(exported.at) });
  return true;
}

async function end(tx: Tx, id: NodeId) {
  return (await tx.nodes.find(nodeId(id))) ?? refuse('', 'not_found', `there is no note ${id}`);
}

const timesOf = ({ createdAt, updatedAt }: { readonly createdAt: string; readonly updatedAt: string }) => ({
  createdAt: instant(createdAt),
  updatedAt: instant(updatedAt),
});
