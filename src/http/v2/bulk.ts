import type { FastifyPluginAsyncTypebox as Routes } from '@fastify/type-provider-typebox';
import type { TSchema } from 'typebox';
import * as api from '../../api/v2-bulk.ts';
import type { Problem } from '../../api/common.ts';
import { nodeId } from '../../domain/values.ts';
import type { BulkOutcome, BulkResult } from '../../services/bulk-items.ts';
import type { Keep, PlannedKeep } from '../../services/receipts.ts';
import { refuseKey } from '../idempotency.ts';
import { sendJson } from '../streamed.ts';
import { strictCompiler } from '../validation.ts';
import { itemReader, refuseRepeated } from './bulk-items.ts';
import { bulkAnswer, problemsOf } from './bulk-present.ts';
import type { V2Needs } from './needs.ts';
import { readPatch } from './nodes.ts';
import { presentNode } from './present.ts';
import { owner, versionOf } from './request.ts';

const BODY_BYTES = 10 * 1024 * 1024;
/** The notes of the greatest bulk are stored and linked in a few seconds, unless others write as well. */
const MINUTE_MS = 60_000;
const CONFIG = { limits: { requestMs: MINUTE_MS, handlerMs: MINUTE_MS } };

/** Many notes in one request. */
export const bulkRoutes =
  ({ services, once }: V2Needs): Routes =>
  async (app) => {
    const { bulk } = services;
    const readInputs = itemReader(api.BulkNodeInput, ({ clientId: _name, ...input }) => input);
    const readPatches = itemReader(api.BulkNodePatch, ({ id, ifMatch, ...patch }) => ({
      ...readPatch(patch),
      id: nodeId(id),
      expectedVersion: ifMatch === undefined ? undefined : versionOf(ifMatch, 'bulk.patch'),
    }));
    const readRefs = itemReader(api.BulkNodeRef, ({ id, ifMatch }) => ({
      id: nodeId(id),
      expectedVersion: ifMatch === undefined ? undefined : versionOf(ifMatch, 'bulk.delete'),
    }));
    const readIds = itemReader(api.BulkGet.properties.ids.items, nodeId);
    const validatorCompiler = strictCompiler(api.BulkEnvelope);
    const response = { 200: api.BulkResult, 207: api.BulkResult };
    /** A route that changes many notes. */
    const changing = <B extends TSchema>(
      body: B,
      about: { readonly operationId: string; readonly summary: string; readonly description: string },
    ) => ({
      bodyLimit: BODY_BYTES,
      config: CONFIG,
      validatorCompiler,
      schema: { ...about, tags: ['nodes'], takes: ['idempotency-key' as const], body, response },
    });

    app.post(
      '/nodes/bulk',
      changing(api.BulkCreate, {
        operationId: 'bulkCreateNodes',
        summary: 'Create many notes',
        description:
          'Stores up to 1,000 notes in up to 10 MB, and links them, also to each other. Each item is answered in its place. Partial: what is wrong with one leaves the others as they are, and the status is 207. Atomic: all are stored in one transaction, or none; how many fit is told when they do not.',
      }),
      async (request, reply) => {
        const { mode, items } = request.body;
        refuseRepeated(items, 'clientId');
        const answer = await once(
          { request, reply },
          (keep: PlannedKeep<BulkResult> | undefined) => bulk.create(owner(), mode, readInputs(items), keep),
          bulkAnswer(request, { items, succeeded: 201 }),
        );
        return sendJson(request, reply, answer) as never;
      },
    );

    app.post(
      '/nodes/bulk/patch',
      changing(api.BulkPatch, {
        operationId: 'bulkUpdateNodes',
        summary: 'Change many notes',
        description:
          'A JSON merge patch of each note, at the version in `ifMatch` where one is given. Notes whose text changed are linked anew. A note stands in a request once.',
      }),
      async (request, reply) => {
        const { mode, items } = request.body;
        refuseRepeated(items, 'id');
        const answer = await once(
          { request, reply },
          (keep: Keep<BulkResult> | undefined) => bulk.patch(owner(), mode, readPatches(items), keep),
          bulkAnswer(request, { items, succeeded: 200 }),
        );
        return sendJson(request, reply, answer) as never;
      },
    );

    app.post(
      '/nodes/bulk/delete',
      changing(api.BulkDelete, {
        operationId: 'bulkDeleteNodes',
        summary: 'Delete many notes',
        description:
          'Deletes each note, at the version in `ifMatch` where one is given, and every edge at it. A note stands in a request once.',
      }),
      async (request, reply) => {
        const { mode, items } = request.body;
        refuseRepeated(items, 'id');
        const answer = await once(
          { request, reply },
          (keep: Keep<BulkResult> | undefined) => bulk.delete(owner(), mode, readRefs(items), keep),
          bulkAnswer(request, { items, succeeded: 204 }),
        );
        return sendJson(request, reply, answer) as never;
      },
    );

    app.post(
      '/nodes/bulk/get',
      {
        config: { access: 'read' },
        validatorCompiler: strictCompiler(api.BulkGetEnvelope),
        schema: {
          operationId: 'bulkGetNodes',
          summary: 'Read many notes',
          description:
            'Up to 1,000 notes with their contents, in the order of the ids. Notes that one answer does not hold, about 8 MB, are answered with `too_large`: ask for them again.',
          tags: ['nodes'],
          body: api.BulkGet,
          response: { 200: api.BulkRead, 207: api.BulkRead },
        },
      },
      async (request, reply) => {
        refuseKey(request, 'reading changes nothing');
        const outcomes = await bulk.get(owner(), readIds(request.body.ids));
        const problemOf = problemsOf(request);
        const items = outcomes.map((outcome, index) => ({ index, ...presentRead(outcome, problemOf) }));
        const failed = items.filter(({ status }) => status >= 400).length;
        const total = items.length;
        reply.code(failed > 0 ? 207 : 200);
        const summary = { total, succeeded: total - failed, failed };
        return sendJson(request, reply, { items, summary }) as never;
      },
    );
  };

function presentRead(
  outcome: BulkOutcome,
  problemOf: ReturnType<typeof problemsOf>,
): Omit<api.BulkRead['items'][number], 'index'> {
  if ('error' in outcome) {
    const problem: Problem = problemOf(outcome.error);
    return { status: problem.status, problem };
  }
  const { id, node } = outcome;
  return { status: 200, id, ...(node && { etag: `"${node.version}"`, node: presentNode(node) }) };
}
