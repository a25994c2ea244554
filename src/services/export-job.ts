import { BrainError } from '../domain/error.ts';
import type { Category } from '../domain/category.ts';
import { isLinkers } from '../domain/edge.ts';
import { isEnded, type Job } from '../domain/job.ts';
import type { Node } from '../domain/node.ts';
import type { JobId, OwnerId } from '../domain/values.ts';
import type { Blobs, ByteRange } from '../storage/blobs.ts';
import type { Repositories } from '../storage/repositories.ts';
import type { Store } from '../storage/store.ts';
import type { ExportedPart } from './exported.ts';
import type { JobKind } from './job-run.ts';
import type { Jobs } from './jobs.ts';
import type { Keep } from './receipts.ts';

export const EXPORT_FORMATS = ['ndjson', 'markdown'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/**
 * Makes a vault as one file of the lines of an export. Who makes the services knows how; the same lines give the same
 * bytes.
 */
export type VaultWriter = (
  lines: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
) => AsyncIterable<Uint8Array>;

/** What an export has made. */
export interface ExportContent {
  readonly format: ExportFormat;
  readonly size: number;
  read(range?: ByteRange): AsyncIterable<Uint8Array>;
}

export type ExportJobs = ReturnType<typeof exportJobs>;

const PIECE_LENGTH = 64 * 1024;
const NOTES_A_REPORT = 100;

/** Everything of an owner as a file, made by a job and kept as long as that. */
export function exportJobs(needs: {
  readonly store: Store;
  readonly jobs: Jobs;
  readonly blobs: Blobs;
  readonly writeVault: VaultWriter;
}) {
  const { store, jobs, blobs, writeVault } = needs;
  const kind: JobKind = {
    kind: 'export',
    async run(job, { signal, report }) {
      const { format } = job.input as { readonly format: ExportFormat };
      let nodes = 0;
      const counting = (node: Node): Node => {
        nodes += 1;
        if (nodes % NOTES_A_REPORT === 0) {
          signal.throwIfAborted();
          report({ done: nodes });
        }
        return node;
      };
      const { value, from, to } = await store.readAll(job.owner, async (stored) => {
        const lines = linesOf(partsOf(stored, counting));
        return blobs.write(job.owner, job.id, format === 'ndjson' ? lines : writeVault(lines, signal));
      });
      report({ done: nodes, total: nodes });
      return { format, notes: nodes, bytes: value, epoch: to.epoch, fromSeq: from.seq, toSeq: to.seq };
    },
  };
  jobs.register(kind);

  async function exportOf(owner: OwnerId, id: JobId): Promise<Job> {
    const job = await jobs.get(owner, id);
    if (job.kind !== kind.kind) throw new BrainError('not_found', `job ${id} is no export`);
    return job;
  }

  return {
    /** Throws `rate_limited`. */
    async start(owner: OwnerId, format: ExportFormat, keep?: Keep<Job>): Promise<Job> {
      const { nodes: total } = (await store.head(owner)).counts;
      return jobs.create(owner, { kind: kind.kind, input: { format }, total }, keep);
    },

    /** Throws `not_found`: no such export, or none that is kept any more; `conflict`: it is not done. */
    async content(owner: OwnerId, id: JobId): Promise<ExportContent> {
      const job = await exportOf(owner, id);
      if (job.status !== 'done')
        throw new BrainError('conflict', `the export is ${job.status}; its content is there once it is done`);
      const size = await blobs.size(owner, id);
      if (size === undefined) throw new BrainError('not_found', 'the content is not kept any more');
      const { format } = job.input as { readonly format: ExportFormat };
      return { format, size, read: (range) => blobs.read(owner, id, range) };
    },

    /** Keeps what it made no longer. Throws `not_found`, and `conflict` while it is being made. */
    async letGo(owner: OwnerId, id: JobId): Promise<void> {
      const job = await exportOf(owner, id);
      if (!isEnded(job)) throw new BrainError('conflict', `the export is ${job.status}; cancel its job`);
      await blobs.remove(owner, id);
    },
  };
}

/** Those of a kind together and by their ids, so that the same graph gives the same lines. */
async function* partsOf(from: Repositories, counting: (node: Node) => Node): AsyncGenerator<ExportedPart> {
  for (const { owner: _owner, version: _version, ...category } of await categoriesOf(from))
    yield { category };
  for await (const found of from.nodes.all()) {
    const { owner: _owner, version: _version, ...node } = counting(found);
    const categories = node.categories.map(({ categoryId: id, confidence, method }) => ({
      id,
      confidence,
      method,
    }));
    yield { node: { ...node, categories } };
  }
  for await (const found of from.edges.all()) {
    if (isLinkers(found)) continue;
    const { owner: _owner, version: _version, ...edge } = found;
    yield { edge };
  }
  for await (const decision of from.decisions.all()) yield { decision };
}

/** Parents before their children. */
async function categoriesOf(from: Repositories): Promise<readonly Category[]> {
  const all = await Array.fromAsync(from.categories.all());
  const byId = new Map(all.map((category) => [category.id, category]));
  const level = ({ parentId }: Category): number => {
    const parent = parentId === null ? undefined : byId.get(parentId);
    return parent ? level(parent) + 1 : 0;
  };
  return all.toSorted((a, b) => level(a) - level(b) || (a.id < b.id ? -1 : 1));
}

async function* linesOf(parts: AsyncIterable<ExportedPart>): AsyncGenerator<Uint8Array> {
  let piece = '';
  for await (const part of parts) {
    piece += `${JSON.stringify(inOrder(part))}\n`;
    if (piece.length < PIECE_LENGTH) continue;
    yield Buffer.from(piece);
    piece = '';
  }
  if (piece !== '') yield Buffer.from(piece);
}

/** Fields by their names: their order in the store is of how something came about, and not of what it is. */
function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, inner]) => [name, inOrder(inner)]),
  );
}
