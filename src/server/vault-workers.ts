import type { VaultWriter } from '../services/export-job.ts';
import { threadModule } from '../shared/thread.ts';
import { WorkerPool, type WorkerPoolOptions } from '../shared/worker-pool.ts';
import { ZipError, type ReadZip, type ZipErrorCode, type ZipOptions } from '../vault/read-zip.ts';
import type { VaultNote } from '../vault/types.ts';

/** A zip to be read, or one to be written. */
export type VaultJob =
  | { readonly path: string; readonly options: Omit<ZipOptions, 'signal'> }
  | { readonly lines: ReadableStream<Uint8Array>; readonly zip: WritableStream<Uint8Array> };

/** Of what is read, some of the notes. */
export type VaultProgress = readonly VaultNote[];

/** Nothing of what was written. A `ZipError` is told in parts: as an error it would arrive without its code. */
export type VaultResult =
  | Omit<ReadZip, 'notes'>
  | { readonly refused: { readonly code: ZipErrorCode; readonly message: string } }
  | undefined;

/** Workers that read and write vaults, so that whoever serves requests beside it waits for no file of them. */
export type VaultWorkers = WorkerPool<VaultJob, VaultResult, VaultProgress>;

export function vaultWorkers(options: WorkerPoolOptions): VaultWorkers {
  return new WorkerPool(threadModule('vault-worker-entry', import.meta.url), options);
}

/**
 * `readZip` of a file, by a worker: the same notes, the same errors. Parsing 10,000 notes and resolving their links takes
 * 0.5 s, 0.1 s of it in one piece; the notes come back in pieces of a millisecond. Throws a `WorkerPoolError` where no
 * worker does it.
 */
export async function readZipOn(
  workers: VaultWorkers,
  path: string,
  { signal, ...options }: ZipOptions,
): Promise<ReadZip> {
  const notes: VaultNote[] = [];
  const onProgress = (some: VaultProgress): void => void notes.push(...some);
  const result = (await workers.run({ path, options }, { signal, onProgress })) as NonNullable<VaultResult>;
  if ('refused' in result) throw new ZipError(result.refused.code, result.refused.message);
  return { notes, ...result };
}

/**
 * `zipOfExport` by a worker: the same bytes. For 10,000 notes it takes 3 s, in which everybody would wait for more than
 * one; both streams wait for whoever reads them. What reading the lines throws is thrown, and a `WorkerPoolError` where
 * no worker does it.
 */
export function writeVaultOn(workers: VaultWorkers): VaultWriter {
  return async function* (lines, signal) {
    let failure: unknown;
    const source = ReadableStream.from(keepingFailure(lines, (error) => (failure = error)));
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const job = { lines: source, zip: writable };
    const written = workers.run(job, { signal, transfer: [source, writable] });
    const reader = readable.getReader();
    const stop = (): void => void reader.cancel().catch(() => {});
    written.catch(stop); // of a worker that is gone the stream would never hear
    try {
      for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
      await written;
    } catch (error) {
      throw failure ?? error;
    } finally {
      stop(); // and the worker would never hear that nobody reads on
    }
  };
}

/** What goes to another thread loses its class: it is kept here. */
async function* keepingFailure<T>(all: AsyncIterable<T>, keep: (error: unknown) => void): AsyncGenerator<T> {
  try {
    yield* all;
  } catch (error) {
    keep(error);
    throw error;
  }
}
