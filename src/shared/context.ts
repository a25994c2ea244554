import { AsyncLocalStorage } from 'node:async_hooks';

/** Who and what a piece of work is done for. It travels by itself across awaits, and stands in every log line. */
export interface Context {
  readonly correlationId: string;
  readonly requestId: string;
  readonly ownerId: string;
  readonly traceId: string;
}

const storage = new AsyncLocalStorage<Context>();

export function runWithContext<T>(context: Context, work: () => T): T {
  return storage.run(context, work);
}

export function currentContext(): Context | undefined {
  return storage.getStore();
}
