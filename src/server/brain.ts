import type { FastifyInstance } from 'fastify';
import type { Job } from '../domain/job.ts';
import type { Notice } from '../domain/notice.ts';
import { instant, type OwnerId } from '../domain/values.ts';
import { admission, type Admission } from '../http/admission.ts';
import { createApp } from '../http/app.ts';
import type { Exposition } from '../http/metrics.ts';
import { Hub, type HubNeeds } from '../realtime/hub.ts';
import { SharedTickets } from '../realtime/shared-tickets.ts';
import { indexInProcess, IndexThread } from '../services/index-thread.ts';
import type { Linker } from '../services/linker.ts';
import { createServices, type Services } from '../services/services.ts';
import { currentContext, runInBackground } from '../shared/context.ts';
import { createLog, type Log } from '../shared/log.ts';
import { uuidv7Generator } from '../shared/uuid.ts';
import { QUEUE_LIMIT } from '../storage/owner-writer.ts';
import { Store } from '../storage/store.ts';
import type { RoundLimits } from '../storage/transaction.ts';
import { admissionExposition } from './admission-exposition.ts';
import { accessOf, LOCAL_OWNER } from './authenticate.ts';
import type { Engine } from './engine.ts';
import { openEngine } from './engines.ts';
import { importReader } from './import-reader.ts';
import { vaultWriter } from './vault-writer.ts';
import { healthChecks } from './health-checks.ts';
import { observe, UNOBSERVED } from './observation.ts';
import { read } from './readings.ts';
import { realtimeExposition } from './realtime-exposition.ts';
import { realtimeNeeds } from './realtime-needs.ts';
import type { Settings } from './settings.ts';
import { serveSockets } from './sockets.ts';
import { startUpkeep, trimming, type InBackground } from './upkeep.ts';
import { zipReaders, type ZipReaders } from '../vault/zip-readers.ts';
import { VERSION } from './version.ts';
import { workersExposition } from './workers-exposition.ts';
import { watchedLinker, watchedTable, type OnWork } from './watched.ts';

/** A whole Brain2 on the embedded store, without a socket. */
export interface Brain {
  readonly app: FastifyInstance;
  readonly services: Services;
  readonly store: Store;
  readonly hub: Hub;
  readonly folder: Engine['home'];
  readonly log: Log;
  /** Workers that read vaults beside the thread that serves; none of them runs before there is a vault to read. */
  readonly readers: ZipReaders;
  /** Who owns everything where nobody is asked who they are. */
  readonly owner: OwnerId;
  /** Runs work that nobody asked for, for an owner or for all, in a context of its own. */
  readonly inBackground: InBackground;
  /** Ends what is under way, stores the indexes and lets go of the folder. */
  close(): Promise<void>;
}

