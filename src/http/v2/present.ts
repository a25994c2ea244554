import type * as wire from '../../api/v2.ts';
import type { Page } from '../../api/common.ts';
import type { Edge } from '../../domain/edge.ts';
import { partsOf } from '../../domain/event.ts';
import { labelOf, type Node } from '../../domain/node.ts';
import type { PlacedCategory } from '../../services/categories.ts';
import type { PairExplanation } from '../../services/edges.ts';
import type { GraphService } from '../../services/graph.ts';

// From the domain to the wire of v2. Each field is named, so nothing internal slips out.

export function presentSummary(node: Node): wire.NodeSummary {
  return {
    id: node.id,
    title: node.title,
    label: labelOf(node),
    format: node.format,
    tags: [...node.tags],
    aliases: [...node.aliases],
    categories: node.categories.map(({ categoryId, confidence, method }) => ({
      id: categoryId,
      confidence,
      method,
    })),
    archived: node.archived,
    source: sourceOf(node),
    createdAt: node.createdAt,
    updatedAt: node.updatedAt,
    version: node.version,
  };
}

export function presentNode(node: Node): wire.Node {
  return { ...presentSummary(node), content: node.content };
}

export function presentEdge(edge: Edge): wire.Edge {
  return {
    id: edge.id,
    sourceId: edge.sourceId,
    targetId: edge.targetId,
    type: edge.type,
    weight: edge.weight,
    origin: edge.origin,
    status: edge.status,
    reasons: edge.reasons.map(({ kind, term, contribution }) => ({ kind, term, contribution })),
    ...(edge.engine !== undefined && { engine: edge.engine }),
    createdAt: edge.createdAt,
    updatedAt: edge.updatedAt,
    version: edge.version,
  };
}

export function presentLinked({
  node,
  edges,
}: {
  readonly node: Node;
  readonly edges: readonly Edge[];
}): wire.LinkedNode {
  return { ...presentNode(node), edges: edges.map(presentEdge) };
}

export function presentCategory({ category, level, noteCount }: PlacedCategory): wire.Category {
  const { id, title, description, parentId, color, icon, aiGenerated, createdAt, updatedAt, version } =
    category;
  return {
    id,
    title,
    description,
    level,
    parentId,
    color,
    icon,
    aiGenerated,
    noteCount,
    createdAt,
    updatedAt,
    version,
  };
}

export function presentExplanation({ source, target, edges, engine }: PairExplanation): wire.Explanation {
  return {
    source: presentSummary(source),
    target: presentSummary(target),
    edges: edges.map(presentEdge),
    engine: engine.engine,
    weight: engine.weight,
    logit: engine.logit,
    components: engine.components.map(({ name, value, coefficient, product }) => ({
      name,
      value,
      coefficient,
      product,
    })),
    matches: engine.matches.map(({ term, contribution, a, b }) => ({
      term,
      contribution,
      source: [...a],
      target: [...b],
    })),
  };
}

type Changes = Awaited<ReturnType<GraphService['changes']>>;

export function presentChanges(changes: Changes): wire.Changes {
  return {
    epoch: changes.epoch,
    seq: changes.position.seq,
    hasMore: changes.hasMore,
    items: changes.events.map(({ seq, at, correlationId, event }) => {
      const { type, version, ids, data } = partsOf(event);
      return { type, seq, ...ids, version, timestamp: at, correlationId, data };
    }),
  };
}

export function presentPage<T, W>(
  page: { readonly items: readonly T[]; readonly next?: string | undefined },
  present: (item: T) => W,
): { items: W[]; page: Page<W>['page'] } {
  return {
    items: page.items.map(present),
    page: { next: page.next ?? null, hasMore: page.next !== undefined },
  };
}

function sourceOf({ source }: Node): wire.Node['source'] {
  const { kind, key, path } = source;
  return { kind, ...(key !== undefined && { key }), ...(path !== undefined && { path }) };
}
