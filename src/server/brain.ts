import type { FastifyInstance } from 'fastify';
import { instant, ownerId, type OwnerId } from '../domain/values.ts';
import { createApp } from '../http/app.ts';
import type { Linker } from '../services/linker.ts';
import { createServices, type Services } from '../services/services.ts';
import { currentContext, runInBackground } from '../shared/context.ts';
import { createLog, type Log } from '../shared/log.ts';
import { uuidv7Generator } from '../shared/uuid.ts';
import { QUEUE_LIMIT } from '../storage/owner-writer.ts';
import { Store } from '../storage/store.ts';
import type { RoundLimits } from '../storage/transaction.ts';
import type { Engine } from './engine.ts';
import { openEngine } from './engines.ts';
import { healthChecks } from './health-checks.ts';
import { observe, UNOBSERVED } from './observation.ts';
import { read } from './readings.ts';
import type { Settings } from './settings.ts';
import { VERSION } from './version.ts';
import { watchedLinker, watchedTable, type OnWork } from './watched.ts';

/** A whole Brain2 without a socket. */
export interface Brain {
  readonly app: FastifyInstance;
  readonly services: Services;
  readonly folder: Engine['home'];
  readonly log: Log;
  /** The one owner of a local Brain2. */
  readonly owner: OwnerId;
  /** Runs work that nobody asked for, in a context of its own. */
  inBackground<T>(work: () => T): T;
  /** Ends what is under way, stores the indexes and lets go of the folder. */
  close(): Promise<void>;
}

const LOCAL_OWNER = ownerId('local');
const UPKEEP_MS = 10_000;

interface BrainOptions {
  /** Takes the log in the place of stdout. */
  readonly logTo?: Parameters<typeof createLog>[1];
  /** Nobody waits but the one caller in this process: bulk work is done in larger pieces. */
  readonly isAlone?: boolean;
  /** May name a collector of traces and metrics. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/** In larger pieces an import writes a third less; the one who waits is the one who imports. */
const ALONE = { round: { works: 128, ms: 200 }, checkpointPages: 16_000 };

/** Joins the parts. Throws what `openEngine` throws. */
export async function openBrain(settings: Settings, options: BrainOptions = {}): Promise<Brain> {
  const log = createLog({ level: settings.logLevel, format: settings.logFormat }, options.logTo);
  const limits: Partial<typeof ALONE> = options.isAlone ? ALONE : {};
  const newId = uuidv7Generator(Date.now);
  const observation = options.isAlone ? UNOBSERVED : await observe(options.environment ?? {}, log);
  const { onWork, metrics, tracer, exposition } = observation;
  const engine = await openEngine(settings, limits);
  const { table, home: folder } = engine;
  try {
    const { store, services } = joinServices({ engine, log, newId, onWork, round: limits.round });
    observation.measure(() => read({ store, services }, LOCAL_OWNER));
    const health = healthOf(engine, { store, services });
    const app = await createApp({
      services,
      log,
      newId,
      metrics,
      tracer,
      exposition,
      checks: health.checks,
      version: VERSION,
      cursorKey: folder.key,
      showsInside: settings.mode === 'development',
    });
    const inBackground = <T>(work: () => T): T =>
      runInBackground({ ownerId: LOCAL_OWNER, id: newId() }, work);
    const stopUpkeep = startUpkeep(services, log, inBackground);
    return {
      app,
      services,
      folder,
      log,
      inBackground,
      owner: LOCAL_OWNER,
      async close() {
        await stopUpkeep();
        health.stop();
        try {
          await app.close();
          await store.drain();
          await services.deprecatedCalls.flush();
          await observation.stop(); // while there is still something to measure
          await services.indexes.close();
        } finally {
          // Also where the index could not be stored, as on a full disk: it is made anew from the notes.
          await table.close();
          folder.release();
        }
      },
    };
  } catch (error) {
    await table.close();
    folder.release();
    throw error;
  }
}

function healthOf(
  engine: Engine,
  { store, services }: { readonly store: Store; readonly services: Services },
): ReturnType<typeof healthChecks> {
  const { table, home, facts } = engine;
  const workers = {
    health: () => ({ isAlive: engine.canWrite(), waiting: store.waiting, limit: QUEUE_LIMIT }),
  };
  return healthChecks({ table, store, services, workers, facts, dataDir: home.path, owner: LOCAL_OWNER });
}

/** The store over the table and the services over the store, watched where there is somebody to watch. */
function joinServices(needs: {
  readonly engine: Engine;
  readonly log: Log;
  readonly newId: (atMs?: number) => string;
  readonly onWork: OnWork | undefined;
  readonly round: RoundLimits | undefined;
}): { readonly store: Store; readonly services: Services } {
  const { engine, log, newId, onWork, round } = needs;
  const { table, home, pollMs } = engine;
  const store = new Store({
    table: onWork ? watchedTable(table, onWork) : table,
    pollMs,
    now: () => instant(Date.now()),
    newEpoch: newId,
    round,
    correlationId: () => currentContext()?.correlationId ?? '-',
  });
  const snapshots = {
    load: home.loadIndex,
    save: home.saveIndex,
    onRefused: (owner: OwnerId, err: unknown) =>
      log.warn({ err, owner }, 'the stored index is damaged; rebuilding it'),
  };
  const watchLinker = onWork && ((linker: Linker) => watchedLinker(linker, onWork));
  return { store, services: createServices({ store, snapshots, newId, watchLinker }) };
}

/** Now and then: links what a cut-off import left to be linked, and stores indexes that have grown a tail. */
function startUpkeep(services: Services, log: Log, inBackground: Brain['inBackground']): () => Promise<void> {
  let underWay: Promise<void> | undefined;
  const upkeep = async (): Promise<void> => {
    try {
      if (!services.imports.isRunning(LOCAL_OWNER)) await services.pending.finish(LOCAL_OWNER);
      await services.deprecatedCalls.flush();
      await services.indexes.upkeep();
    } catch (err) {
      log.error({ err }, 'upkeep failed');
    }
    underWay = undefined;
  };
  const timer = setInterval(() => {
    underWay ??= inBackground(upkeep);
  }, UPKEEP_MS);
  timer.unref();
  return async () => {
    clearInterval(timer);
    await underWay;
  };
}
