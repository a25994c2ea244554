import type { Category } from '../domain/category.ts';
import type { Edge } from '../domain/edge.ts';
import type { Assignment, Node } from '../domain/node.ts';
import type { CategoryId } from '../domain/values.ts';
import type { PairDecision } from '../storage/repositories.ts';

// What an export tells of a graph, so that an import of it into an empty one gives the same: all that people have
// brought about. What the engine makes of it by itself, it makes again.

export type ExportedCategory = Omit<Category, 'owner' | 'version'>;
export type ExportedNode = Omit<Node, 'owner' | 'version' | 'categories'> & {
  readonly categories: readonly (Pick<Assignment, 'confidence' | 'method'> & { readonly id: CategoryId })[];
};
/** Drawn by a person, written in a note, or decided on by a person. */
export type ExportedEdge = Omit<Edge, 'owner' | 'version'>;

/** One line of an export. Those of a kind stand together, in this order. */
export type ExportedPart =
  | { readonly category: ExportedCategory }
  | { readonly node: ExportedNode }
  | { readonly edge: ExportedEdge }
  | { readonly decision: PairDecision };
