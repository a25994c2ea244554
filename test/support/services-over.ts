import { indexInProcess, IndexThread } from '../../src/services/index-thread.ts';
import type { Linker } from '../../src/services/linker.ts';
import { createServices, type Services } from '../../src/services/services.ts';
import { instant } from '../../src/domain/values.ts';
import { uuidv7Generator } from '../../src/shared/uuid.ts';
import { Store } from '../../src/storage/store.ts';
import type { Table } from '../../src/storage/table.ts';
import type { RoundLimits } from '../../src/storage/transaction.ts';
import { serviceParts } from './service-parts.ts';

const newId = uuidv7Generator(Date.now);

/** All services of a process over a table, which may be that of others. */
export function servicesOver(
  table: Table,
  options: {
    /** Awaited within each transaction that links a note. */
    readonly beforeLinking?: (() => Promise<void>) | undefined;
    readonly round?: RoundLimits;
    readonly nowMs?: () => number;
  } = {},
): { readonly store: Store; readonly services: Services } {
  const { beforeLinking = async () => {}, round, nowMs = Date.now } = options;
  const now = () => instant(nowMs());
  const store = new Store({ table, now, round, newEpoch: newId, correlationId: () => '-' });
  const watchLinker = ({ link }: Linker): Linker => ({
    async link(...asked) {
      await beforeLinking();
      return link(...asked);
    },
  });
  const services = createServices({
    ...serviceParts(table),
    store,
    snapshots: { load: async () => undefined, save: async () => {} },
    indexThread: new IndexThread(indexInProcess),
    newId,
    watchLinker,
    nowMs,
    isShared: true,
  });
  return { store, services };
}
