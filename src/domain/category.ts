import { assertNever } from '../shared/assert.ts';
import type { Brand } from '../shared/brand.ts';
import { unchanged, type Decision } from './decision.ts';
import { BrainError, checkAll, refuse } from './error.ts';
import { LIMITS } from './limits.ts';
import * as value from './values.ts';
import type { CategoryId, Color, Instant, OwnerId, Title } from './values.ts';

/** A place in the owner's tree of subjects. Its level follows from its parents: see CategoryTree. */
export type Category = Brand<
  {
    readonly id: CategoryId;
    readonly owner: OwnerId;
    readonly title: Title;
    readonly description: string;
    readonly parentId: CategoryId | null;
    readonly color: Color | null;
    readonly icon: string | null;
    readonly aiGenerated: boolean;
    readonly createdAt: Instant;
    readonly updatedAt: Instant;
    readonly version: number;
  },
  'Category'
>;

export interface CategoryInput {
  readonly title?: string | undefined;
  readonly description?: string | undefined;
  readonly color?: string | null | undefined;
  readonly icon?: string | null | undefined;
}

export interface CategoryChanges {
  readonly title?: Title;
  readonly description?: string;
  readonly color?: Color | null;
  readonly icon?: string | null;
}

interface OfCategory {
  readonly categoryId: CategoryId;
  readonly version: number;
  readonly at: Instant;
}

export type CategoryEvent =
  | (OfCategory & { readonly type: 'category.created'; readonly category: Category })
  | (OfCategory & { readonly type: 'category.updated'; readonly changes: CategoryChanges })
  | (OfCategory & { readonly type: 'category.moved'; readonly parentId: CategoryId | null })
  | (OfCategory & { readonly type: 'category.deleted' });

export type CategoryDecision = Decision<Category, CategoryEvent>;

/** All categories of an owner: what a decision on the shape of the tree has to see. */
export class CategoryTree {
  readonly #byId: ReadonlyMap<CategoryId, Category>;
  readonly #children = new Map<CategoryId | null, Category[]>();

  constructor(categories: Iterable<Category>) {
    this.#byId = new Map([...categories].map((c) => [c.id, c]));
    for (const category of this.#byId.values()) {
      const siblings = this.#children.get(category.parentId);
      if (siblings) siblings.push(category);
      else this.#children.set(category.parentId, [category]);
    }
  }

  get all(): Iterable<Category> {
    return this.#byId.values();
  }

  find(id: CategoryId): Category | undefined {
    return this.#byId.get(id);
  }

  children(id: CategoryId | null): readonly Category[] {
    return this.#children.get(id) ?? [];
  }

  /** From its parent up to the root. Ends also where stored data should have a cycle. */
  ancestors(id: CategoryId): readonly Category[] {
    const found: Category[] = [];
    let parent = this.#byId.get(id)?.parentId ?? null;
    while (parent !== null && found.length < LIMITS.categoryDepth) {
      const category = this.#byId.get(parent);
      if (!category) break;
      found.push(category);
      parent = category.parentId;
    }
    return found;
  }

  /** 0 for a root, at most 2. */
  level(id: CategoryId): number {
    return this.ancestors(id).length;
  }

  /** Levels that the category and all below it take: 1 for a leaf. */
  height(id: CategoryId): number {
    return 1 + Math.max(0, ...this.children(id).map((child) => this.height(child.id)));
  }
}

export function createCategory(
  input: CategoryInput & {
    readonly parentId?: CategoryId | null | undefined;
    readonly aiGenerated?: boolean;
  },
  tree: CategoryTree,
  made: { readonly id: CategoryId; readonly owner: OwnerId; readonly now: Instant },
): CategoryDecision {
  const parentId = input.parentId ?? null;
  const fields = checkAll({
    title: () => value.categoryTitle(input.title ?? ''),
    description: () => value.description(input.description ?? ''),
    color: () => (input.color == null ? null : value.color(input.color)),
    icon: () => (input.icon == null ? null : value.icon(input.icon)),
    parentId: () => checkPlace(parentId, 1, tree),
  });
  const after = {
    id: made.id,
    owner: made.owner,
    ...fields,
    aiGenerated: input.aiGenerated ?? false,
    createdAt: made.now,
    updatedAt: made.now,
    version: 1,
  } as unknown as Category;
  return {
    after,
    events: [{ type: 'category.created', categoryId: after.id, version: 1, at: made.now, category: after }],
  };
}

