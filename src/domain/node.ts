import { assertNever } from '../shared/assert.ts';
import type { Brand } from '../shared/brand.ts';
import { unchanged, type Decision } from './decision.ts';
import { BrainError, checkAll, refuse } from './error.ts';
import { LIMITS } from './limits.ts';
import * as value from './values.ts';
import type { CategoryId, Content, Instant, NodeId, OwnerId, Tag, Title, Weight } from './values.ts';

export type NodeFormat = 'markdown' | 'text';

/** Where a note came from. `key` is its stable name there: importing it again updates this node. */
export interface NodeSource {
  readonly kind: 'api' | 'cli' | 'import';
  readonly key?: string | undefined;
  readonly path?: string | undefined;
}

/** That a node is in a category, how sure that is, and who said so. */
export interface Assignment {
  readonly categoryId: CategoryId;
  readonly confidence: Weight;
  readonly method: 'ai' | 'manual' | 'rule-based';
}

/** A note. Made and changed only by the decisions of this file, so a Node in hand is a valid one. */
export type Node = Brand<
  {
    readonly id: NodeId;
    readonly owner: OwnerId;
    readonly title: Title;
    readonly content: Content;
    readonly format: NodeFormat;
    readonly tags: readonly Tag[];
    readonly aliases: readonly Title[];
    readonly categories: readonly Assignment[];
    readonly archived: boolean;
    readonly source: NodeSource;
    readonly createdAt: Instant;
    readonly updatedAt: Instant;
    /** 1 when made, +1 with every event. */
    readonly version: number;
  },
  'Node'
>;

/** What a person may say of a note; not yet checked. */
export interface NodeInput {
  readonly title?: string | undefined;
  readonly content?: string | undefined;
  readonly format?: NodeFormat | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly aliases?: readonly string[] | undefined;
  readonly source?: NodeSource | undefined;
  /** When the note was written, where its source knows; else now. */
  readonly createdAt?: string | undefined;
  readonly updatedAt?: string | undefined;
}

export interface NodeChanges {
  readonly title?: Title;
  readonly content?: Content;
  readonly format?: NodeFormat;
  readonly tags?: readonly Tag[];
  readonly aliases?: readonly Title[];
  readonly source?: NodeSource;
  readonly updatedAt?: Instant;
}

/** Each node event carries the version that it leads to, so applying one twice is harmless. */
interface OfNode {
  readonly nodeId: NodeId;
  readonly version: number;
  readonly at: Instant;
  /** What the node carried before the event, so that a reader may choose by it; absent where that is nothing. */
  readonly tags?: readonly Tag[] | undefined;
  readonly categories?: readonly CategoryId[] | undefined;
}

export type NodeEvent =
  | (OfNode & { readonly type: 'node.created'; readonly node: Node })
  | (OfNode & { readonly type: 'node.updated'; readonly changes: NodeChanges })
  | (OfNode & { readonly type: 'node.archived' | 'node.restored' })
  | (OfNode & { readonly type: 'node.deleted' })
  | (OfNode & { readonly type: 'category.nodeAssigned'; readonly assignment: Assignment })
  | (OfNode & { readonly type: 'category.nodeRemoved'; readonly categoryId: CategoryId });

export type NodeDecision = Decision<Node, NodeEvent>;

/** Throws `invalid` naming every field that breaks a rule; a note has a title or content, or both. */
export function createNode(
  input: NodeInput,
  made: { readonly id: NodeId; readonly owner: OwnerId; readonly now: Instant },
): NodeDecision {
  const fields = checkAll({
    title: () => value.title(input.title ?? ''),
    content: () => value.content(input.content ?? ''),
    tags: () => value.tags(input.tags ?? []),
    aliases: () => value.aliases(input.aliases ?? []),
    source: () => checkSource(input.source ?? { kind: 'api' }),
    createdAt: () => (input.createdAt === undefined ? made.now : value.instant(input.createdAt)),
    updatedAt: () => (input.updatedAt === undefined ? made.now : value.instant(input.updatedAt)),
  });
  checkNotBlank(fields);
  const after = {
    id: made.id,
    owner: made.owner,
    ...fields,
    format: input.format ?? 'markdown',
    categories: [],
    archived: false,
    version: 1,
  } as unknown as Node;
  return { after, events: [{ type: 'node.created', ...stamp(after, made.now), node: after }] };
}

/** A note as an export tells it: also what it was put into, and whether it is archived, in the one event of its making. */
export function recreateNode(
  input: NodeInput & { readonly archived: boolean; readonly categories: readonly Assignment[] },
  made: Parameters<typeof createNode>[1],
): NodeDecision {
  const plain = createNode(input, made).after as Node;
  const categories = input.categories.slice(0, LIMITS.categoriesOfNode);
  const after = { ...plain, archived: input.archived, categories } as Node;
  return { after, events: [{ type: 'node.created', ...stamp(after, made.now), node: after }] };
}

