import type { Category } from './category.ts';
import type { Edge } from './edge.ts';
import { labelOf, type Node } from './node.ts';
import type { CategoryId, Instant, NodeId } from './values.ts';

// What an owner's categories tell of how the notes grow, computed from nothing but the notes and their edges.

/** A category with the notes that are in it. */
export interface FilledCategory {
  readonly category: Category;
  readonly nodes: readonly Node[];
}

export interface Activity {
  readonly category: Category;
  readonly noteCount: number;
  readonly recentChanges: number;
  readonly lastChangeAt: Instant;
}

export interface Growth {
  readonly category: Category;
  /** The oldest first; the last one is the month of today. */
  readonly periods: readonly { readonly month: string; readonly created: number }[];
  readonly trend: 'growing' | 'steady' | 'slowing';
}

export type Gap =
  | { readonly kind: 'few-notes'; readonly category: Category; readonly notes: number }
  | {
      readonly kind: 'few-connections';
      readonly category: Category;
      readonly notes: number;
      readonly connections: number;
    }
  | { readonly kind: 'unconnected-note'; readonly node: Node };

const RECENT_DAYS = 30;
const DAY_MS = 86_400_000;
const MONTHS = 6;
const ACTIVE = 5;
/** With fewer notes a category hardly says anything of its subject. */
const FEW_NOTES = 3;
/** Connections a note, among the notes of one category: fewer than one in two hang together badly. */
const FEW_CONNECTIONS = 0.5;
const UNCONNECTED = 10;

/** Each category with its notes, also the empty ones, by title. */
export function fill(categories: Iterable<Category>, nodes: Iterable<Node>): readonly FilledCategory[] {
  const notes = new Map<CategoryId, Node[]>([...categories].map(({ id }) => [id, []]));
  for (const node of nodes) {
    for (const { categoryId } of node.categories) notes.get(categoryId)?.push(node);
  }
  return [...categories]
    .map((category) => ({ category, nodes: notes.get(category.id) ?? [] }))
    .sort((a, b) => a.category.title.localeCompare(b.category.title));
}

/** The five with the most notes changed in the last thirty days. */
export function mostActive(filled: readonly FilledCategory[], now: Instant): readonly Activity[] {
  const since = new Date(Date.parse(now) - RECENT_DAYS * DAY_MS).toISOString();
  return filled
    .map(({ category, nodes }) => ({
      category,
      noteCount: nodes.length,
      recentChanges: nodes.filter(({ updatedAt }) => updatedAt >= since).length,
      lastChangeAt: nodes.reduce(
        (last, { updatedAt }) => (updatedAt > last ? updatedAt : last),
        category.updatedAt,
      ),
    }))
    .filter(({ recentChanges }) => recentChanges > 0)
    .sort((a, b) => b.recentChanges - a.recentChanges || (a.lastChangeAt < b.lastChangeAt ? 1 : -1))
    .slice(0, ACTIVE);
}

/** How many notes of each category were made in each of the last six months. */
export function growthOf(filled: readonly FilledCategory[], now: Instant): readonly Growth[] {
  const months = Array.from({ length: MONTHS }, (_, index) => monthBefore(now, MONTHS - 1 - index));
  return filled
    .filter(({ nodes }) => nodes.length > 0)
    .map(({ category, nodes }) => {
      const periods = months.map((month) => ({
        month,
        created: nodes.filter(({ createdAt }) => createdAt.startsWith(month)).length,
      }));
      const sum = (part: typeof periods): number => part.reduce((total, { created }) => total + created, 0);
      const change = sum(periods.slice(MONTHS / 2)) - sum(periods.slice(0, MONTHS / 2));
      return { category, periods, trend: change > 0 ? 'growing' : change < 0 ? 'slowing' : 'steady' };
    });
}

/** Categories with few notes or few connections between them, then notes that nothing is connected to. */
export function gapsOf(
  filled: readonly FilledCategory[],
  nodes: readonly Node[],
  edges: readonly Edge[],
): readonly Gap[] {
  const within = connectionsWithin(nodes, edges);
  const ofCategories = filled.flatMap(({ category, nodes: those }): readonly Gap[] => {
    const notes = those.length;
    if (notes < FEW_NOTES) return [{ kind: 'few-notes', category, notes }];
    const connections = within.get(category.id) ?? 0;
    if (connections >= notes * FEW_CONNECTIONS) return [];
    return [{ kind: 'few-connections', category, notes, connections }];
  });
  const connected = new Set<NodeId>();
  for (const { sourceId, targetId } of edges) connected.add(sourceId).add(targetId);
  const alone = nodes
    .filter(({ id }) => !connected.has(id))
    .sort((a, b) => (a.updatedAt < b.updatedAt ? 1 : -1))
    .slice(0, UNCONNECTED);
  return [...ofCategories, ...alone.map((node): Gap => ({ kind: 'unconnected-note', node }))];
}

/** How many edges have both ends in each category. */
function connectionsWithin(nodes: readonly Node[], edges: readonly Edge[]): ReadonlyMap<CategoryId, number> {
  const categories = new Map<NodeId, ReadonlySet<CategoryId>>();
  for (const { id, categories: those } of nodes)
    if (those.length > 0) categories.set(id, new Set(those.map(({ categoryId }) => categoryId)));
  const within = new Map<CategoryId, number>();
  for (const { sourceId, targetId } of edges) {
    const [one, other] = [categories.get(sourceId), categories.get(targetId)];
    if (!one || !other) continue;
    for (const id of one.intersection(other)) within.set(id, (within.get(id) ?? 0) + 1);
  }
  return within;
}

/** What a gap is, for people. */
export function tellGap(gap: Gap): string {
  const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`;
  switch (gap.kind) {
    case 'few-notes':
      return gap.notes === 0
        ? 'no note is in this category'
        : `only ${count(gap.notes, 'note')} in this category`;
    case 'few-connections':
      return `${count(gap.connections, 'connection')} between its ${count(gap.notes, 'note')}`;
    case 'unconnected-note':
      return `“${labelOf(gap.node)}” is connected to nothing`;
  }
}

/** The month that many months before the one of `now`, as yyyy-mm. */
function monthBefore(now: Instant, months: number): string {
  const year = Number(now.slice(0, 4));
  const month = Number(now.slice(5, 7));
  return new Date(Date.UTC(year, month - 1 - months, 1)).toISOString().slice(0, 7);
}
