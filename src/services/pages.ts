/** A page of a list. `next` is the store's key to go on after; absent on the last page. */
export interface ListPage<T> {
  readonly items: readonly T[];
  readonly next?: string | undefined;
}

/**
 * Fills a page from a source that pages by itself, leaving out what the filter drops: a page is full unless the
 * source has ended, so nobody sees an empty page with more behind it.
 */
export async function fillPage<T>(
  limit: number,
  after: string | undefined,
  read: (options: { readonly after: string | undefined; readonly limit: number }) => Promise<ListPage<T>>,
  keep: (item: T) => boolean,
): Promise<ListPage<T>> {
  const items: T[] = [];
  let from = after;
  do {
    const page = await read({ after: from, limit: limit - items.length });
    items.push(...page.items.filter(keep));
    from = page.next;
  } while (from !== undefined && items.length < limit);
  return from === undefined ? { items } : { items, next: from };
}
