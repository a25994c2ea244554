import { workerJob } from '../shared/worker-job.ts';
import { readVault } from './read-vault.ts';
import { VaultError } from './types.ts';
import type { ReadJob, ReadProgress, ReadResult } from './vault-readers.ts';

/** Notes sent at once: about a millisecond of whoever receives them. */
const NOTES_AT_ONCE = 100;
const TELL_EVERY_MS = 50;

/** Reads a vault on a worker, for `vaultReaders`. */
export const work = workerJob<ReadJob, ReadResult, ReadProgress>(async ({ path, options }, tell) => {
  let toldMs = 0;
  const onProgress = (done: number, total: number): void => {
    if (done < total && performance.now() - toldMs < TELL_EVERY_MS) return;
    toldMs = performance.now();
    void tell({ done, total });
  };
  try {
    const { notes, ...rest } = await readVault(path, { ...options, onProgress });
    for (let at = 0; at < notes.length; at += NOTES_AT_ONCE) {
      await tell({ notes: notes.slice(at, at + NOTES_AT_ONCE) });
    }
    return rest;
  } catch (error) {
    if (error instanceof VaultError) return { refused: { code: error.code, message: error.message } };
    throw error;
  }
});
