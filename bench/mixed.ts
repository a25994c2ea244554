import { fileURLToPath } from 'node:url';
import { crc32 } from 'node:zlib';
import { run } from './processes.ts';

/** Of a hundred requests, so many of each kind. A deletion takes the oldest note of this load. */
export type Mix = Readonly<Record<MixedKind, number>>;
export type MixedKind = 'create' | 'read' | 'patch' | 'search' | 'neighbors' | 'delete';

/** Requests of several kinds that arrive on a schedule, whether or not the ones before are answered. */
export interface MixedLoad {
  readonly url: string;
  readonly perSecond: number;
  readonly seconds: number;
  readonly connections: number;
  readonly mix: Mix;
  readonly seed: number;
  /** Notes that are there, to be read and changed. */
  readonly ids: readonly string[];
}

/** What was acknowledged last of a note that the load made or changed. */
export interface ToldNote {
  readonly id: string;
  readonly version: number;
  readonly title: string;
  /** Of its content. */
  readonly crc: number;
}

export interface MixedResult {
  /** From the moment a request was due until its answer was read whole, of those that were done. */
  readonly doneMs: Readonly<Record<MixedKind, readonly number[]>>;
  /** From the moment it was sent, of those that were refused as `overloaded`. */
  readonly refusedMs: readonly number[];
  /** Everything else, by status; 0 where there was no answer, or none within `LAST_ANSWER_MS` of the last request. */
  readonly failed: Readonly<Record<string, number>>;
  /** Notes that this load made and did not delete. */
  readonly made: readonly string[];
  readonly told: readonly ToldNote[];
  /** How long after it was due a request was sent by the generator, at worst. */
  readonly worstLateMs: number;
}

/** A server ends each request within 10 s. */
export const LAST_ANSWER_MS = 12_000;

const GENERATOR = fileURLToPath(new URL('./mixed-generator.ts', import.meta.url));

/** Puts the load on a server from a process of its own. */
export async function putMixed(folder: string, load: MixedLoad): Promise<MixedResult> {
  const { stdout } = await run(folder, GENERATOR, [], JSON.stringify(load));
  return JSON.parse(stdout) as MixedResult;
}

/** What an answer says of a note. */
export function toldOf(note: {
  readonly id: string;
  readonly version: number;
  readonly title: string;
  readonly content: string;
}): ToldNote {
  const { id, version, title, content } = note;
  return { id, version, title, crc: crc32(content) };
}
