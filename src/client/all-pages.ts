import type { Page } from '../api/common.ts';

/** The most that a page holds. */
const LIMIT = 200;

/** Every item of a list, page by page: `allPages((query) => brain.http.nodes.list({ ...query, tag: 'sleep' }))`. */
export async function* allPages<T>(
  read: (query: { readonly limit: number; readonly cursor?: string | undefined }) => Promise<Page<T>>,
): AsyncGenerator<T> {
  let cursor: string | undefined;
  do {
    const { items, page } = await read({ limit: LIMIT, cursor });
    yield* items;
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
}