interface BrainOptions {
  /** Takes the log in the place of stdout. */
  readonly logTo?: Parameters<typeof createLog>[1];
  /** Nobody waits but the one caller in this process: bulk work is done in larger pieces. */
  readonly isAlone?: boolean;
  readonly nowMs?: () => number;
  /** In the place of the one that the settings name. It is closed with the Brain2. */
  readonly engine?: Engine | undefined;
  /** May name a collector of traces and metrics. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/** In larger pieces an import writes a third less; the one who waits is the one who imports. */
const ALONE = { round: { works: 200, ms: 200 }, checkpointPages: 16_000 };

/** On one's own machine every program is the one owner's; elsewhere an owner shares the process with a thousand. */
const SOCKETS_OF_OWNER = { local: 100, token: 10, jwt: 10 };

/** Joins the parts. Throws what `openEngine` throws. */
export async function openBrain(settings: Settings, options: BrainOptions = {}): Promise<Brain> {
  const log = createLog({ level: settings.logLevel, format: settings.logFormat }, options.logTo);
  const { round, checkpointPages }: Partial<typeof ALONE> = options.isAlone ? ALONE : {};
  const nowMs = options.nowMs ?? Date.now;
  const nowSeconds = () => Math.floor(nowMs() / 1000);
  const newId = uuidv7Generator(nowMs);
  const isWatched = !options.isAlone && !options.engine?.isFrozenBetween;
  const observation = isWatched ? await observe(options.environment ?? {}, log) : UNOBSERVED;
  const { onWork, metrics, tracer, exposition } = observation;
  const onWriterLost = (err: Error): void =>
    log.error({ err }, 'the thread that writes has ended; the next write starts another');
  const engine =
    options.engine ?? (await openEngine(settings, { checkpointPages, nowSeconds, onWriterLost }));
  const { table, home: folder } = engine;
  try {
    const resident = settings.auth === 'local' ? LOCAL_OWNER : undefined;
    const onCrash = (err: Error): void => log.error({ err }, 'a worker died over its job');
    const readers = zipReaders({ isBackground: true, nowMs, onCrash });
    const { store, services } = joinServices({ engine, log, newId, onWork, round, nowMs, resident, readers });
    observation.measure(() => read({ store, services }, LOCAL_OWNER));
    const health = healthOf(engine, { store, services, resident, readers });
    const access = await accessOf(settings, { services, operatorKey: folder.operatorKey, nowMs });
    const { authenticate } = access;
    const limits = { connectionsOfOwner: settings.socketsOfOwner ?? SOCKETS_OF_OWNER[settings.auth] };
    const { tokens } = services;
    const hub = hubOf(engine, { store, authenticate, tokens, newId, nowMs, limits });
    services.jobs.onChange((job) => hub.tell(job.owner, noticeOf(job)));
    const facts = { version: VERSION, cursorKey: folder.key, showsInside: settings.mode === 'development' };
    const gates = admission();
    const told = exposition && wholeExposition(exposition, { hub, readers, gates });
    const counting = { metrics, tracer, exposition: told, admission: gates };
    const parts = { services, log, newId, resident, access, checks: health.checks, ...counting, ...facts };
    const realtime = realtimeNeeds(hub, { canStream: !engine.isFrozenBetween });
    const app = await createApp({ ...parts, realtime });
    const closeSockets = serveSockets({ server: app.server, hub, origins: settings.allowedOrigins });
    const inBackground: InBackground = (owner, work) =>
      runInBackground({ ownerId: owner ?? resident ?? '-', id: newId() }, work);
    const trim = trimming(store, { settings, nowMs });
    const stopUpkeep = engine.isFrozenBetween
      ? async () => {}
      : startUpkeep({ services, log, sweep: () => engine.sweep(), inBackground, trim });
    return {
      app,
      services,
      store,
      hub,
      folder,
      log,
      readers,
      inBackground,
      owner: LOCAL_OWNER,
      close: () =>
        close({ stopUpkeep, health, closeSockets, app, readers, store, services, observation, engine }),
    };
  } catch (error) {
    await table.close();
    folder.release();
    throw error;
  }
}

/** What is counted here, beside what the process counts. */
function wholeExposition(
  exposition: Exposition,
  { hub, readers, gates }: { readonly hub: Hub; readonly readers: ZipReaders; readonly gates: Admission },
): Exposition {
  const parts = () => [
    realtimeExposition(hub.metrics),
    workersExposition(readers.metrics),
    admissionExposition(gates),
  ];
  return { ...exposition, text: async () => [await exposition.text(), ...parts()].join('') };
}

/** Where other processes serve the same graphs, their commits are heard and their tickets taken. */
function hubOf(
  { table, pollMs }: Engine,
  needs: Pick<HubNeeds, 'authenticate' | 'newId' | 'tokens' | 'limits'> & {
    readonly store: Store;
    readonly nowMs: () => number;
  },
): Hub {
  const { store, nowMs, ...more } = needs;
  const tickets = pollMs === undefined ? undefined : new SharedTickets({ table, nowMs });
  return new Hub({ log: store, follow: (owner) => store.follow(owner), tickets, ...more });
}

function noticeOf({ id: jobId, kind, status, progress, updatedAt: at }: Job): Notice {
  return { type: 'job.progress', jobId, kind, status, progress, at };
}

/** The probes go to the table itself, so that they are not counted as work. */
function healthOf(
  engine: Engine,
  of: {
    readonly store: Store;
    readonly services: Services;
    readonly resident: OwnerId | undefined;
    readonly readers: ZipReaders;
  },
): ReturnType<typeof healthChecks> {
  const { store, services, resident, readers } = of;
  const { table, home, facts, isFrozenBetween } = engine;
  return healthChecks({
    table,
    facts,
    store,
    services,
    dataDir: home.path,
    owner: LOCAL_OWNER,
    hidesGraph: resident === undefined,
    isFrozenBetween,
    writer: {
      health: () => ({ isAlive: engine.canWrite(), waiting: store.waiting, limit: QUEUE_LIMIT }),
    },
    workers: readers,
  });
}

/** Ends what is under way, from the outside in. */
async function close(parts: {
  readonly stopUpkeep: () => Promise<void>;
  readonly health: { readonly stop: () => void };
  readonly closeSockets: () => Promise<void>;
  readonly app: FastifyInstance;
  readonly readers: ZipReaders;
  readonly store: Store;
  readonly services: Services;
  readonly observation: { readonly stop: () => Promise<void> };
  readonly engine: Engine;
}): Promise<void> {
  await parts.stopUpkeep();
  parts.health.stop();
  try {
    await parts.closeSockets();
    await parts.app.drain();
    await parts.app.close();
    await parts.services.jobs.stop();
    await parts.readers.close();
    await parts.store.drain();
    await parts.services.deprecatedCalls.flush();
    await parts.observation.stop(); // while there is still something to measure
    await parts.services.indexes.close();
  } finally {
    // Also where the index could not be stored, as on a full disk: it is made anew from the notes.
    await parts.engine.table.close();
    parts.engine.home.release();
  }
}

/** The store over the table and the services over the store, watched where there is somebody to watch. */
function joinServices(needs: {
  readonly engine: Engine;
  readonly log: Log;
  readonly newId: (atMs?: number) => string;
  readonly onWork: OnWork | undefined;
  readonly round: RoundLimits | undefined;
  readonly nowMs: () => number;
  readonly resident: OwnerId | undefined;
  readonly readers: ZipReaders;
}): { readonly store: Store; readonly services: Services } {
  const { engine, log, newId, onWork, round, nowMs, resident, readers } = needs;
  const { table, home, pollMs } = engine;
  const store = new Store({
    table: onWork ? watchedTable(table, onWork) : table,
    pollMs,
    now: () => instant(nowMs()),
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
  const indexThread = engine.isFrozenBetween ? new IndexThread(indexInProcess) : undefined;
  const watchLinker = onWork && ((linker: Linker) => watchedLinker(linker, onWork));
  const isShared = pollMs !== undefined;
  const { blobs } = engine;
  const formats = { reader: importReader(readers), writeVault: vaultWriter };
  const about = {
    store,
    snapshots,
    indexThread,
    log,
    blobs,
    formats,
    newId,
    watchLinker,
    nowMs,
    resident,
    isShared,
  };
  return { store, services: createServices(about) };
}
