import {
  CategoryTree,
  createCategory,
  deleteCategory,
  moveCategory,
  updateCategory,
  type Category,
  type CategoryInput,
} from '../domain/category.ts';
import { assignCategory, removeCategory, type Assignment, type Node } from '../domain/node.ts';
import { categoryTitle, weight, type CategoryId, type NodeId, type OwnerId } from '../domain/values.ts';
import { keys } from '../storage/keys.ts';
import type { Repositories } from '../storage/repositories.ts';
import type { Store } from '../storage/store.ts';
import type { Tx } from '../storage/transaction.ts';
import { checkVersion } from './nodes.ts';
import { cutPage, fillPage, type ListPage } from './pages.ts';
import type { Keep } from './receipts.ts';

/** A category as people see it: with its place in the tree and its notes counted. */
export interface PlacedCategory {
  readonly category: Category;
  /** 0 for a root, at most 2. */
  readonly level: number;
  readonly noteCount: number;
}

/** Notes taken out of a category in one transaction when it is deleted; each takes four of its hundred writes. */
const NODES_A_DELETE = 20;

export type CategoryService = ReturnType<typeof categoryService>;

export function categoryService(needs: { readonly store: Store; readonly newCategoryId: () => CategoryId }) {
  const { store } = needs;

  const placed = async (from: Repositories, category: Category): Promise<PlacedCategory> => ({
    category,
    level: (await treeOf(from)).level(category.id),
    noteCount: (await from.nodes.countByCategory()).get(category.id) ?? 0,
  });

  async function listed(from: Repositories, tree: CategoryTree): Promise<readonly PlacedCategory[]> {
    const counts = await from.nodes.countByCategory();
    const below = (id: CategoryId | null, level: number): PlacedCategory[] =>
      [...tree.children(id)]
        .sort((a, b) => compareSteps(stepOf(a), stepOf(b)))
        .flatMap((category) => [
          { category, level, noteCount: counts.get(category.id) ?? 0 },
          ...below(category.id, level + 1),
        ]);
    return below(null, 0);
  }

  async function ensured(tx: Tx, path: readonly string[]): Promise<CategoryId | undefined> {
    let parentId: CategoryId | null = null;
    for (const title of path) {
      const tree = await treeOf(tx);
      const stored = categoryTitle(title); // as it would be kept: ' Work ' is 'Work'
      const known: Category | undefined = tree.children(parentId).find((c) => c.title === stored);
      if (known) {
        parentId = known.id;
        continue;
      }
      const made = { id: needs.newCategoryId(), owner: tx.owner, now: tx.now };
      const decision = createCategory({ title, parentId }, tree, made);
      tx.categories.apply(decision);
      parentId = made.id;
    }
    return parentId ?? undefined;
  }

  return {
    /** All of them, parents before children, siblings by title. */
    async list(owner: OwnerId): Promise<readonly PlacedCategory[]> {
      const from = store.read(owner);
      return listed(from, await treeOf(from));
    },

    /** The same by pages. */
    async page(
      owner: OwnerId,
      page: { readonly limit: number; readonly after?: string | undefined },
    ): Promise<ListPage<PlacedCategory>> {
      const from = store.read(owner);
      const tree = await treeOf(from);
      const pathOf = ({ category }: PlacedCategory) =>
        [category, ...tree.ancestors(category.id)].toReversed().map(stepOf);
      return cutPage(
        await listed(from, tree),
        {
          keyOf: (placed) => JSON.stringify(pathOf(placed)),
          isAfter: (placed, key) => comparePaths(pathOf(placed), JSON.parse(key) as readonly Step[]) > 0,
        },
        page,
      );
    },

    async get(owner: OwnerId, id: CategoryId): Promise<PlacedCategory> {
      const from = store.read(owner);
      return placed(from, await from.categories.get(id));
    },

    create: (
      owner: OwnerId,
      input: CategoryInput & { readonly parentId?: CategoryId | null | undefined },
      keep?: Keep<PlacedCategory>,
    ): Promise<PlacedCategory> =>
      store.write(owner, async (tx) => {
        const made = { id: needs.newCategoryId(), owner, now: tx.now };
        const decision = createCategory(input, await treeOf(tx), made);
        tx.categories.apply(decision);
        return kept(tx, await placed(tx, decision.after as Category), keep);
      }),

    update: (
      owner: OwnerId,
      id: CategoryId,
      input: CategoryInput,
      expectedVersion?: number,
    ): Promise<PlacedCategory> =>
      store.write(owner, async (tx) => {
        const category = await tx.categories.get(id);
        checkVersion('category', category, expectedVersion, input);
        const decision = updateCategory(category, input, tx.now);
        tx.categories.apply(decision);
        return placed(tx, decision.after as Category);
      }),

    /** Puts it, with all below it, under another parent; `null` makes it a root. */
    move: (
      owner: OwnerId,
      id: CategoryId,
      parentId: CategoryId | null,
      expectedVersion?: number,
      keep?: Keep<PlacedCategory>,
    ): Promise<PlacedCategory> =>
      store.write(owner, async (tx) => {
        const category = await tx.categories.get(id);
        checkVersion('category', category, expectedVersion, { parentId });
        const decision = moveCategory(category, parentId, await treeOf(tx), tx.now);
        tx.categories.apply(decision);
        return kept(tx, await placed(tx, decision.after as Category), keep);
      }),

    /** Deletes it once its notes, which stay, are out of it. Throws `conflict` while it has categories below it. */
    async delete(owner: OwnerId, id: CategoryId, expectedVersion?: number): Promise<void> {
      const empty = async (tx: Tx): Promise<boolean> => {
        const category = await tx.categories.get(id);
        checkVersion('category', category, expectedVersion);
        const decision = deleteCategory(category, await treeOf(tx), tx.now);
        const page = await tx.nodes.listByCategory(id, { limit: NODES_A_DELETE });
        for (const node of page.items) tx.nodes.apply(removeCategory(node, id, tx.now));
        if (page.next !== undefined) return false;
        tx.categories.apply(decision);
        return true;
      };
      while (!(await store.write(owner, empty)));
    },

    async nodes(
      owner: OwnerId,
      id: CategoryId,
      page: { readonly limit: number; readonly after?: string | undefined },
    ): Promise<ListPage<Node>> {
      const from = store.read(owner);
      await from.categories.get(id);
      return fillPage(
        {
          read: (options) => from.nodes.listByCategory(id, options),
          keep: (node) => !node.archived,
          keyOf: (node) => keys.nodeInCategory(owner, id, node.id).sk,
        },
        page,
      );
    },

    assign: (
      owner: OwnerId,
      id: CategoryId,
      nodeId: NodeId,
      how: {
        readonly confidence?: number | undefined;
        readonly method?: Assignment['method'] | undefined;
      } = {},
    ): Promise<Node> =>
      store.write(owner, async (tx) => {
        await tx.categories.get(id);
        const assignment = {
          categoryId: id,
          confidence: weight(how.confidence ?? 1),
          method: how.method ?? 'manual',
        };
        const decision = assignCategory(await tx.nodes.get(nodeId), assignment, tx.now);
        tx.nodes.apply(decision);
        return decision.after as Node;
      }),

    remove: (owner: OwnerId, id: CategoryId, nodeId: NodeId): Promise<Node> =>
      store.write(owner, async (tx) => {
        await tx.categories.get(id);
        const decision = removeCategory(await tx.nodes.get(nodeId), id, tx.now);
        tx.nodes.apply(decision);
        return decision.after as Node;
      }),

    /** The category at the end of a path of titles; those that are not there yet are made. For imports. */
    ensurePath: (owner: OwnerId, path: readonly string[]): Promise<CategoryId | undefined> =>
      store.write(owner, (tx) => ensured(tx, path), { bulk: true }),
  };
}

async function kept<T>(tx: Tx, result: T, keep: Keep<T> | undefined): Promise<T> {
  await keep?.(tx, result);
  return result;
}

export async function treeOf(from: Repositories): Promise<CategoryTree> {
  return new CategoryTree(await Array.fromAsync(from.categories.all()));
}

/** Where a category stands among its siblings. */
type Step = readonly [title: string, id: string];

const stepOf = ({ title, id }: Category): Step => [title, id];

function compareSteps([titleA, idA]: Step, [titleB, idB]: Step): number {
  return titleA.localeCompare(titleB) || (idA < idB ? -1 : Number(idA > idB));
}

/** Paths from the root, in the order of the tree: a parent stands before what is below it. */
function comparePaths(a: readonly Step[], b: readonly Step[]): number {
  for (const [at, step] of a.entries()) {
    const other = b[at];
    const order = other === undefined ? 1 : compareSteps(step, other);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}
