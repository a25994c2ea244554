import { instant, type OwnerId } from '../domain/values.ts';
import { indexInProcess, IndexThread } from '../services/index-thread.ts';
import type { HandOver } from '../services/jobs.ts';
import type { Linker } from '../services/linker.ts';
import { createServices, type Services } from '../services/services.ts';
import { currentContext } from '../shared/context.ts';
import type { Log } from '../shared/log.ts';
import { Store } from '../storage/store.ts';
import type { RoundLimits } from '../storage/transaction.ts';
import { writeVaultOn, type VaultWorkers } from './vault-workers.ts';
import type { Engine } from './engine.ts';
import { importReader } from './import-reader.ts';
import { zipOfExport } from './vault-writer.ts';
import { watchedLinker, watchedTable, type OnWork } from './watched.ts';

interface JoinNeeds {
  readonly engine: Engine;
  readonly log: Log;
  readonly newId: (atMs?: number) => string;
  readonly onWork: OnWork | undefined;
  readonly round: RoundLimits | undefined;
  readonly nowMs: () => number;
  readonly resident: OwnerId | undefined;
  readonly workers: VaultWorkers;
  readonly handOver: HandOver | undefined;
}

/** The store over the table and the services over the store, watched where there is somebody to watch. */
export function joinServices(needs: JoinNeeds): { readonly store: Store; readonly services: Services } {
  const { engine, log, newId, onWork, round, nowMs, resident, workers, handOver } = needs;
  const { table, home, pollMs } = engine;
  const store = new Store({
    table: onWork ? watchedTable(table, onWork) : table,
    pollMs,
    now: () => instant(nowMs()),
    newEpoch: newId,
    round,
    correlationId: () => currentContext()?.correlationId ?? '-',
  });
  const services = createServices({
    store,
    snapshots: {
      load: home.loadIndex,
      save: home.saveIndex,
      onRefused: (owner, err) => log.warn({ err, owner }, 'the stored index is damaged; rebuilding it'),
    },
    indexThread: engine.isFrozenBetween ? new IndexThread(indexInProcess) : undefined,
    log,
    blobs: engine.blobs,
    formats: {
      reader: importReader(workers),
      writeVault: engine.isFrozenBetween ? zipOfExport : writeVaultOn(workers),
    },
    newId,
    watchLinker: onWork && ((linker: Linker) => watchedLinker(linker, onWork)),
    nowMs,
    resident,
    isShared: pollMs !== undefined,
    handOver,
  });
  return { store, services };
}
