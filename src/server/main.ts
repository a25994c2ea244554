import { BrainError } from '../domain/error.ts';
import { openBrain, type Brain } from './brain.ts';
import { logProcess } from './process-log.ts';
import type { Settings } from './settings.ts';
import { finishCutOff } from './upkeep.ts';

export interface RunningServer {
  readonly url: string;
  readonly dataDir: string;
  /** Whether the data folder was made by this start. */
  readonly isNew: boolean;
  readonly counts: { readonly nodes: number; readonly edges: number; readonly categories: number };
  /** The port that was asked for, where another process has it. */
  readonly portTaken?: number | undefined;
  /** Takes no new requests, answers those under way, and closes the store. */
  stop(): Promise<void>;
}

const PORTS_TO_TRY = 20;

interface ServeOptions {
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** The process is there for this alone: what it would print by itself goes into the log. */
  readonly ownsProcess?: boolean;
}

/** Opens the data folder and listens. Throws what `openBrain` throws, and `unavailable` when no port is free. */
export async function serve(settings: Settings, options: ServeOptions = {}): Promise<RunningServer> {
  const { environment = {}, ownsProcess = false } = options;
  const brain = await openBrain(settings, { environment });
  const unlogProcess = ownsProcess ? logProcess(brain.log) : () => {};
  try {
    const port = await listen(brain, settings);
    const host = settings.host.includes(':') ? `[${settings.host}]` : settings.host;
    const url = `http://${host}:${port}`;
    brain.folder.announce(url);
    brain.log.info({ url, dataDir: settings.dataDir }, 'listening');
    const counts = await countsOf(brain);
    const stopping = new AbortController();
    const background = brain.inBackground(undefined, () => prepare(brain, settings, stopping.signal));
    return {
      url,
      dataDir: settings.dataDir,
      isNew: brain.folder.isNew,
      counts,
      ...(settings.port !== 0 && port !== settings.port && { portTaken: settings.port }),
      async stop() {
        stopping.abort();
        await background;
        await brain.close();
        brain.log.info('stopped');
        unlogProcess();
      },
    };
  } catch (error) {
    await brain.close();
    unlogProcess();
    throw error;
  }
}

/** Opens the index of a local Brain2 before the first request needs it, and finishes what a crash cut off. */
async function prepare(brain: Brain, { auth }: Settings, signal: AbortSignal): Promise<void> {
  try {
    if (auth === 'local') {
      const start = performance.now();
      const index = await brain.services.indexes.ready(brain.owner);
      brain.log.info({ notes: index.size, durationMs: Math.round(performance.now() - start) }, 'index ready');
    }
    await finishCutOff({ ...brain, signal });
  } catch (err) {
    brain.log.error({ err }, 'start-up work failed');
  }
}

/** What all owners have together. */
async function countsOf({ services }: Brain): Promise<RunningServer['counts']> {
  const counts = { nodes: 0, edges: 0, categories: 0 };
  for (const owner of await services.owners.known()) {
    const { counts: own } = await services.graph.counts(owner);
    counts.nodes += own.nodes;
    counts.edges += own.edges;
    counts.categories += own.categories;
  }
  return counts;
}

async function listen({ app }: Brain, { host, port }: Settings): Promise<number> {
  for (let candidate = port; ; candidate++) {
    try {
      await app.listen({ host, port: candidate });
      const address = app.server.address();
      return typeof address === 'object' && address !== null ? address.port : candidate;
    } catch (error) {
      const taken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
      if (taken && candidate < port + PORTS_TO_TRY && candidate < 65_535) continue;
      throw new BrainError(
        'unavailable',
        `cannot listen on ${host}:${candidate}: ${(error as Error).message}`,
        {
          cause: error,
          operation: 'server.listen',
        },
      );
    }
  }
}
