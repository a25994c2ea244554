import { workerJob } from '../shared/worker-job.ts';
import { readZip, zipFile, ZipError } from '../vault/read-zip.ts';
import type { VaultJob, VaultProgress, VaultResult } from './vault-workers.ts';
import { zipOfExport } from './vault-writer.ts';

/** Notes sent at once: about a millisecond of whoever receives them. */
const NOTES_AT_ONCE = 100;

/** Reads or writes a vault on a worker, for `vaultWorkers`. */
export const work = workerJob<VaultJob, VaultResult, VaultProgress>(async (job, tell) => {
  if ('lines' in job) {
    await ReadableStream.from(zipOfExport(job.lines)).pipeTo(job.zip);
    return undefined;
  }
  try {
    const { notes, ...rest } = await readZip(await zipFile(job.path), job.options);
    for (let at = 0; at < notes.length; at += NOTES_AT_ONCE) await tell(notes.slice(at, at + NOTES_AT_ONCE));
    return rest;
  } catch (error) {
    if (error instanceof ZipError) return { refused: { code: error.code, message: error.message } };
    throw error;
  }
});
