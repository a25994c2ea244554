import type { FastifyPluginAsyncTypebox as Routes } from '@fastify/type-provider-typebox';
import * as api from '../../api/v2.ts';
import type { Edge } from '../../domain/edge.ts';
import { within } from '../../domain/error.ts';
import { edgeId, nodeId } from '../../domain/values.ts';
import type { Keep } from '../../services/receipts.ts';
import type { V2Needs } from './needs.ts';
import { presentEdge, presentExplanation, presentPage } from './present.ts';
import { etag, idOf, isKnown, made, notModified, owner, paging, parsed, requiredVersion } from './request.ts';

export const edgeRoutes =
  ({ services, cursors, once }: V2Needs): Routes =>
  async (app) => {
    const { edges } = services;

    app.post(
      '/edges',
      {
        schema: {
          operationId: 'createEdge',
          summary: 'Connect two notes',
          description: 'Draws an edge by hand. The engine never touches it.',
          tags: ['edges'],
          sends: ['etag', 'location'],
          fails: ['conflict'],
          body: api.EdgeInput,
          takes: ['idempotency-key'],
          response: { 201: api.Edge },
        },
      },
      (request, reply) => {
        const { sourceId, targetId, ...rest } = request.body;
        const input = {
          ...rest,
          sourceId: within('/sourceId', () => nodeId(sourceId)),
          targetId: within('/targetId', () => nodeId(targetId)),
        };
        return once(
          { request, reply },
          (keep: Keep<Edge> | undefined) => edges.create(owner(), input, keep),
          (edge) => ({
            status: 201,
            headers: made(`/api/v2/edges/${edge.id}`, edge.version),
            body: presentEdge(edge),
          }),
        );
      },
    );

    app.get(
      '/edges',
      {
        schema: {
          operationId: 'listEdges',
          summary: 'List edges',
          description: 'By pages, with any of the filters.',
          tags: ['edges'],
          sends: ['link'],
          fails: ['not_found'], // the note of the filter
          querystring: api.EdgeQuery,
          response: { 200: api.EdgePage },
        },
      },
      async (request, reply) => {
        const { node, type, origin, status, minWeight } = request.query;
        const { page, seal } = paging(request, reply, cursors, 'edges');
        const filter = { node: parsed('node', node, nodeId), type, origin, status, minWeight };
        return presentPage(seal(await edges.list(owner(), filter, page)), presentEdge);
      },
    );

    app.get(
      '/edges/:id',
      {
        schema: {
          operationId: 'getEdge',
          summary: 'Read an edge',
          description: 'The edge with its reasons. Its ETag is what a change of it names in If-Match.',
          tags: ['edges'],
          takes: ['if-none-match'],
          sends: ['etag'],
          response: { 200: api.Edge },
        },
      },
      async (request, reply) => {
        const edge = await edges.get(owner(), idOf(request, edgeId));
        etag(reply, edge.version);
        if (isKnown(request, edge.version)) return notModified(reply);
        return presentEdge(edge);
      },
    );

    app.patch(
      '/edges/:id',
      {
        schema: {
          operationId: 'updateEdge',
          summary: 'Accept, reject or weigh an edge',
          description:
            'What a person settles stays: an accepted edge is kept, a rejected pair is not proposed again until one of the two texts changes materially.',
          tags: ['edges'],
          takes: ['if-match'],
          sends: ['etag'],
          fails: ['conflict'],
          body: api.EdgePatch,
          response: { 200: api.Edge },
        },
      },
      async (request, reply) => {
        const version = requiredVersion(request);
        const edge = await edges.update(owner(), idOf(request, edgeId), request.body, version);
        etag(reply, edge.version);
        return presentEdge(edge);
      },
    );

    app.delete(
      '/edges/:id',
      {
        schema: {
          operationId: 'deleteEdge',
          summary: 'Delete an edge',
          description:
            'Deletes the edge. One that the engine made is not proposed again until one of the two texts changes materially.',
          tags: ['edges'],
          takes: ['if-match'],
        },
      },
      async (request, reply) => {
        await edges.delete(owner(), idOf(request, edgeId), requiredVersion(request));
        return reply.code(204).send();
      },
    );

    app.get(
      '/edges/:id/explanation',
      {
        schema: {
          operationId: 'explainEdge',
          summary: 'Explain an edge',
          description:
            'Why the engine connects its two notes: the component scores, and the matched terms with their places in both texts.',
          tags: ['edges'],
          response: { 200: api.Explanation },
        },
      },
      async (request) => presentExplanation(await edges.explainEdge(owner(), idOf(request, edgeId))),
    );
  };
