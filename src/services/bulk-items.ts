import type { Edge } from '../domain/edge.ts';
import { BrainError, isBrainError, toBrainError, type ErrorCode, type Issue } from '../domain/error.ts';
import type { Node, NodeDecision } from '../domain/node.ts';
import type { NodeId } from '../domain/values.ts';
import type { Tx } from '../storage/transaction.ts';
import type { NotePatch } from './nodes.ts';

/** Each item for itself, or all of them in one transaction or none. */
export type BulkMode = 'partial' | 'atomic';

/** What is asked of a note that is there. */
export interface OfNote {
  readonly id: NodeId;
  readonly expectedVersion?: number | undefined;
}
export type PatchOfNote = OfNote & NotePatch;

/** An item, or why it was refused before it came here; the pointers of that are into the item. */
export type BulkItem<T> = { readonly item: T } | { readonly refused: BrainError };

/** What became of an item: the note that it left, none where it is deleted, or what was wrong with it. */
export type BulkOutcome =
  | { readonly id: NodeId; readonly node?: Node | undefined }
  | { readonly error: BrainError };

export interface BulkResult {
  /** In the order of the items. */
  readonly outcomes: readonly BulkOutcome[];
  readonly edges: readonly Edge[];
  /** Whether all edges are made; else what is stored is promised to be linked. */
  readonly isLinked: boolean;
  /** What went wrong once the notes were done. */
  readonly trouble?: BrainError | undefined;
}

/** How the note of an item is to change. */
export type Decide = (tx: Tx) => Promise<NodeDecision>;

/** What is wrong with an item itself, and not with the store or with the product. */
const OF_ITEM: ReadonlySet<ErrorCode> = new Set(['invalid', 'malformed', 'not_found', 'conflict', 'stale']);
/** Issues told at once: a thousand items can break many rules each. */
const MOST_ISSUES = 100;

/** An error of one item of a bulk, with pointers into the whole of it, where the items stand in `list`. */
export function errorOfItem(error: BrainError, index: number, list?: 'items' | 'ids'): BrainError {
  const { code, message, details, operation } = error;
  return new BrainError(code, message, {
    cause: error,
    details,
    issues: error.issues.map((issue) => within(issue, index, list)),
    ...(operation !== undefined && { operation }),
  });
}

/**
 * The result where something failed once the notes were done: told that they were not, their sender would send them
 * again. Throws again where the same request was done by another.
 */
export function afterAll(error: unknown, result: BulkResult): BulkResult {
  if (isBrainError(error, 'in_progress')) throw error;
  return { trouble: toBrainError(error), ...result }; // what went wrong first
}

/** What the error says of an item that stands for all. Throws it again where it is none of the item's. */
export function issuesOfItem(error: unknown, index: number): readonly Issue[] {
  if (!BrainError.is(error) || !OF_ITEM.has(error.code)) throw error;
  if (error.issues.length > 0) return error.issues.map((issue) => within(issue, index));
  return [{ pointer: `/items/${index}`, code: error.code, message: error.message }];
}

/** Throws one `invalid` of all that is wrong, if anything is. */
export function refuseAll(issues: readonly Issue[]): void {
  if (issues.length === 0) return;
  const items = new Set(issues.map(({ pointer }) => pointer.split('/')[2]));
  throw new BrainError('invalid', `${items.size} of the items cannot be done, so none was`, {
    issues: issues.slice(0, MOST_ISSUES),
  });
}

const within = (issue: Issue, index: number, list = 'items'): Issue => ({
  ...issue,
  pointer: `/${list}/${index}${issue.pointer}`,
});