/** Changes the given fields and leaves the rest; a change to the same value is none. Throws `invalid`. */
export function updateNode(node: Node, input: NodeInput, now: Instant): NodeDecision {
  const fields = checkAll({
    ...(input.title !== undefined && { title: () => value.title(input.title ?? '') }),
    ...(input.content !== undefined && { content: () => value.content(input.content ?? '') }),
    ...(input.tags !== undefined && { tags: () => value.tags(input.tags ?? []) }),
    ...(input.aliases !== undefined && { aliases: () => value.aliases(input.aliases ?? []) }),
    ...(input.format !== undefined && { format: () => input.format }),
    ...(input.source !== undefined && { source: () => checkSource(input.source ?? node.source) }),
    updatedAt: () => (input.updatedAt === undefined ? now : value.instant(input.updatedAt)),
  });
  const { updatedAt, ...given } = fields;
  const changes: NodeChanges = Object.fromEntries(
    Object.entries(given).filter(([field, next]) => !same(next, node[field as keyof Node])),
  );
  if (Object.keys(changes).length === 0) return unchanged(node);
  checkNotBlank({ ...node, ...changes });
  return decide(node, { type: 'node.updated', ...next(node, now), changes: { ...changes, updatedAt } });
}

export function archiveNode(node: Node, now: Instant): NodeDecision {
  return node.archived ? unchanged(node) : decide(node, { type: 'node.archived', ...next(node, now) });
}

export function restoreNode(node: Node, now: Instant): NodeDecision {
  return node.archived ? decide(node, { type: 'node.restored', ...next(node, now) }) : unchanged(node);
}

export function deleteNode(node: Node, now: Instant): NodeDecision {
  return decide(node, { type: 'node.deleted', ...next(node, now) });
}

/** Puts the node in a category, or changes how sure that is. Throws `conflict` above the limit of categories. */
export function assignCategory(node: Node, assignment: Assignment, now: Instant): NodeDecision {
  const present = node.categories.find((c) => c.categoryId === assignment.categoryId);
  if (present?.confidence === assignment.confidence && present.method === assignment.method)
    return unchanged(node);
  if (!present && node.categories.length >= LIMITS.categoriesOfNode) {
    throw new BrainError('conflict', `a note is in at most ${LIMITS.categoriesOfNode} categories`);
  }
  return decide(node, { type: 'category.nodeAssigned', ...next(node, now), assignment });
}

export function removeCategory(node: Node, categoryId: CategoryId, now: Instant): NodeDecision {
  if (!node.categories.some((c) => c.categoryId === categoryId)) return unchanged(node);
  return decide(node, { type: 'category.nodeRemoved', ...next(node, now), categoryId });
}

/** The state after an event: the fold of all of a node's events is its state. `undefined` once it is deleted. */
export function applyNodeEvent(node: Node | undefined, event: NodeEvent): Node | undefined {
  if (event.type === 'node.created') return event.node;
  if (event.type === 'node.deleted' || node === undefined) return undefined;
  const base = { ...node, version: event.version, updatedAt: event.at };
  switch (event.type) {
    case 'node.updated':
      return { ...base, ...event.changes };
    case 'node.archived':
      return { ...base, archived: true };
    case 'node.restored':
      return { ...base, archived: false };
    case 'category.nodeAssigned': {
      const others = node.categories.filter((c) => c.categoryId !== event.assignment.categoryId);
      return { ...base, categories: [...others, event.assignment] };
    }
    case 'category.nodeRemoved':
      return { ...base, categories: node.categories.filter((c) => c.categoryId !== event.categoryId) };
    default:
      return assertNever(event);
  }
}

/** What a note is called in a list: its title, else its first line that is not blank, at most 100 characters. */
export function labelOf(node: Pick<Node, 'title' | 'content'>): string {
  if (node.title !== '') return node.title;
  const first = /\S.*/.exec(node.content.slice(0, 2000))?.[0] ?? '';
  const cut = first.replace(/^#+\s*/, '').slice(0, 100);
  return (cut.isWellFormed() ? cut : cut.slice(0, -1)).trim(); // not half of a surrogate pair
}

function decide(node: Node, event: NodeEvent): NodeDecision {
  return { before: node, after: applyNodeEvent(node, event), events: [event] };
}

const stamp = (node: Node, at: Instant) => ({ nodeId: node.id, version: node.version, at });
const next = (node: Node, at: Instant) => ({
  nodeId: node.id,
  version: node.version + 1,
  at,
  ...(node.tags.length > 0 && { tags: node.tags }),
  ...(node.categories.length > 0 && { categories: node.categories.map((c) => c.categoryId) }),
});

function checkNotBlank(fields: { readonly title: Title; readonly content: Content }): void {
  if (fields.title === '' && fields.content.trim() === '') {
    refuse('/content', 'blank', 'a note has a title or content');
  }
}

function checkSource(source: NodeSource): NodeSource {
  for (const field of ['key', 'path'] as const) {
    const text = source[field] ?? '';
    if (!text.isWellFormed() || text.includes('\0'))
      refuse(`/${field}`, 'text', `${field} is not well-formed text`);
    if (source[field] === '' || Buffer.byteLength(text) > LIMITS.sourceKeyBytes) {
      refuse(`/${field}`, 'length', `${field} takes 1 to ${LIMITS.sourceKeyBytes} bytes`);
    }
  }
  // One order of fields and no others, so that what is equal is equal as text.
  const { kind, key, path } = source;
  return { kind, ...(key !== undefined && { key }), ...(path !== undefined && { path }) };
}

function same(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}
