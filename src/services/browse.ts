import { labelOf, type Node } from '../domain/node.ts';
import type { NodeId, OwnerId } from '../domain/values.ts';
import type { Store } from '../storage/store.ts';
import type { NodeFilter, NodeService } from './nodes.ts';
import type { OwnerIndexes } from './owner-indexes.ts';
import { endIn, startIn } from './search.ts';

export type BrowseField = 'createdAt' | 'updatedAt' | 'title';

export interface BrowseQuery {
  readonly search?: string | undefined;
  /** Absent: by time of making, and the best match first in a search. */
  readonly sortBy?: BrowseField | undefined;
  readonly descending: boolean;
}

/** Which part of a list; absent: all of it. */
export interface BrowsePage {
  readonly limit: number;
  readonly after?: string | undefined;
}

export interface Browsed {
  readonly items: readonly Node[];
  /** How many there are on all pages together. */
  readonly total: number;
  /** Where the next page begins; absent on the last one. */
  readonly next?: string | undefined;
}

/** The ranking is cut here, as in a search. */
const SEARCH_DEPTH = 1_000;
const NODES_AT_ONCE = 500;

/** Where a note stands in a sorted list: by a text, then by its id. */
type Place = readonly [key: string, id: string];

export type BrowseService = ReturnType<typeof browseService>;

/** Lists of notes that are not archived, sorted, searched and counted: for who leafs through everything. */
export function browseService(needs: {
  readonly store: Store;
  readonly indexes: OwnerIndexes;
  readonly nodes: NodeService;
}) {
  const { store, indexes, nodes } = needs;

  /** Sorted by time: the store has them in that order, so that a page costs a page. */
  async function byTime(
    owner: OwnerId,
    { sortBy, descending }: BrowseQuery,
    page?: BrowsePage,
  ): Promise<Browsed> {
    const field = sortBy === 'updatedAt' ? 'updatedAt' : 'createdAt';
    const filter: NodeFilter = { sort: descending ? `-${field}` : field };
    if (page) {
      const { size } = await indexes.ready(owner); // it holds each note that is not archived
      return { ...(await nodes.list(owner, filter, page)), total: size };
    }
    const items: Node[] = [];
    let after: string | undefined;
    do {
      const found = await nodes.list(owner, filter, { limit: NODES_AT_ONCE, after });
      items.push(...found.items);
      after = found.next;
    } while (after !== undefined);
    return { items, total: items.length };
  }

  async function found(owner: OwnerId, search: string): Promise<readonly NodeId[]> {
    const index = await indexes.ready(owner);
    return (await index.search(search, { limit: SEARCH_DEPTH })).map(({ id }) => id as NodeId);
  }

  async function inOrder(owner: OwnerId, ids: readonly NodeId[]): Promise<readonly Node[]> {
    const byId = new Map((await store.read(owner).nodes.batchGet(ids)).map((node) => [node.id, node]));
    return ids.flatMap((id) => byId.get(id) ?? []);
  }

  return {
    async browse(owner: OwnerId, query: BrowseQuery, page?: BrowsePage): Promise<Browsed> {
      const { search, sortBy, descending } = query;
      if (search === undefined && sortBy !== 'title') return byTime(owner, query, page);
      if (search !== undefined && sortBy === undefined) {
        const ids = await found(owner, search);
        const start = startIn(ids, page?.after);
        const end = start + (page?.limit ?? ids.length);
        return {
          items: await inOrder(owner, ids.slice(start, end)),
          total: ids.length,
          ...(end < ids.length && { next: endIn(ids, end - 1) }),
        };
      }
      const all =
        search === undefined
          ? (await byTime(owner, { descending: false })).items
          : await inOrder(owner, await found(owner, search));
      return sortedPage(all, { field: sortBy ?? 'createdAt', descending }, page);
    },
  };
}

function sortedPage(
  all: readonly Node[],
  { field, descending }: { readonly field: BrowseField; readonly descending: boolean },
  page?: BrowsePage,
): Browsed {
  const compare = field === 'title' ? new Intl.Collator('en', { numeric: true }).compare : byText;
  const order = (a: Place, b: Place): number =>
    (descending ? -1 : 1) * (compare(a[0], b[0]) || byText(a[1], b[1]));
  const placed = all
    .map((node) => ({ node, place: placeOf(node, field) }))
    .sort((a, b) => order(a.place, b.place));
  const after = page?.after === undefined ? undefined : (JSON.parse(page.after) as Place);
  const start = after === undefined ? 0 : placed.filter(({ place }) => order(place, after) <= 0).length;
  const items = placed.slice(start, page && start + page.limit);
  const last = items.at(-1);
  const hasMore = last !== undefined && start + items.length < placed.length;
  return {
    items: items.map(({ node }) => node),
    total: placed.length,
    ...(hasMore && { next: JSON.stringify(last.place) }),
  };
}

const placeOf = (node: Node, field: BrowseField): Place => [
  field === 'title' ? labelOf(node) : node[field],
  node.id,
];

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
