import { fileURLToPath } from 'node:url';
import { run } from './processes.ts';

/** Requests that arrive on a schedule, whether or not the ones before are answered. */
export interface Load {
  readonly url: string;
  readonly perSecond: number;
  readonly connections: number;
  /** Sent in this order, once each. The first `warmUp` of them are not counted. */
  readonly requests: readonly LoadRequest[];
  readonly warmUp: number;
}

export interface LoadRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: string | undefined;
}

export interface LoadResult {
  /** From the moment a request was due until its answer was read whole, in the order of the requests. */
  readonly latenciesMs: readonly number[];
  readonly failed: number;
  /** How long after it was due the request was sent, at worst: what the generator itself added. */
  readonly worstLateMs: number;
}

/** As many requests as the server answers: each connection sends the next one when it has its answer. */
export interface Burst {
  readonly url: string;
  readonly seconds: number;
  /** Before them, not counted. */
  readonly warmUpS: number;
  readonly connections: number;
  /** Sent in this order, and again from the first. */
  readonly requests: readonly LoadRequest[];
  /**
   * It takes a core for itself and never sleeps: a server that has to wake whom it answers pays for that, and a network
   * does not need waking. Not where the server has work for all cores.
   */
  readonly isAwake: boolean;
}

export interface BurstResult {
  /** Of each request that was sent and answered within the time that counts. */
  readonly latenciesMs: readonly number[];
  readonly failed: number;
}

const GENERATOR = fileURLToPath(new URL('./load-generator.ts', import.meta.url));

const CLOSED_LOOP = fileURLToPath(new URL('./closed-loop.ts', import.meta.url));

/** Puts the load on a server from a process of its own; sends no more of it when `enough` says so. */
export async function putLoad(folder: string, load: Load, enough?: AbortSignal): Promise<LoadResult> {
  const { stdout } = await run(folder, GENERATOR, [], JSON.stringify(load), enough);
  return JSON.parse(stdout) as LoadResult;
}

/** Keeps a server as busy as it gets, from a process of its own. */
export async function putBurst(folder: string, burst: Burst): Promise<BurstResult> {
  const { stdout } = await run(folder, CLOSED_LOOP, [], JSON.stringify(burst));
  return JSON.parse(stdout) as BurstResult;
}
