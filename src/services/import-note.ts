import {
  assignCategory,
  createNode,
  removeCategory,
  updateNode,
  type Node,
  type NodeDecision,
  type NodeInput,
} from '../domain/node.ts';
import type { JobItem } from '../domain/job.ts';
import type { ExportedPart } from './exported.ts';
import type { BrainError } from '../domain/error.ts';
import {
  instant,
  isUuid,
  nodeId,
  weight,
  type CategoryId,
  type Instant,
  type NodeId,
  type OwnerId,
} from '../domain/values.ts';
import type { Repositories } from '../storage/repositories.ts';
import type { ItemStatus } from './import-events.ts';

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
  /** What is not as it should be in the source, and kept nothing out. Told of, and not stored. */
  readonly warnings?: readonly ImportWarning[] | undefined;
}

export interface ImportWarning {
  readonly code: string;
  /** Counted from 1. */
  readonly line?: number | undefined;
  readonly message: string;
  /** Of a broken link: the target as it was written. */
  readonly target?: string | undefined;
}

/** A note, or what stood in the place of one and why it cannot be taken; `isUnnamed` when `key` is only its place. */
export type ImportEntry =
  | ImportNote
  | { readonly key: string; readonly part: ExportedPart }
  | { readonly key: string; readonly isUnnamed?: boolean; readonly refused: BrainError };

/** The id, owner and category of a note that is new. */
export interface MadeNode {
  readonly id: NodeId;
  readonly owner: OwnerId;
  readonly categoryId: CategoryId | undefined;
}

/** The stored note made equal to its source; fields that the source does not carry stay as they are. */
function decideNote(now: Instant, note: ImportNote, before: Node | undefined, made: MadeNode): NodeDecision {
  const { key, path, category: _category, links: _links, warnings: _warnings, ...fields } = note;
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
    const removed = removeCategory(node, given.categoryId, node.updatedAt);
    events.push(...removed.events);
    node = removed.after as Node;
  }
  if (!node.categories.some((c) => c.categoryId === categoryId)) {
    const assigned = assignCategory(
      node,
      { categoryId, confidence: weight(1), method: 'rule-based' },
      node.updatedAt,
    );
    events.push(...assigned.events);
    node = assigned.after as Node;
  }
  return { before, after: node, events };
}

/** What becomes of a note, with the one of its source that is there, as a transaction or a reader sees it. */
export async function decideImport(from: Repositories, note: ImportNote, now: Instant, made: MadeNode) {
  const given = made.categoryId === undefined ? [] : [made.categoryId];
  const [before, [categoryId]] = await Promise.all([
    findBySource(from, note.key),
    from.categories.existing(given), // it may have been deleted since it was looked up
  ]);
  const decision = decideNote(now, note, before, { ...made, categoryId });
  return { decision, node: decision.after as Node, status: statusOf(decision) };
}

/** The note of this source key; or of this id, for one that was made here, exported and comes back. */
async function findBySource(from: Repositories, key: string): Promise<Node | undefined> {
  const known = (await from.nodes.bySourceKeys([key])).get(key);
  if (known !== undefined) return from.nodes.find(known);
  const own = isUuid(key) ? await from.nodes.find(nodeId(key)) : undefined;
  return own?.source.key === undefined ? own : undefined;
}

/** For the id of a note, which its place among others comes from; what is no time is refused where the note is decided. */
export function msOf(time: string): number | undefined {
  try {
    return Date.parse(instant(time));
  } catch {
    return undefined;
  }
}

export function statusOf({ before, events }: NodeDecision): ItemStatus {
  return before === undefined ? 'created' : events.length > 0 ? 'updated' : 'unchanged';
}

/** Whether an earlier import of the same collection brought the note. */
export function isOfCollection(node: Node, collection: string): boolean {
  const { kind, path } = node.source;
  return (
    kind === 'import' && path !== undefined && (path === collection || path.startsWith(`${collection}/`))
  );
}

/** Of one note; the rest is counted. */
const WARNINGS_TOLD = 20;

/** What there is to say of a note that went in; undefined for nothing. */
export function detailsOf({ warnings = [] }: ImportNote, trimmed: readonly string[]): JobItem['details'] {
  if (trimmed.length === 0 && warnings.length === 0) return undefined;
  const more = warnings.length - WARNINGS_TOLD;
  return {
    ...(trimmed.length > 0 && { trimmed }),
    ...(warnings.length > 0 && { warnings: warnings.slice(0, WARNINGS_TOLD) }),
    ...(more > 0 && { moreWarnings: more }),
  };
}
