/** What became of a piece of work; absent while it is under way. */
interface Slot<R> {
  outcome?: { readonly result: R } | { readonly thrown: unknown };
}

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
  const underWay: { readonly slot: Slot<R>; readonly settled: Promise<void> }[] = [];
  let coming: Slot<IteratorResult<T>> | undefined;
  let isEnded = false;
  // One promise for all that is waited for: a race would make several for each item.
  let wake = (): void => {};
  const watch = async <V>(promise: Promise<V>, slot: Slot<V>): Promise<void> => {
    try {
      slot.outcome = { result: await promise };
    } catch (thrown) {
      slot.outcome = { thrown };
    }
    wake();
  };
  try {
    while (!isEnded || underWay.length > 0) {
      options.signal?.throwIfAborted();
      if (!coming && !isEnded && underWay.length < options.limit) {
        coming = {};
        void watch(iterator.next(), coming);
      }
      if (coming?.outcome) {
        const next = taken(coming.outcome);
        coming = undefined;
        if (next.done) isEnded = true;
        else {
          const slot: Slot<R> = {};
          underWay.push({ slot, settled: watch(work(next.value), slot) });
        }
        continue;
      }
      const outcome = underWay[0]?.slot.outcome;
      if (outcome) {
        void underWay.shift();
        yield taken(outcome);
        continue;
      }
      await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    if (!isEnded) iterator.return?.(undefined)?.catch(() => {});
    await Promise.all(underWay.map(({ settled }) => settled));
  }
}

function taken<V>(outcome: NonNullable<Slot<V>['outcome']>): V {
  if ('thrown' in outcome) throw outcome.thrown;
  return outcome.result;
}

function iterate<T>(items: AsyncIterable<T> | Iterable<T>): AsyncIterator<T> {
  return Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : ofSync(items);
}

async function* ofSync<T>(items: Iterable<T>): AsyncGenerator<T> {
  yield* items;
}
