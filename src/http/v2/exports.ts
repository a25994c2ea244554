import { Readable } from 'node:stream';
import type { FastifyPluginAsyncTypebox as Routes } from '@fastify/type-provider-typebox';
import * as api from '../../api/v2-jobs.ts';
import type { Job } from '../../domain/job.ts';
import { BrainError } from '../../domain/error.ts';
import { jobId } from '../../domain/values.ts';
import type { ExportFormat } from '../../services/export-job.ts';
import { byteRange } from '../byte-range.ts';
import { accepted } from './jobs.ts';
import type { V2Needs } from './needs.ts';
import { etag, idOf, isKnown, notModified, owner } from './request.ts';

const FILES: { readonly [F in ExportFormat]: { readonly type: string; readonly name: string } } = {
  ndjson: { type: 'application/x-ndjson', name: 'brain2.ndjson' },
  markdown: { type: 'application/zip', name: 'brain2.zip' },
};

/** A download takes as long as the caller's line does. */
const HOUR_MS = 3_600_000;

/** Everything of the owner, to be taken elsewhere or kept. */
export const exportRoutes =
  ({ services, once }: V2Needs): Routes =>
  async (app) => {
    app.post(
      '/exports',
      {
        config: { audit: 'export' },
        schema: {
          operationId: 'createExport',
          summary: 'Export everything',
          description:
            "Becomes a job; when it is done, its content can be fetched for seven days. As `ndjson` it has categories, notes, edges of people and their decisions, and gives the same graph where it is imported; as `markdown` it is a vault in a zip. Exported again from there, both are the same to the byte. All of it is of one moment, though others write meanwhile: the job's result names the position in the log, or, with DynamoDB, the two positions (`fromSeq`, `toSeq`) between which each thing stood.",
          tags: ['exports'],
          takes: ['idempotency-key'],
          sends: ['location'],
          fails: ['rate_limited'],
          body: api.ExportInput,
          response: { 202: api.Job },
        },
      },
      (request, reply) =>
        once(
          { request, reply },
          (keep) => services.exportJobs.start(owner(), request.body.format, keep),
          (job: Job) => accepted(job),
        ),
    );

    app.get(
      '/exports/:id/content',
      {
        config: { limits: { requestMs: HOUR_MS, handlerMs: HOUR_MS } },
        schema: {
          operationId: 'getExportContent',
          summary: 'Fetch what an export made',
          description:
            'The file of an export that is done, by the id of its job: NDJSON, or a zip of Markdown. A part of it where `Range` asks for one, so a download that was cut off goes on.',
          tags: ['exports'],
          takes: ['if-none-match'],
          sends: ['etag'],
          fails: ['conflict', 'range_unsatisfiable'],
          isFile: true,
        },
      },
      async (request, reply) => {
        const id = idOf(request, jobId);
        const content = await services.exportJobs.content(owner(), id);
        etag(reply, id);
        reply.header('accept-ranges', 'bytes');
        if (isKnown(request, id)) return notModified(reply);
        const range = byteRange(request, content.size, `"${id}"`);
        if (range === 'unsatisfiable') {
          reply.header('content-range', `bytes */${content.size}`);
          throw new BrainError('range_unsatisfiable', `the file has ${content.size} bytes`, {
            operation: 'http.range',
          });
        }
        const { type, name } = FILES[content.format];
        reply.header('content-type', type);
        reply.header('content-disposition', `attachment; filename="${name}"`);
        const length = range ? range.end - range.start : content.size;
        reply.header('content-length', length);
        if (range) {
          reply.code(206);
          reply.header('content-range', `bytes ${range.start}-${range.end - 1}/${content.size}`);
        }
        return reply.send(Readable.from(content.read(range), { objectMode: false }));
      },
    );

    // Without If-Match: it cannot have changed.
    app.delete(
      '/exports/:id/content',
      {
        schema: {
          operationId: 'deleteExportContent',
          summary: 'Let go of what an export made',
          description:
            'The file of an export that has ended is kept no longer; its job is told of on. Whoever has fetched all of it gives its room back so. Again changes nothing.',
          tags: ['exports'],
          fails: ['conflict'],
        },
      },
      async (request, reply) => {
        await services.exportJobs.letGo(owner(), idOf(request, jobId));
        return reply.code(204).send();
      },
    );
  };
