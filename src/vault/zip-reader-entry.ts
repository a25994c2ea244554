import { workerJob } from '../shared/worker-job.ts';
import { readZip, zipFile, ZipError } from './read-zip.ts';
import type { ReadJob, ReadProgress, ReadResult } from './zip-readers.ts';

/** Notes sent at once: about a millisecond of whoever receives them. */
const NOTES_AT_ONCE = 100;

/** Reads a vault out of a zip on a worker, for `zipReaders`. */
export const work = workerJob<ReadJob, ReadResult, ReadProgress>(async ({ path, options }, tell) => {
  try {
    const { notes, ...rest } = await readZip(await zipFile(path), options);
    for (let at = 0; at < notes.length; at += NOTES_AT_ONCE) await tell(notes.slice(at, at + NOTES_AT_ONCE));
    return rest;
  } catch (error) {
    if (error instanceof ZipError) return { refused: { code: error.code, message: error.message } };
    throw error;
  }
});
