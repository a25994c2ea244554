/** A page of a list. `next` is the store's key to go on after; absent on the last page. */
export interface ListPage<T> {
  readonly items: readonly T[];
  readonly next?: string | undefined;
}

export interface PageOptions {
  readonly after: string | undefined;
  readonly limit: number;
}

/** A list in the store, and what of it is wanted. */
export interface PageSource<T> {
  readonly read: (options: PageOptions) => Promise<ListPage<T>>;
  readonly keep: (item: T) => boolean;
  /** Under which key the item stands in the list: a list goes on after its last item. */
  readonly keyOf: (item: T) => string;
}

/** A page of a list that is whole in memory, in its order; `isAfter` says whether an item stands behind a key. */
export function cutPage<T>(
  all: readonly T[],
  of: { readonly keyOf: (item: T) => string; readonly isAfter: (item: T, key: string) => boolean },
  { limit, after }: { readonly limit: number; readonly after?: string | undefined },
): ListPage<T> {
  const rest = after === undefined ? all : all.filter((item) => of.isAfter(item, after));
  const items = rest.slice(0, limit);
  const last = items.at(-1);
  return last !== undefined && rest.length > limit ? { items, next: of.keyOf(last) } : { items };
}

/** Read at once where the filter drops most of what is read: a page of one is not worth a query. */
const SCAN_PAGE = 200;

/**
 * Fills a page, leaving out what the filter drops. It looks for one item more than the page holds, so `next` is there
 * only where something follows.
 */
export async function fillPage<T>(
  { read, keep, keyOf }: PageSource<T>,
  page: { readonly limit: number; readonly after?: string | undefined },
): Promise<ListPage<T>> {
  const items: T[] = [];
  let from: ListPage<T> = { items: [], next: page.after };
  let limit = page.limit + 1;
  do {
    from = await read({ after: from.next, limit });
    for (const item of from.items) {
      if (!keep(item)) continue;
      const last = items.at(-1);
      if (items.length === page.limit && last !== undefined) return { items, next: keyOf(last) };
      items.push(item);
    }
    limit = Math.max(limit, SCAN_PAGE);
  } while (from.next !== undefined);
  return { items };
}
