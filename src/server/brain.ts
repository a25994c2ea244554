import { statfs } from 'node:fs/promises';
import type { FastifyInstance } from 'fastify';
import { instant, ownerId, type OwnerId } from '../domain/values.ts';
import { createApp } from '../http/app.ts';
import { eventLoopCheck, type HealthChecks } from '../http/health.ts';
import { createServices, type Services } from '../services/services.ts';
import { currentContext } from '../shared/context.ts';
import { createLog, type Log } from '../shared/log.ts';
import { uuidv7Generator } from '../shared/uuid.ts';
import { openDataFolder, type DataFolder } from '../storage/embedded/data-folder.ts';
import { SqliteTable } from '../storage/embedded/sqlite-table.ts';
import { Store } from '../storage/store.ts';
import { pks } from '../storage/keys.ts';
import type { Settings } from './settings.ts';
import { VERSION } from './version.ts';

/** A whole Brain2 on the embedded store, without a socket. */
export interface Brain {
  readonly app: FastifyInstance;
  readonly services: Services;
  readonly folder: DataFolder;
  readonly log: Log;
  /** The one owner of a local Brain2. */
  readonly owner: OwnerId;
  /** Ends what is under way, stores the indexes and lets go of the folder. */
  close(): Promise<void>;
}

const LOCAL_OWNER = ownerId('local');
const UPKEEP_MS = 10_000;
const DISK_LOW_BYTES = 100 * 1024 * 1024;

interface BrainOptions {
  /** Takes the log in the place of stdout. */
  readonly logTo?: Parameters<typeof createLog>[1];
  /** Nobody waits but the one caller in this process: bulk work is done in larger pieces. */
  readonly isAlone?: boolean;
}

/** In larger pieces an import writes a third less; the one who waits is the one who imports. */
const ALONE = { round: { works: 128, ms: 200 }, checkpointPages: 16_000 };

/** Joins the parts. Throws `locked`, `read_only`, `corrupt`, `schema_newer`. */
export async function openBrain(settings: Settings, options: BrainOptions = {}): Promise<Brain> {
  const log = createLog({ level: settings.logLevel, format: settings.logFormat }, options.logTo);
  const { round, checkpointPages }: Partial<typeof ALONE> = options.isAlone ? ALONE : {};
  const newId = uuidv7Generator(Date.now);
  const folder = openDataFolder(settings.dataDir);
  let table: SqliteTable | undefined;
  try {
    const opened = new SqliteTable({ path: folder.databasePath, checkpointPages });
    table = opened;
    const store = new Store({
      table: opened,
      now: () => instant(Date.now()),
      newEpoch: newId,
      round,
      correlationId: () => currentContext()?.correlationId ?? '-',
    });
    const snapshots = {
      load: folder.loadIndex,
      save: folder.saveIndex,
      onRefused: (owner: OwnerId, err: unknown) =>
        log.warn({ err, owner }, 'the stored index is damaged; rebuilding it'),
    };
    const services = createServices({ store, snapshots, newId });
    const loop = eventLoopCheck();
    const checks = healthChecks({ table: opened, services, folder, loop });
    const app = await createApp({ services, log, newId, checks, version: VERSION, cursorKey: folder.key });
    const stopUpkeep = startUpkeep(services, log);
    return {
      app,
      services,
      folder,
      log,
      owner: LOCAL_OWNER,
      async close() {
        await stopUpkeep();
        loop.stop();
        try {
          await app.close();
          await store.drain();
          await services.deprecatedCalls.flush();
          await services.indexes.close();
        } finally {
          // Also where the index could not be stored, as on a full disk: it is made anew from the notes.
          await opened.close();
          folder.release();
        }
      },
    };
  } catch (error) {
    await table?.close();
    folder.release();
    throw error;
  }
}

/** Now and then: links what a cut-off import left to be linked, and stores indexes that have grown a tail. */
function startUpkeep(services: Services, log: Log): () => Promise<void> {
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
    underWay ??= upkeep();
  }, UPKEEP_MS);
  timer.unref();
  return async () => {
    clearInterval(timer);
    await underWay;
  };
}

function healthChecks(needs: {
  readonly table: SqliteTable;
  readonly services: Services;
  readonly folder: DataFolder;
  readonly loop: ReturnType<typeof eventLoopCheck>;
}): HealthChecks {
  const { table, services, folder, loop } = needs;
  const probe = { pk: pks.head(ownerId('health')), sk: 'PROBE' };
  return {
    eventLoop: { check: loop.check, critical: false },
    store: {
      critical: true,
      async check() {
        const written = String(Date.now());
        await table.transact([[{ put: { ...probe, et: 'probe.1', j: written } }]]);
        const read = await table.get(probe);
        const { counts, position } = await services.graph.counts(LOCAL_OWNER);
        return read?.j === written
          ? { status: 'up', details: { engine: 'sqlite', synchronous: 'full', ...counts, seq: position.seq } }
          : { status: 'down', message: 'what was written was not read back' };
      },
    },
    index: {
      critical: false,
      async check() {
        const freshness = await services.indexes.freshness(LOCAL_OWNER);
        return { status: 'up', details: { ...(freshness ?? { state: 'not opened yet' }) } };
      },
    },
    disk: {
      critical: false,
      async check() {
        const { bavail, bsize } = await statfs(folder.path);
        const freeBytes = bavail * bsize;
        const low = freeBytes < DISK_LOW_BYTES;
        return {
          status: low ? 'degraded' : 'up',
          ...(low && { message: 'the disk is almost full' }),
          details: { freeBytes },
        };
      },
    },
  };
}
