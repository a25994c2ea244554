import type { OwnerId } from '../domain/values.ts';
import type { Services } from '../services/services.ts';
import { instant } from '../domain/values.ts';
import type { Log } from '../shared/log.ts';
import type { Store } from '../storage/store.ts';
import type { Settings } from './settings.ts';

const UPKEEP_MS = 10_000;
/** Sweeps are of what nobody sees any more, so there is no hurry. */
const ROUNDS_A_SWEEP = 60;
/** An index that was not used for so long is let go of, where memory holds more notes than are to be kept there. */
const INDEX_IDLE_MS = 600_000;

/** Runs work that nobody asked for in a context of its own; without an owner it is of all of them. */
export type InBackground = <T>(owner: OwnerId | undefined, work: () => T) => T;

interface UpkeepNeeds {
  readonly services: Services;
  readonly log: Log;
  readonly inBackground: InBackground;
  /** Removes what is past its time from the store. */
  readonly sweep: () => Promise<unknown>;
  /** Takes from an owner's log what is too old or too much. */
  readonly trim: (owner: OwnerId) => Promise<unknown>;
  /** Of the notes of all indexes, how many are kept in memory while nobody uses them. */
  readonly indexNotes: number;
}

interface Stoppable {
  readonly signal: AbortSignal;
}

const DAY_MS = 86_400_000;

/** Trims by the settings. */
export function trimming(
  store: Store,
  { settings, nowMs }: { readonly settings: Settings; readonly nowMs: () => number },
): UpkeepNeeds['trim'] {
  const { eventCount, eventDays } = settings;
  return (owner) => store.trim(owner, { events: eventCount, since: instant(nowMs() - eventDays * DAY_MS) });
}

/**
 * Now and then, for every owner whom this process served a while ago or since: links what a cut-off import left to be
 * linked, goes on with jobs that nobody runs, and trims the log; and stores indexes that have grown a tail, lets go of
 * those that nobody uses, and sweeps the store. Returns the way to stop it: linking under way is left off, and its marks
 * stay.
 */
export function startUpkeep(needs: UpkeepNeeds): () => Promise<void> {
  const stopping = new AbortController();
  let underWay: Promise<void> | undefined;
  let round = 0;
  const timer = setInterval(() => {
    round += 1;
    const sweeps = round % ROUNDS_A_SWEEP === 1;
    underWay ??= needs
      .inBackground(undefined, () => keepUp({ ...needs, signal: stopping.signal }, sweeps))
      .finally(() => (underWay = undefined));
  }, UPKEEP_MS);
  timer.unref();
  return async () => {
    clearInterval(timer);
    stopping.abort();
    await underWay;
  };
}

async function keepUp(needs: UpkeepNeeds & Stoppable, sweeps: boolean): Promise<void> {
  const { services, log, sweep, trim, indexNotes, signal } = needs;
  const { runs, jobs, indexes, owners, deprecatedCalls } = services;
  await eachOwner(owners.met(), { ...needs, failure: 'upkeep failed' }, async (owner) => {
    if (runs.running(owner) === 0) await finishSparing(services, owner, signal);
    await jobs.resume(owner);
    await trim(owner);
  });
  if (signal.aborted) return;
  try {
    await deprecatedCalls.flush();
    await indexes.upkeep();
    await indexes.keepWithin(indexNotes, { idleMs: INDEX_IDLE_MS, saves: true });
    if (!sweeps) return;
    owners.forget();
    await sweep();
  } catch (err) {
    log.error({ err }, 'upkeep failed');
  }
}

/** Does what is marked; an owner of whom another process has work under way is looked at again, should that be cut off. */
async function finishSparing(
  { pending, owners }: Services,
  owner: OwnerId,
  signal: AbortSignal | undefined,
): Promise<number> {
  const { done, spared } = await pending.finish(owner, { signal, spares: true });
  if (spared > 0) await owners.meet(owner);
  return done;
}

/** Finishes, for every owner there is, what a crash cut off, and goes on with their jobs; until it is aborted. */
export async function finishCutOff(
  needs: Pick<UpkeepNeeds, 'services' | 'log' | 'inBackground'> & Partial<Stoppable>,
): Promise<void> {
  const { services, log, signal } = needs;
  const each = { ...needs, failure: 'start-up work failed' };
  await eachOwner(await services.owners.known(), each, async (owner) => {
    const finished = await finishSparing(services, owner, signal);
    if (finished > 0) log.info({ finished }, 'work that was cut off is done');
    await services.jobs.resume(owner);
  });
}

/** One after another; what goes wrong for one does not keep the others waiting. */
async function eachOwner(
  owners: readonly OwnerId[],
  needs: Pick<UpkeepNeeds, 'log' | 'inBackground'> & Partial<Stoppable> & { readonly failure: string },
  work: (owner: OwnerId) => Promise<void>,
): Promise<void> {
  const { log, inBackground, signal, failure } = needs;
  for (const owner of owners) {
    if (signal?.aborted) return;
    await inBackground(owner, async () => {
      try {
        await work(owner);
      } catch (err) {
        if (!signal?.aborted) log.error({ err }, failure);
      }
    });
  }
}
