import { AsyncLocalStorage } from 'node:async_hooks';
import { randomSpanId, randomTraceId } from './trace-context.ts';

/** Who and what a piece of work is done for. It travels by itself across awaits, and stands in every log line. */
export interface Context {
  readonly correlationId: string;
  /** Of one request, or of one run of background work. */
  readonly requestId: string;
  /** Changed by `setOwner` alone. */
  readonly ownerId: string;
  readonly traceId: string;
  /** What this work is called within the trace. */
  readonly spanId?: string | undefined;
  /** Whether the trace is recorded, by us or by whoever called. */
  readonly isSampled?: boolean | undefined;
  /** Other systems' part of the trace context, passed on as it came. */
  readonly traceState?: string | undefined;
}

const storage = new AsyncLocalStorage<Context>();

export function runWithContext<T>(context: Context, work: () => T): T {
  return storage.run(context, work);
}

export function currentContext(): Context | undefined {
  return storage.getStore();
}

/**
 * From now on the work at hand, and whatever it has begun, is done for this owner: who that is comes to light only
 * after a request has its context, when it is authenticated.
 */
export function setOwner(ownerId: string): void {
  const context = currentContext();
  if (!context) throw new Error('there is no work at hand whose owner could be set');
  (context as { ownerId: string }).ownerId = ownerId;
}

/**
 * Runs work that no request asked for, such as upkeep, in a context of its own. `id` names this run of it in the log
 * and in the events that it makes.
 */
export function runInBackground<T>(of: { readonly ownerId: string; readonly id: string }, work: () => T): T {
  const { ownerId, id } = of;
  const trace = { traceId: randomTraceId(), spanId: randomSpanId() };
  return runWithContext({ correlationId: id, requestId: id, ownerId, ...trace }, work);
}
