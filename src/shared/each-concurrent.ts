/**
 * Runs `work` on items as they come, at most `limit` at once, and yields the results in the order of the items. The
 * first rejection stops new calls and is thrown when those under way have settled; so it is when the caller stops.
 */
export async function* eachConcurrent<T, R>(
  items: AsyncIterable<T> | Iterable<T>,
  options: { readonly limit: number; readonly signal?: AbortSignal | undefined },
  work: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const underWay: Promise<R>[] = [];
  try {
    for await (const item of items) {
      options.signal?.throwIfAborted();
      const result = work(item);
      result.catch(() => {}); // looked at below, in its turn
      underWay.push(result);
      if (underWay.length < options.limit) continue;
      yield await (underWay.shift() as Promise<R>);
    }
    while (underWay.length > 0) yield await (underWay.shift() as Promise<R>);
  } finally {
    await Promise.allSettled(underWay);
  }
}
