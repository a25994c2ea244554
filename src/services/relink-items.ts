import { isLinkers } from '../domain/edge.ts';
import { edgeOfChange, kindOfChange, type ChangeKind, type EdgeChange } from '../domain/edge-change.ts';
import { BrainError } from '../domain/error.ts';
import type { Job, JobItem } from '../domain/job.ts';
import type { JobId } from '../domain/values.ts';
import { ordered } from '../storage/keys.ts';
import type { Repositories } from '../storage/repositories.ts';

export const RELINK = 'relink';

export type RelinkAction = 'preview' | 'apply' | 'revert';

/** What was asked. `of`: the run that is applied or reverted. */
export interface RelinkInput extends Readonly<Record<string, unknown>> {
  readonly action: RelinkAction;
  readonly of?: JobId | undefined;
}

/** What a run came to. */
export interface RelinkResult extends Readonly<Record<string, unknown>> {
  readonly counts: { readonly [K in ChangeKind]: number };
  /** Automatic edges that stay as they are. */
  readonly kept: number;
  /** The strongest of each kind. */
  readonly samples: { readonly [K in ChangeKind]: readonly EdgeChange[] };
  /** Of a run that applies another: changes that are just those of the other, and those of either that are not. */
  readonly asPlanned?: number | undefined;
  readonly otherwise?: number | undefined;
  /** Of a run that reverts another: changes of it that were left, for the edge has changed since. */
  readonly left?: number | undefined;
}

/** A run of the linker over all notes: a job, whose items are the edges that it changes. */
export interface RelinkRun extends Job {
  readonly input: RelinkInput;
  readonly result?: RelinkResult | undefined;
}

const ITEMS_A_PAGE = 500;
const SAMPLES = 10;

/** What a run came to, by its items; `planId`: the dry run that it applies. */
export async function resultOf(from: Repositories, run: RelinkRun, planId?: JobId): Promise<RelinkResult> {
  const counts = { added: 0, removed: 0, changed: 0 };
  const samples: { [K in ChangeKind]: EdgeChange[] } = { added: [], removed: [], changed: [] };
  const plan = new Map<string, string>();
  if (planId !== undefined)
    for await (const item of itemsOf(from, planId))
      plan.set(pairOfChange(changeIn(item)), outcomeOf(changeIn(item)));
  let asPlanned = 0;
  let others = 0;
  for await (const item of itemsOf(from, run.id)) {
    const change = changeIn(item);
    const kind = kindOfChange(change);
    counts[kind] += 1;
    addSample(samples[kind], change);
    const planned = plan.get(pairOfChange(change));
    if (planned === outcomeOf(change) && plan.delete(pairOfChange(change))) asPlanned += 1;
    else others += 1;
  }
  let linkers = 0;
  for await (const edge of from.edges.all()) if (isLinkers(edge)) linkers += 1;
  const isDry = run.input.action === 'preview';
  const kept = linkers - counts.changed - (isDry ? counts.removed : counts.added);
  return {
    counts,
    kept: Math.max(0, kept),
    samples,
    ...(planId !== undefined && { asPlanned, otherwise: others + plan.size }),
  };
}

/** Every edge that a run changed. */
export async function* itemsOf({ jobItems }: Repositories, id: JobId): AsyncGenerator<JobItem> {
  const prefix = `${id}#`;
  let after: string | undefined;
  do {
    const page = await jobItems.list({ prefix, after, limit: ITEMS_A_PAGE });
    yield* page.items;
    after = page.next;
  } while (after !== undefined);
}

export function itemOf(change: EdgeChange, index: number): Omit<JobItem, 'jobId'> {
  const { before, after } = change;
  const details = { ...(before && { before }), ...(after && { after }) };
  return { index, key: edgeOfChange(change).id, status: kindOfChange(change), details };
}

export function changeIn({ details }: JobItem): EdgeChange {
  return details as EdgeChange;
}

function pairOfChange(change: EdgeChange): string {
  const { sourceId, targetId } = edgeOfChange(change);
  return ordered(sourceId, targetId).join(' ');
}

/** What a change comes to, but for ids and times. */
function outcomeOf({ before, after }: EdgeChange): string {
  return JSON.stringify([before?.weight, after?.weight, after?.support]);
}

function addSample(samples: EdgeChange[], change: EdgeChange): void {
  const weightOf = (one: EdgeChange): number => edgeOfChange(one).weight;
  if (samples.length === SAMPLES && weightOf(change) <= weightOf(samples[SAMPLES - 1] as EdgeChange)) return;
  const at = samples.findIndex((one) => weightOf(one) < weightOf(change));
  samples.splice(at < 0 ? samples.length : at, 0, change);
  samples.length = Math.min(samples.length, SAMPLES);
}

export const isRun = (job: Job): job is RelinkRun => job.kind === RELINK;

/** Throws `not_found`. */
export async function getRun(from: Pick<Repositories, 'jobs'>, id: JobId): Promise<RelinkRun> {
  const job = await from.jobs.find(id);
  if (job && isRun(job)) return job;
  throw new BrainError('not_found', `there is no run ${id}`, { operation: 'relink.get' });
}
