import type * as wire from '../../api/v1.ts';
import { tellGap } from '../../domain/category-insights.ts';
import { labelOf, type Node } from '../../domain/node.ts';
import type { CategoryId } from '../../domain/values.ts';
import type { PlacedCategory } from '../../services/categories.ts';
import type { Graph } from '../../services/graph.ts';
import type { Insights, SuggestedConnection } from '../../services/insights.ts';
import type { CategorySuggestion } from '../../services/suggestions.ts';

// From the domain to the wire of v1. What v1 calls absent is empty or null in the domain.

const LABEL_LENGTH = 100;
const TERMS_TOLD = 3;

/** Versions begin at 0 on the wire of v1, and at 1 in the domain. */
export const wireVersion = (version: number): number => version - 1;
export const domainVersion = (version: number): number => version + 1;

export function presentNode(node: Node): wire.Node {
  return {
    nodeId: node.id,
    content: node.content,
    ...(node.title !== '' && { title: node.title }),
    ...(node.tags.length > 0 && { tags: [...node.tags] }),
    timestamp: node.createdAt,
    version: wireVersion(node.version),
  };
}

/** Ids carry what they are of, so that nodes and edges are told apart in one list of elements. */
export function* presentGraph({ nodes, edges }: Graph): Generator<wire.GraphData['elements'][number]> {
  for (const node of nodes) yield { data: { id: `node-${node.id}`, label: shortLabel(node) } };
  for (const { id, sourceId, targetId } of edges)
    yield { data: { id: `edge-${id}`, source: `node-${sourceId}`, target: `node-${targetId}` } };
}

export function presentCategory({ category, level, noteCount }: PlacedCategory): wire.Category {
  const { id, title, description, parentId, color, icon, aiGenerated, createdAt, updatedAt } = category;
  return {
    id,
    title,
    ...(description !== '' && { description }),
    level,
    ...(parentId !== null && { parentId }),
    ...(color !== null && { color }),
    ...(icon !== null && { icon }),
    aiGenerated,
    noteCount,
    createdAt,
    updatedAt,
  };
}

export function presentHierarchy(categories: readonly PlacedCategory[]): wire.Hierarchy {
  const hierarchy = new Map<CategoryId, CategoryId[]>();
  for (const { category } of categories) {
    const { id, parentId } = category;
    if (parentId !== null) hierarchy.set(parentId, [...(hierarchy.get(parentId) ?? []), id]);
  }
  return { categories: categories.map(presentCategory), hierarchy: Object.fromEntries(hierarchy) };
}

/** The categories of a note, each with how sure that is and who says so. */
export function presentAssigned(node: Node, all: readonly PlacedCategory[]): wire.AssignedCategory[] {
  const placed = new Map(all.map((one) => [one.category.id, one]));
  return node.categories.flatMap(({ categoryId, confidence, method }) => {
    const category = placed.get(categoryId);
    return category ? [{ ...presentCategory(category), confidence, method }] : [];
  });
}

export function presentSuggestion(suggestion: CategorySuggestion): wire.Suggestions['suggestions'][number] {
  const { name, level, confidence, reason, parentId } = suggestion;
  return { name, level, confidence, reason, ...(parentId !== undefined && { parentId }) };
}

export function presentInsights({ active, growth, connections, gaps }: Insights): wire.Insights {
  return {
    mostActiveCategories: active.map(({ category, noteCount, recentChanges, lastChangeAt }) => ({
      categoryId: category.id,
      title: category.title,
      noteCount,
      recentChanges,
      lastChangeAt,
    })),
    categoryGrowthTrends: growth.map(({ category, periods, trend }) => ({
      categoryId: category.id,
      title: category.title,
      periods: periods.map(({ month, created }) => ({ month, created })),
      trend,
    })),
    suggestedConnections: connections.map(presentConnection),
    knowledgeGaps: gaps.map((gap) => ({
      kind: gap.kind,
      ...(gap.kind === 'unconnected-note'
        ? { title: shortLabel(gap.node), nodeId: gap.node.id }
        : { title: gap.category.title, categoryId: gap.category.id }),
      reason: tellGap(gap),
    })),
  };
}

function presentConnection({
  source,
  target,
  strength,
  reasons,
}: SuggestedConnection): wire.Insights['suggestedConnections'][number] {
  const terms = [...new Set(reasons.map(({ term }) => term))].slice(0, TERMS_TOLD);
  const end = (node: Node) => ({
    nodeId: node.id,
    label: shortLabel(node),
    categoryIds: node.categories.map(({ categoryId }) => categoryId),
  });
  return { source: end(source), target: end(target), strength, reason: `both are about ${terms.join(', ')}` };
}

function shortLabel(node: Node): string {
  const cut = labelOf(node).slice(0, LABEL_LENGTH);
  return cut.isWellFormed() ? cut : cut.slice(0, -1); // not half of a surrogate pair
}