/** A category as an export tells it, with its own id and times. Throws what `createCategory` throws. */
export function recreateCategory(
  input: Parameters<typeof createCategory>[0] & { readonly createdAt: Instant; readonly updatedAt: Instant },
  tree: CategoryTree,
  made: Parameters<typeof createCategory>[2],
): CategoryDecision {
  const { createdAt, updatedAt } = input;
  const after = {
    ...(createCategory(input, tree, made).after as Category),
    createdAt,
    updatedAt,
  } as Category;
  return {
    after,
    events: [{ type: 'category.created', categoryId: after.id, version: 1, at: made.now, category: after }],
  };
}

/** Changes the given fields; `null` takes a color or an icon away. Throws `invalid`. */
export function updateCategory(category: Category, input: CategoryInput, now: Instant): CategoryDecision {
  const { title, description, color, icon } = input;
  const fields: CategoryChanges = checkAll({
    ...(title !== undefined && { title: () => value.categoryTitle(title) }),
    ...(description !== undefined && { description: () => value.description(description) }),
    ...(color !== undefined && { color: () => (color === null ? null : value.color(color)) }),
    ...(icon !== undefined && { icon: () => (icon === null ? null : value.icon(icon)) }),
  });
  const changes: CategoryChanges = Object.fromEntries(
    Object.entries(fields).filter(([field, next]) => next !== category[field as keyof Category]),
  );
  if (Object.keys(changes).length === 0) return unchanged(category);
  return decide(category, { type: 'category.updated', ...next(category, now), changes });
}

/** Puts the category, with all below it, under another parent. Throws `invalid` for a cycle or a fourth level. */
export function moveCategory(
  category: Category,
  parentId: CategoryId | null,
  tree: CategoryTree,
  now: Instant,
): CategoryDecision {
  if (category.parentId === parentId) return unchanged(category);
  if (parentId !== null && [parentId, ...tree.ancestors(parentId).map((a) => a.id)].includes(category.id)) {
    refuse('/parentId', 'cycle', 'a category cannot be moved below itself');
  }
  checkAll({ parentId: () => checkPlace(parentId, tree.height(category.id), tree) });
  return decide(category, { type: 'category.moved', ...next(category, now), parentId });
}

/** Throws `conflict` while it has categories below it. */
export function deleteCategory(category: Category, tree: CategoryTree, now: Instant): CategoryDecision {
  const children = tree.children(category.id).length;
  if (children > 0) {
    throw new BrainError('conflict', `the category has ${children} below it; move or delete those first`, {
      details: { children },
    });
  }
  return decide(category, { type: 'category.deleted', ...next(category, now) });
}

/** The fold of all of a category's events is its state; `undefined` once it is deleted. */
export function applyCategoryEvent(
  category: Category | undefined,
  event: CategoryEvent,
): Category | undefined {
  if (event.type === 'category.created') return event.category;
  if (event.type === 'category.deleted' || category === undefined) return undefined;
  const base = { ...category, version: event.version, updatedAt: event.at };
  switch (event.type) {
    case 'category.updated':
      return { ...base, ...event.changes };
    case 'category.moved':
      return { ...base, parentId: event.parentId };
    default:
      return assertNever(event);
  }
}

function checkPlace(parentId: CategoryId | null, height: number, tree: CategoryTree): CategoryId | null {
  if (parentId === null) return null;
  if (!tree.find(parentId)) refuse('', 'not_found', `there is no category ${parentId}`);
  if (tree.level(parentId) + 1 + height > LIMITS.categoryDepth) {
    refuse('', 'depth', `categories stand at most ${LIMITS.categoryDepth} levels deep`);
  }
  return parentId;
}

function decide(category: Category, event: CategoryEvent): CategoryDecision {
  return { before: category, after: applyCategoryEvent(category, event), events: [event] };
}

const next = (category: Category, at: Instant) => ({
  categoryId: category.id,
  version: category.version + 1,
  at,
});
