import type { JobItem, JobProblem } from '../domain/job.ts';
import type { NodeId } from '../domain/values.ts';
import type { Tx } from '../storage/transaction.ts';

// What an import is asked, and what it tells while it runs.

export interface ImportOptions {
  /** Names what is imported, such as a vault; what of it is in the graph but no longer there is reported. */
  readonly collection: string;
  /** Deletes what is no longer there. */
  readonly prune: boolean;
  /** Says what would be done, and does nothing. */
  readonly dryRun: boolean;
  readonly signal?: AbortSignal | undefined;
  /** Keeps what became of each item: a run that was cut off and is begun again does nothing twice. */
  readonly report?: ItemReport | undefined;
}

/** Where what becomes of an item is stored, in the transaction of its effect. */
export interface ItemReport {
  /** What earlier runs of the same import have stored, by the place of the item. */
  readonly known: ReadonlyMap<number, Pick<JobItem, 'key' | 'status' | 'nodeId'>>;
  keep(tx: Tx, item: Omit<JobItem, 'jobId'>): void;
}

export type ItemStatus = 'created' | 'updated' | 'unchanged' | 'failed';

export interface ImportSummary {
  readonly created: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly failed: number;
  readonly missing: number;
  readonly pruned: number;
  /** Hand-made links stored as edges, and those whose target is not there. */
  readonly references: number;
  readonly brokenReferences: number;
  /** Automatic edges that the import added, less those that it took away. */
  readonly automatic: number;
  /** What the graph has now. */
  readonly notes: number;
  readonly edges: number;
}

export type ImportEvent =
  | {
      readonly type: 'item';
      readonly key: string;
      readonly status: ItemStatus;
      readonly nodeId?: NodeId | undefined;
      /** What around the text did not fit, and was left out. */
      readonly trimmed?: readonly string[];
      readonly problem?: JobProblem;
    }
  | {
      readonly type: 'progress';
      readonly stage: 'links';
      readonly done: number;
      readonly total: number;
    }
  | { readonly type: 'missing'; readonly key: string; readonly nodeId: NodeId; readonly pruned: boolean }
  | { readonly type: 'summary'; readonly summary: ImportSummary };
