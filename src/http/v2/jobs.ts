import type { FastifyPluginAsyncTypebox as Routes } from '@fastify/type-provider-typebox';
import type { FastifyReply } from 'fastify';
import { Type } from 'typebox';
import { paged } from '../../api/common.ts';
import * as api from '../../api/v2-jobs.ts';
import { BrainError } from '../../domain/error.ts';
import type { Job, JobItem } from '../../domain/job.ts';
import { jobId } from '../../domain/values.ts';
import { jobEndsTelling } from '../../services/jobs.ts';
import { presentProblem } from '../errors.ts';
import type { Answer } from '../idempotency.ts';
import type { V2Needs } from './needs.ts';
import { presentPage } from './present.ts';
import { etag, idOf, isKnown, notModified, owner, paging } from './request.ts';

const JobQuery = Type.Object(
  {
    kind: Type.Optional(Type.String({ minLength: 1, maxLength: 50, description: 'only jobs of this kind' })),
    status: Type.Optional(api.JobStatus),
    ...paged,
  },
  { additionalProperties: false },
);
const PageQuery = Type.Object(paged, { additionalProperties: false });

/** Long work: what was asked for elsewhere, how far it is, and what came of it. */
export const jobRoutes =
  ({ services, cursors, once }: V2Needs): Routes =>
  async (app) => {
    const { jobs } = services;

    app.get(
      '/jobs',
      {
        schema: {
          operationId: 'listJobs',
          summary: 'List jobs',
          description:
            'Newest first. A job that has ended is told of for seven days. Two of an owner run at a time; up to twenty more wait.',
          tags: ['jobs'],
          sends: ['link'],
          querystring: JobQuery,
          response: { 200: api.JobPage },
        },
      },
      async (request, reply) => {
        const { kind, status } = request.query;
        const { page, seal } = paging(request, reply, cursors, 'jobs');
        return presentPage(seal(await jobs.list(owner(), { kind, status }, page)), presentJob);
      },
    );

    app.get(
      '/jobs/:id',
      {
        schema: {
          operationId: 'getJob',
          summary: 'Read a job',
          description:
            'How far it is, and in the end its result or its problem. Its progress is told over the socket as well.',
          tags: ['jobs'],
          takes: ['if-none-match'],
          sends: ['etag'],
          response: { 200: api.Job },
        },
      },
      async (request, reply) => {
        const job = await jobs.get(owner(), idOf(request, jobId));
        etag(reply, job.version);
        if (isKnown(request, job.version)) return notModified(reply);
        return presentJob(job);
      },
    );

    app.get(
      '/jobs/:id/items',
      {
        schema: {
          operationId: 'listJobItems',
          summary: 'List what became of each item',
          description:
            'In the order of the items. Each is stored with its effect, so what is told of has happened, and what has happened is told of, also while the job runs.',
          tags: ['jobs'],
          sends: ['link'],
          querystring: PageQuery,
          response: { 200: api.JobItemPage },
        },
      },
      async (request, reply) => {
        const id = idOf(request, jobId);
        const { page, seal } = paging(request, reply, cursors, `jobs ${id}`);
        return presentPage(seal(await jobs.items(owner(), id, page)), presentItem);
      },
    );

    app.post(
      '/jobs/:id/cancel',
      {
        schema: {
          operationId: 'cancelJob',
          summary: 'Cancel a job',
          description:
            'One that waits ends at once; one that runs as soon as its work heeds it, which `cancelling` tells until then. What it has done by then stays. One that has ended stays as it is.',
          tags: ['jobs'],
          takes: ['idempotency-key'],
          response: { 200: api.Job },
        },
      },
      (request, reply) =>
        once(
          { request, reply },
          (keep) => jobs.cancel(owner(), idOf(request, jobId), keep),
          (job: Job) => ({ status: 200, body: presentJob(job) }),
        ),
    );
  };

/** The answer to a request whose work has become a job. */
export function accepted(job: Job): Answer<api.Job> {
  return { status: 202, headers: { location: `/api/v2/jobs/${job.id}` }, body: presentJob(job) };
}

/** The same, where it is not kept for an Idempotency-Key. */
export function sendAccepted(reply: FastifyReply, job: Job): api.Job {
  const { status, headers = {}, body } = accepted(job);
  reply.code(status).headers(headers);
  return body;
}

function presentJob(job: Job): api.Job {
  const { id, kind, status, isCancelAsked, progress, origin, createdAt, updatedAt, version } = job;
  const { spool: _kept, ...input } = job.input;
  return {
    id,
    kind,
    status,
    cancelling: isCancelAsked === true && status === 'running',
    progress: { done: progress.done, total: progress.total ?? null, failed: progress.failed },
    input,
    result: job.result ?? null,
    problem: problemOf(job),
    correlationId: origin.correlationId,
    createdAt,
    startedAt: job.startedAt ?? null,
    updatedAt,
    endedAt: job.endedAt ?? null,
    expiresAt: jobEndsTelling(job) ?? null,
    version,
  };
}

function problemOf({ id, owner: ownerId, problem, origin, updatedAt: timestamp }: Job): api.Job['problem'] {
  if (!problem) return null;
  const { correlationId, requestId } = origin;
  const occurrence = { correlationId, requestId, ownerId, timestamp };
  const error = new BrainError(problem.code, problem.detail, { issues: problem.errors, occurrence });
  return presentProblem(error, `/api/v2/jobs/${id}`);
}

function presentItem({ index, key, status, nodeId, problem, details }: JobItem): api.JobItem {
  return {
    index,
    key,
    status,
    ...(nodeId !== undefined && { nodeId }),
    ...(problem && { problem: { ...problem, errors: [...problem.errors] } }),
    ...(details && { details }),
  };
}
