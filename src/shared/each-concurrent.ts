/**
 * Runs `work` on items as they come, at most `limit` at once, and yields each result in the order of the items as soon
 * as it is there, also while the next item is not. The first rejection, of the items too, stops new calls and is
 * thrown when those under way have settled; so it is when the caller stops.
 */
export async function* eachConcurrent<T, R>(
  items: AsyncIterable<T> | Iterable<T>,
  options: { readonly limit: number; readonly signal?: AbortSignal | undefined },
  work: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const iterator = iterate(items);
  const underWay: Promise<{ readonly result: R }>[] = [];
  let coming: Promise<{ readonly next: IteratorResult<T> }> | undefined;
  let isEnded = false;
  try {
    while (!isEnded || underWay.length > 0) {
      options.signal?.throwIfAborted();
      if (!isEnded && underWay.length < options.limit) {
        coming ??= iterator.next().then((next) => ({ next }));
      }
      const [oldest] = underWay;
      const first = await Promise.race([coming, oldest].filter((each) => each !== undefined));
      if ('result' in first) {
        void underWay.shift();
        yield first.result;
        continue;
      }
      coming = undefined;
      if (first.next.done) isEnded = true;
      else underWay.push(settling(work(first.next.value)));
    }
  } finally {
    coming?.catch(() => {}); // nobody looks at what still comes
    if (!isEnded) iterator.return?.(undefined)?.catch(() => {});
    await Promise.allSettled(underWay);
  }
}

async function* iterate<T>(items: AsyncIterable<T> | Iterable<T>): AsyncGenerator<T> {
  yield* items;
}

/** A result that is looked at in its turn: a rejection before that is nobody's yet. */
function settling<R>(work: Promise<R>): Promise<{ readonly result: R }> {
  const settled = work.then((result) => ({ result }));
  settled.catch(() => {});
  return settled;
}
