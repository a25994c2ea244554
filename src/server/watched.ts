import type { Linker } from '../services/linker.ts';
import type { Table } from '../storage/table.ts';

/** A piece of work that is counted and traced, when it is over. */
export interface Work {
  readonly kind: 'store.commit' | 'linking';
  /** Unix milliseconds, with fractions. */
  readonly startedAt: number;
  readonly durationMs: number;
  readonly isDone: boolean;
  /** Transactions of a commit. */
  readonly size: number;
}

export type OnWork = (work: Work) => void;

/** The table, telling of each commit. */
export function watchedTable(table: Table, onWork: OnWork): Table {
  return {
    get: (key) => table.get(key),
    batchGet: (keys) => table.batchGet(keys),
    has: (keys) => table.has(keys),
    query: (pk, options) => table.query(pk, options),
    transact: (transactions) =>
      watched('store.commit', transactions.length, onWork, () => table.transact(transactions)),
    ...(table.atRest && { atRest: table.atRest.bind(table) }),
    close: () => table.close(),
  };
}

/** The linker, telling of each note that it links. */
export function watchedLinker(linker: Linker, onWork: OnWork): Linker {
  return {
    link: (tx, node, asked) => watched('linking', 1, onWork, () => linker.link(tx, node, asked)),
  };
}

async function watched<T>(
  kind: Work['kind'],
  size: number,
  onWork: OnWork,
  work: () => Promise<T>,
): Promise<T> {
  const start = performance.now();
  let isDone = false;
  try {
    const value = await work();
    isDone = true;
    return value;
  } finally {
    const durationMs = performance.now() - start;
    onWork({ kind, startedAt: performance.timeOrigin + start, durationMs, isDone, size });
  }
}
