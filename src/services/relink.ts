import type { ChangeKind, EdgeChange } from '../domain/edge-change.ts';
import { BrainError } from '../domain/error.ts';
import { isEnded } from '../domain/job.ts';
import type { JobId, OwnerId } from '../domain/values.ts';
import type { Tx } from '../storage/transaction.ts';
import type { Jobs } from './jobs.ts';
import { fillPage, type ListPage } from './pages.ts';
import type { Keep } from './receipts.ts';
import { changeIn, getRun, isRun, RELINK, type RelinkInput, type RelinkRun } from './relink-items.ts';
import { relinkKind } from './relink-run.ts';

export type RelinkService = ReturnType<typeof relinkService>;

/**
 * Links all notes anew, as a run that can be looked at before it is applied, and reverted after. Notes that were linked
 * as they came have not seen those that came later; a run closes that. It changes edges of the linker alone: what a
 * person drew, weighed, accepted or rejected stays.
 */
export function relinkService(needs: Parameters<typeof relinkKind>[0] & { readonly jobs: Jobs }) {
  const { store, jobs } = needs;
  jobs.register(relinkKind(needs));

  /** Throws `conflict` while another run is under way, and what `check` throws. */
  function create(
    owner: OwnerId,
    input: RelinkInput,
    keep: Keep<RelinkRun> | undefined,
    check?: (tx: Tx) => Promise<void>,
  ) {
    const asked = { kind: RELINK, input };
    return jobs.create(owner, asked, async (tx, job) => {
      await check?.(tx);
      const others = (await tx.jobs.active()).filter(({ kind, id }) => kind === RELINK && id !== job.id);
      if (others[0]) throw conflict(`the run ${others[0].id} is under way; wait for it, or cancel it`);
      await keep?.(tx, job as RelinkRun);
    }) as Promise<RelinkRun>;
  }

  return {
    /** Finds what linking all notes anew would change and, unless it is a dry run, changes it. */
    start: (
      owner: OwnerId,
      { dryRun }: { readonly dryRun: boolean },
      keep?: Keep<RelinkRun>,
    ): Promise<RelinkRun> => create(owner, { action: dryRun ? 'preview' : 'apply' }, keep),

    /**
     * Applies a dry run. All is decided again, on the notes as they are then: where nothing was written since, that is
     * just what the dry run said. Throws `not_found`, and `conflict` for what is no dry run that is done.
     */
    apply: (owner: OwnerId, of: JobId, keep?: Keep<RelinkRun>): Promise<RelinkRun> =>
      create(owner, { action: 'apply', of }, keep, async (tx) => {
        const { input, status } = await getRun(tx, of);
        if (input.action !== 'preview') throw conflict(`the run ${of} is no dry run`);
        if (status !== 'done') throw conflict(`the dry run ${of} is ${status}, not done`);
      }),

    /**
     * Takes back what a run changed, also one that was cut off, edge by edge: one that has changed since is left. Throws
     * `not_found`, and `conflict` for a run that changed nothing by itself, is under way, or was reverted.
     */
    revert: (owner: OwnerId, of: JobId, keep?: Keep<RelinkRun>): Promise<RelinkRun> =>
      create(owner, { action: 'revert', of }, keep, async (tx) => {
        const run = await getRun(tx, of);
        if (run.input.action !== 'apply') throw conflict(`the run ${of} is one that was not applied`);
        if (!isEnded(run)) throw conflict(`the run ${of} is ${run.status}, not ended`);
        const { items } = await tx.jobs.list({ reverse: true });
        if (
          items.some(
            (job) =>
              isRun(job) && job.input.of === of && job.input.action === 'revert' && job.status === 'done',
          )
        )
          throw conflict(`the run ${of} was reverted already`);
      }),

    /** Throws `not_found`. */
    get: (owner: OwnerId, id: JobId): Promise<RelinkRun> => getRun(store.read(owner), id),

    /** Newest first. */
    list: (owner: OwnerId, page: { readonly after?: string | undefined; readonly limit: number }) =>
      jobs.list(owner, { kind: RELINK }, page) as Promise<ListPage<RelinkRun>>,

    /** The edges that a run changed, or would change, in the order in which it came to them. Throws `not_found`. */
    async changes(
      owner: OwnerId,
      id: JobId,
      { kind }: { readonly kind?: ChangeKind | undefined },
      page: { readonly after?: string | undefined; readonly limit: number },
    ): Promise<ListPage<EdgeChange>> {
      const from = store.read(owner);
      await getRun(from, id);
      const prefix = `${id}#`;
      const found = await fillPage(
        {
          read: (options) => from.jobItems.list({ ...options, prefix }),
          keep: (item) => (kind ?? item.status) === item.status,
          keyOf: (item) => from.jobItems.keyOf(item).sk,
        },
        page,
      );
      return { ...found, items: found.items.map(changeIn) };
    },
  };
}

const conflict = (message: string): BrainError =>
  new BrainError('conflict', message, { operation: 'relink.create' });
