import { threadModule } from '../shared/thread.ts';
import { WorkerPool, type WorkerPoolOptions } from '../shared/worker-pool.ts';
import { VaultError, type Vault, type VaultErrorCode, type VaultNote, type VaultOptions } from './types.ts';

export interface ReadJob {
  readonly path: string;
  readonly options: Pick<VaultOptions, 'categories' | 'maxNoteBytes'>;
}

export type ReadProgress =
  | { readonly done: number; readonly total: number }
  | { readonly notes: readonly VaultNote[] };

/** A `VaultError` is told in parts: as an error it would arrive without its code. */
export type ReadResult =
  | Omit<Vault, 'notes'>
  | { readonly refused: { readonly code: VaultErrorCode; readonly message: string } };

/** Workers that read vaults, so that whoever serves requests beside it waits for no file of them. */
export type VaultReaders = WorkerPool<ReadJob, ReadResult, ReadProgress>;

export function vaultReaders(options: WorkerPoolOptions): VaultReaders {
  return new WorkerPool(threadModule('vault-reader-entry', import.meta.url), options);
}

/**
 * `readVault`, by a worker: the same vault, the same errors. Parsing 10,000 notes and resolving their links takes 0.5 s,
 * 0.1 s of it in one piece; the notes come back in pieces of a millisecond. Throws a `WorkerPoolError` where no worker
 * does it.
 */
export async function readVaultOn(
  readers: VaultReaders,
  path: string,
  { categories, maxNoteBytes, signal, onProgress }: VaultOptions,
): Promise<Vault> {
  const notes: VaultNote[] = [];
  const job = { path, options: { categories, maxNoteBytes } };
  const result = await readers.run(job, {
    signal,
    onProgress: (told) => {
      if ('notes' in told) for (const note of told.notes) notes.push(note);
      else onProgress?.(told.done, told.total);
    },
  });
  if ('refused' in result) throw new VaultError(result.refused.code, result.refused.message);
  return { notes, ...result };
}
