import type { FastifyInstance } from 'fastify';
import type { OwnerId } from '../domain/values.ts';
import { admission } from '../http/admission.ts';
import { createApp } from '../http/app.ts';
import type { Hub } from '../realtime/hub.ts';
import type { HandOver } from '../services/jobs.ts';
import type { Services } from '../services/services.ts';
import { runInBackground } from '../shared/context.ts';
import { createLog, type Log } from '../shared/log.ts';
import { uuidv7Generator } from '../shared/uuid.ts';
import type { Store } from '../storage/store.ts';
import { vaultWorkers, type VaultWorkers } from './vault-workers.ts';
import { accessOf, LOCAL_OWNER } from './authenticate.ts';
import type { Engine } from './engine.ts';
import { openEngine } from './engines.ts';
import { healthChecks } from './health-checks.ts';
import { joinHub } from './join-hub.ts';
import { joinServices } from './join-services.ts';
import { observe, UNOBSERVED } from './observation.ts';
import { read } from './readings.ts';
import { realtimeNeeds } from './realtime-needs.ts';
import type { Settings } from './settings.ts';
import { serveSockets } from './sockets.ts';
import { startUpkeep, trimming, type InBackground } from './upkeep.ts';
import { VERSION } from './version.ts';
import { wholeExposition } from './whole-exposition.ts';

/** A whole Brain2, without a socket. */
export interface Brain {
  readonly app: FastifyInstance;
  readonly services: Services;
  readonly store: Store;
  readonly hub: Hub;
  readonly folder: Engine['home'];
  readonly log: Log;
  /** Workers that read vaults beside the thread that serves; none of them runs before there is a vault to read. */
  readonly workers: VaultWorkers;
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
  /** Is told whose jobs wait, where another process is to run them. */
  readonly handOver?: HandOver | undefined;
  /** May name a collector of traces and metrics. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/**
 * In larger pieces an import writes a third less; the one who waits is the one who imports. In rounds of 200, all that
 * one makes outlived two collections of young objects, and filled the heap of the old ones: 100 MB more at the peak.
 */
const ALONE = { round: { works: 64, ms: 200 }, checkpointPages: 16_000 };

/** Joins the parts. Throws what `openEngine` throws; what was opened by then is closed. */
export async function openBrain(settings: Settings, options: BrainOptions = {}): Promise<Brain> {
  const parts = new AsyncDisposableStack();
  try {
    return await join(settings, options, parts);
  } catch (error) {
    await parts.disposeAsync().catch(() => {}); // what went wrong first is what is told
    throw error;
  }
}

/** Each part is put on the stack when it is there, so that all end from the outside in. */
async function join(settings: Settings, options: BrainOptions, parts: AsyncDisposableStack): Promise<Brain> {
  const inner = await joinInner(settings, options, parts);
  const { engine, log, newId, nowMs, resident, workers, store, services } = inner;
  const { hub, app } = await joinFace(settings, inner, parts);
  const inBackground: InBackground = (owner, work) =>
    runInBackground({ ownerId: owner ?? resident ?? '-', id: newId() }, work);
  const trim = trimming(store, { settings, nowMs });
  const { indexNotes } = settings;
  if (!engine.isFrozenBetween)
    parts.defer(startUpkeep({ services, log, sweep: () => engine.sweep(), inBackground, trim, indexNotes }));
  const close = () => closeAll(parts);
  const { home: folder } = engine;
  return { app, services, store, hub, folder, log, workers, inBackground, owner: LOCAL_OWNER, close };
}

type Inner = Awaited<ReturnType<typeof joinInner>>;

/** The engine and all that works on it. */
async function joinInner(settings: Settings, options: BrainOptions, parts: AsyncDisposableStack) {
  const log = createLog({ level: settings.logLevel, format: settings.logFormat }, options.logTo);
  const { round, checkpointPages }: Partial<typeof ALONE> = options.isAlone ? ALONE : {};
  const { handOver, nowMs = Date.now } = options;
  const nowSeconds = () => Math.floor(nowMs() / 1000);
  const newId = uuidv7Generator(nowMs);
  const onWriterLost = (err: Error): void =>
    log.error({ err }, 'the thread that writes has ended; the next write starts another');
  const engine =
    options.engine ?? (await openEngine(settings, { checkpointPages, nowSeconds, onWriterLost }));
  parts.defer(() => engine.home.release());
  parts.defer(() => engine.table.close());

  const isWatched = !options.isAlone && !engine.isFrozenBetween;
  const observation = isWatched ? await observe(options.environment ?? {}, log) : UNOBSERVED;
  const { onWork } = observation;
  const resident = settings.auth === 'local' ? LOCAL_OWNER : undefined;
  const onCrash = (err: Error): void => log.error({ err }, 'a worker died over its job');
  const workers = vaultWorkers({ isBackground: true, nowMs, onCrash });
  const about = { engine, log, newId, onWork, round, nowMs, resident, workers, handOver };
  const { store, services } = joinServices(about);
  observation.measure(() => read({ store, services }, LOCAL_OWNER));
  parts.defer(() => services.indexes.close()); // may fail, as on a full disk: an index is made anew from the notes
  parts.defer(() => observation.stop()); // while there is still something to measure
  parts.defer(() => services.deprecatedCalls.flush());
  parts.defer(() => store.drain());
  parts.defer(() => workers.close());
  parts.defer(() => services.jobs.stop());
  return { engine, log, nowMs, newId, observation, resident, workers, store, services };
}

/** What is to be seen from outside: the application, and the sockets on its server. */
async function joinFace(settings: Settings, inner: Inner, parts: AsyncDisposableStack) {
  const { engine, log, nowMs, newId, observation, resident, workers, store, services } = inner;
  const { home, isFrozenBetween } = engine;
  const { metrics, tracer, exposition } = observation;
  const hidesGraph = resident === undefined;
  const health = healthChecks({ engine, store, services, workers, owner: LOCAL_OWNER, hidesGraph });
  parts.defer(health.stop);
  const access = await accessOf(settings, { services, operatorKey: home.operatorKey, nowMs });
  const { authenticate } = access;
  const hub = joinHub(engine, { settings, store, services, authenticate, newId, nowMs });
  parts.defer(() => hub.close());
  const gates = admission();
  const app = await createApp({
    services,
    log,
    newId,
    resident,
    access,
    checks: health.checks,
    metrics,
    tracer,
    exposition: exposition && wholeExposition(exposition, { hub, workers, gates }),
    admission: gates,
    realtime: realtimeNeeds(hub, { canStream: !isFrozenBetween }),
    version: VERSION,
    cursorKey: home.key,
    showsInside: settings.mode === 'development',
  });
  parts.defer(() => app.close());
  parts.defer(() => app.drain());
  parts.defer(serveSockets({ server: app.server, hub, origins: settings.allowedOrigins }));
  return { hub, app };
}

/** Ends all parts, also after one that fails. Throws what failed first: the others may have failed for that. */
async function closeAll(parts: AsyncDisposableStack): Promise<void> {
  try {
    await parts.disposeAsync();
  } catch (thrown) {
    let first: unknown = thrown;
    while (first instanceof SuppressedError) first = first.suppressed;
    throw first;
  }
}
