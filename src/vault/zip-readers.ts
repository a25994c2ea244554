import { threadModule } from '../shared/thread.ts';
import { WorkerPool, type WorkerPoolOptions } from '../shared/worker-pool.ts';
import { ZipError, type ReadZip, type ZipErrorCode, type ZipOptions } from './read-zip.ts';
import type { VaultNote } from './types.ts';

export interface ReadJob {
  /** Of the zip. */
  readonly path: string;
  readonly options: Omit<ZipOptions, 'signal'>;
}

/** Some of the notes. */
export type ReadProgress = readonly VaultNote[];

/** A `ZipError` is told in parts: as an error it would arrive without its code. */
export type ReadResult =
  | Omit<ReadZip, 'notes'>
  | { readonly refused: { readonly code: ZipErrorCode; readonly message: string } };

/** Workers that read vaults out of zips, so that whoever serves requests beside it waits for no file of them. */
export type ZipReaders = WorkerPool<ReadJob, ReadResult, ReadProgress>;

export function zipReaders(options: WorkerPoolOptions): ZipReaders {
  return new WorkerPool(threadModule('zip-reader-entry', import.meta.url), options);
}

/**
 * `readZip` of a file, by a worker: the same notes, the same errors. Parsing 10,000 notes and resolving their links takes
 * 0.5 s, 0.1 s of it in one piece; the notes come back in pieces of a millisecond. Throws a `WorkerPoolError` where no
 * worker does it.
 */
export async function readZipOn(
  readers: ZipReaders,
  path: string,
  { signal, ...options }: ZipOptions,
): Promise<ReadZip> {
  const notes: VaultNote[] = [];
  const onProgress = (some: ReadProgress): void => void notes.push(...some);
  const result = await readers.run({ path, options }, { signal, onProgress });
  if ('refused' in result) throw new ZipError(result.refused.code, result.refused.message);
  return { notes, ...result };
}
