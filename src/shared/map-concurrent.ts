/**
 * Maps `items` with at most `limit` calls of `work` under way at once. Results keep the order of the items.
 * The first rejection stops new calls and is thrown when the calls under way have settled; `signal` stops likewise.
 */
export async function mapConcurrent<T, R>(
  items: Iterable<T>,
  options: { readonly limit: number; readonly signal?: AbortSignal | undefined },
  work: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  const entries = [...items].entries();
  let failed: { readonly error: unknown } | undefined;
  const lane = async (): Promise<void> => {
    for (const [index, item] of entries) {
      if (failed) return;
      try {
        options.signal?.throwIfAborted();
        results[index] = await work(item, index);
      } catch (error) {
        failed ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, options.limit) }, lane));
  if (failed) throw failed.error;
  return results;
}
