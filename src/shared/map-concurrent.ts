import { systemClock } from './clock.ts';

/** What an item may take unless a caller says otherwise. */
const ITEM_TIMEOUT_MS = 5_000;

interface MapOptions {
  /** Calls of `work` under way at once, at most. */
  readonly limit: number;
  /** For each item by itself, from the start of its work; 5 s by default, `Infinity` for no limit. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What the work on one item is told. */
interface ItemContext {
  readonly index: number;
  /** Aborted when the item is out of time, or the whole is aborted. */
  readonly signal: AbortSignal;
}

/**
 * Does `work` for each item by itself, at most `limit` at once, and gives what came of each in the order of the items:
 * its value, or what was thrown over it, which is a `TimeoutError` where it took longer than `timeoutMs`. One that
 * fails or hangs holds up no other. Work that is out of time is told so by its signal and no longer waited for; if it
 * goes on nevertheless, it does so beside the `limit`.
 *
 * When `signal` is aborted nothing more begins, and the reason of the signal is thrown once all that is under way has
 * settled or is out of time. Where the first failure makes the rest worthless, or results are wanted as they come,
 * `eachConcurrent` is the way.
 */
export async function mapConcurrent<T, R>(
  items: Iterable<T>,
  { limit, timeoutMs = ITEM_TIMEOUT_MS, signal }: MapOptions,
  work: (item: T, context: ItemContext) => Promise<R>,
): Promise<PromiseSettledResult<R>[]> {
  const outcomes: PromiseSettledResult<R>[] = [];
  const entries = [...items].entries();
  const lane = async (): Promise<void> => {
    for (const [index, item] of entries) {
      if (signal?.aborted) return;
      try {
        const value = await within(timeoutMs, signal, (own) => work(item, { index, signal: own }));
        outcomes[index] = { status: 'fulfilled', value };
      } catch (reason) {
        outcomes[index] = { status: 'rejected', reason };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, limit) }, lane));
  signal?.throwIfAborted();
  return outcomes;
}

/** The result of `work`, or a `TimeoutError` when its time is up. */
async function within<R>(
  timeoutMs: number,
  outer: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<R>,
): Promise<R> {
  const own = new AbortController();
  const late = Promise.withResolvers<never>();
  const callOff = systemClock.after(timeoutMs, () => {
    const error = new DOMException(`it was not done within ${timeoutMs} ms`, 'TimeoutError');
    late.reject(error);
    own.abort(error);
  });
  const pass = (): void => own.abort(outer?.reason);
  outer?.addEventListener('abort', pass, { once: true });
  try {
    return await Promise.race([work(own.signal), late.promise]);
  } finally {
    callOff();
    outer?.removeEventListener('abort', pass);
  }
}
