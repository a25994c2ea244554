import { BrainError, isBrainError } from '../domain/error.ts';
import type { Job, JobItem } from '../domain/job.ts';
import type { OwnerId } from '../domain/values.ts';
import type { Blobs } from '../storage/blobs.ts';
import type { Store } from '../storage/store.ts';
import type { ImportEntry } from './import-note.ts';
import type { ImportSummary } from './import-events.ts';
import type { ImportService } from './imports.ts';
import type { JobKind } from './job-run.ts';
import { keepItem, type Jobs } from './jobs.ts';

export type ImportFormat = 'ndjson' | 'zip';

/** What is imported and how, as it was asked for. */
export interface ImportAsk {
  readonly format: ImportFormat;
  readonly collection: string;
  readonly prune: boolean;
  readonly dryRun: boolean;
  /** Of a vault: which of its folders or fields become categories. */
  readonly categories: 'folders' | 'frontmatter' | 'none';
}

/** What was sent, as it is kept until the job has ended. */
export interface Spooled {
  readonly size: number;
  /** Of the file that it is, where it is one. */
  readonly path?: string | undefined;
  read(range?: { readonly start: number; readonly end: number }): AsyncIterable<Uint8Array>;
}

/** Reads what was sent. Who makes the services knows the formats; here nothing does. */
export interface ImportReader {
  /** How many items there are; looks at the whole, and throws `invalid` naming what makes it unfit. */
  inspect(from: Spooled, ask: ImportAsk): Promise<number>;
  /** The same ones in the same order each time; throws the signal's reason once that is aborted. */
  entries(from: Spooled, ask: ImportAsk, signal: AbortSignal): AsyncIterable<ImportEntry>;
}

/** What a job of this kind was given. */
interface Input extends ImportAsk {
  readonly spool: string;
}

export type ImportJobs = ReturnType<typeof importJobs>;

/** Imports that go on by themselves: what is sent is kept first, so that a crash loses none of it. */
export function importJobs(needs: {
  readonly store: Store;
  readonly jobs: Jobs;
  readonly imports: ImportService;
  readonly blobs: Blobs;
  readonly reader: ImportReader;
  readonly newId: () => string;
}) {
  const { store, jobs, imports, blobs, reader, newId } = needs;

  async function open(owner: OwnerId, id: string): Promise<Spooled> {
    const size = await blobs.size(owner, id);
    if (size === undefined)
      throw new BrainError('not_found', 'what was to be imported is not kept any more; send it again');
    return { size, path: blobs.pathOf?.(owner, id), read: (range) => blobs.read(owner, id, range) };
  }

  /** Items that are stored with what became of them. */
  async function throughOf({ owner, id }: Job): Promise<{ readonly done: number; readonly failed: number }> {
    let [done, failed] = [0, 0];
    for await (const { status } of store.read(owner).jobItems.all(`${id}#`)) {
      if (status === 'missing' || status === 'pruned') continue;
      done += 1;
      if (status === 'failed') failed += 1;
    }
    return { done, failed };
  }

  const kind: JobKind = {
    kind: 'import',
    async run(job, { signal, report }) {
      const { spool, ...ask } = job.input as unknown as Input;
      const entries = reader.entries(await open(job.owner, spool), ask, signal);
      const known = new Map<number, JobItem>();
      for await (const item of store.read(job.owner).jobItems.all(`${job.id}#`)) known.set(item.index, item);
      const keep = {
        known,
        keep: (tx: Parameters<typeof keepItem>[0], item: Omit<JobItem, 'jobId'>) => keepItem(tx, job, item),
      };
      let done = 0;
      let failed = 0;
      let summary: ImportSummary | undefined;
      try {
        for await (const event of imports.run(job.owner, { ...ask, signal, report: keep }, entries)) {
          if (event.type === 'summary') ({ summary } = event);
          if (event.type !== 'item') continue;
          done += 1;
          if (event.status === 'failed') failed += 1;
          report({ done, failed });
        }
      } catch (error) {
        if (signal.aborted) report(await throughOf(job)); // what was under way then is stored, too
        throw error;
      }
      report({ done, failed, total: done });
      return summary && { ...summary };
    },
    ended: (job: Job) => blobs.remove(job.owner, String(job.input['spool'])),
  };
  jobs.register(kind);

  return {
    /** Keeps what is sent, looks at it, and stores the job. Throws `invalid`, `rate_limited`, and what `bytes` throws. */
    async start(owner: OwnerId, ask: ImportAsk, bytes: AsyncIterable<Uint8Array>): Promise<Job> {
      const spool = newId();
      await blobs.write(owner, spool, bytes);
      try {
        const total = await reader.inspect(await open(owner, spool), ask);
        return await jobs.create(owner, { kind: kind.kind, input: { ...ask, spool }, total });
      } catch (error) {
        // Where the job may be stored all the same, it needs what was sent; if it is not, a sweep takes that away.
        if (!isBrainError(error, 'timeout')) await blobs.remove(owner, spool);
        throw error;
      }
    },
  };
}
