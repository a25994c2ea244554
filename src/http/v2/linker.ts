import type { FastifyPluginAsyncTypebox as Routes } from '@fastify/type-provider-typebox';
import * as api from '../../api/v2-linker.ts';
import { edgeOfChange, kindOfChange, type EdgeChange } from '../../domain/edge-change.ts';
import { jobId } from '../../domain/values.ts';
import type { Keep } from '../../services/receipts.ts';
import type { RelinkRun } from '../../services/relink-items.ts';
import type { V2Needs } from './needs.ts';
import { presentPage } from './present.ts';
import { idOf, owner, paging } from './request.ts';

type Kept = Keep<RelinkRun> | undefined;

/** What all that answer with a new run say of themselves. */
const BEGINS_A_RUN = {
  tags: ['linker'],
  takes: ['idempotency-key'],
  sends: ['location'],
  fails: ['conflict', 'rate_limited'],
  response: { 202: api.LinkerRun },
} as const;

/** Linking all notes anew, as a run that is looked at, applied, and reverted. */
export const linkerRoutes =
  ({ services, cursors, once }: V2Needs): Routes =>
  async (app) => {
    const { relink } = services;

    app.post(
      '/linker/runs',
      {
        schema: {
          operationId: 'createLinkerRun',
          summary: 'Link all notes anew',
          description:
            'A note is linked when it comes, and has not seen those that come later; a run closes that. It is a job: the answer comes before it is done. A dry run, which is what is done without another word, says which edges would be added, removed and changed, with reasons. What a person drew, weighed, accepted or rejected stays as it is.',
          body: api.RelinkInput,
          ...BEGINS_A_RUN,
        },
      },
      (request, reply) =>
        once(
          { request, reply },
          (keep: Kept) => relink.start(owner(), { dryRun: request.body.dryRun ?? true }, keep),
          accepted,
        ),
    );

    app.get(
      '/linker/runs',
      {
        schema: {
          operationId: 'listLinkerRuns',
          summary: 'List runs of the linker',
          description: 'Newest first, of the last seven days.',
          tags: ['linker'],
          sends: ['link'],
          querystring: api.LinkerRunQuery,
          response: { 200: api.LinkerRunPage },
        },
      },
      async (request, reply) => {
        const { page, seal } = paging(request, reply, cursors, 'linker-runs');
        return presentPage(seal(await relink.list(owner(), page)), presentRun);
      },
    );

    app.get(
      '/linker/runs/:id',
      {
        schema: {
          operationId: 'getLinkerRun',
          summary: 'Get a run of the linker',
          description: 'How far it is and, once it is done, its counts and the strongest edges of each kind.',
          tags: ['linker'],
          response: { 200: api.LinkerRun },
        },
      },
      async (request) => presentRun(await relink.get(owner(), idOf(request, jobId))),
    );

    app.get(
      '/linker/runs/:id/edges',
      {
        schema: {
          operationId: 'listLinkerRunEdges',
          summary: 'List the edges of a run',
          description:
            'Every edge that the run changed or, of a dry run, would change, with the weights before and after, and the reasons.',
          tags: ['linker'],
          sends: ['link'],
          querystring: api.EdgeChangeQuery,
          response: { 200: api.EdgeChangePage },
        },
      },
      async (request, reply) => {
        const id = idOf(request, jobId);
        const { page, seal } = paging(request, reply, cursors, `linker-run ${id}`);
        const run = await relink.get(owner(), id);
        const found = await relink.changes(owner(), id, { kind: request.query.change }, page);
        return presentPage(seal(found), (change) => presentChange(change, run));
      },
    );

    app.post(
      '/linker/runs/:id/apply',
      {
        schema: {
          operationId: 'applyLinkerRun',
          summary: 'Apply a dry run',
          description:
            'Makes a run that changes the edges. All is decided again, on the notes as they are then: where nothing was written since the dry run, it is just what that said; else its result tells how much is otherwise.',
          ...BEGINS_A_RUN,
        },
      },
      (request, reply) =>
        once({ request, reply }, (keep: Kept) => relink.apply(owner(), idOf(request, jobId), keep), accepted),
    );

    app.post(
      '/linker/runs/:id/revert',
      {
        schema: {
          operationId: 'revertLinkerRun',
          summary: 'Revert a run',
          description:
            'Makes a run that takes back what another changed, edge by edge, also of one that failed or was cancelled. An edge that a person or a changed note has changed since is left, and counted.',
          ...BEGINS_A_RUN,
        },
      },
      (request, reply) =>
        once(
          { request, reply },
          (keep: Kept) => relink.revert(owner(), idOf(request, jobId), keep),
          accepted,
        ),
    );
  };

function accepted(run: RelinkRun) {
  return { status: 202, headers: { location: `/api/v2/linker/runs/${run.id}` }, body: presentRun(run) };
}

function presentRun(run: RelinkRun): api.LinkerRun {
  const { id, input, status, progress, result, problem, createdAt, startedAt, endedAt } = run;
  return {
    id,
    action: input.action,
    of: input.of ?? null,
    status,
    progress: { done: progress.done, total: progress.total ?? null },
    result: result ? presentResult(run, result) : null,
    problem: problem ? { code: problem.code, detail: problem.detail } : null,
    createdAt,
    startedAt: startedAt ?? null,
    endedAt: endedAt ?? null,
  };
}

function presentResult(run: RelinkRun, result: NonNullable<RelinkRun['result']>) {
  const { counts, kept, samples, asPlanned, otherwise, left } = result;
  const shown = (changes: readonly EdgeChange[]) => changes.map((change) => presentChange(change, run));
  return {
    ...counts,
    kept,
    ...(asPlanned !== undefined && { asPlanned }),
    ...(otherwise !== undefined && { otherwise }),
    ...(left !== undefined && { left }),
    samples: {
      added: shown(samples.added),
      removed: shown(samples.removed),
      changed: shown(samples.changed),
    },
  };
}

function presentChange(change: EdgeChange, { input }: RelinkRun): api.EdgeChange {
  const { before, after } = change;
  const { id, sourceId, targetId, reasons } = edgeOfChange(change);
  return {
    change: kindOfChange(change),
    sourceId,
    targetId,
    edgeId: input.action === 'preview' && !before ? null : id,
    weightBefore: before?.weight ?? null,
    weight: after?.weight ?? null,
    reasons: reasons.map(({ kind, term, contribution }) => ({ kind, term, contribution })),
  };
}
