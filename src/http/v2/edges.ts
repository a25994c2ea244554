import type { FastifyPluginAsyncTypebox as Routes } from '@fastify/type-provider-typebox';
import * as api from '../../api/v2.ts';
import { pageOf } from '../../api/common.ts';
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

    app.post('/edges', { schema: { body: api.EdgeInput, response: { 201: api.Edge } } }, (request, reply) => {
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
    });

    app.get(
      '/edges',
      { schema: { querystring: api.EdgeQuery, response: { 200: pageOf(api.Edge) } } },
      async (request, reply) => {
        const { node, type, origin, status, minWeight } = request.query;
        const { page, seal } = paging(request, reply, cursors, 'edges');
        const filter = { node: parsed('node', node, nodeId), type, origin, status, minWeight };
        return presentPage(seal(await edges.list(owner(), filter, page)), presentEdge);
      },
    );

    app.get('/edges/:id', { schema: { response: { 200: api.Edge } } }, async (request, reply) => {
      const edge = await edges.get(owner(), idOf(request, edgeId));
      etag(reply, edge.version);
      if (isKnown(request, edge.version)) return notModified(reply);
      return presentEdge(edge);
    });

    app.patch(
      '/edges/:id',
      { schema: { body: api.EdgePatch, response: { 200: api.Edge } } },
      async (request, reply) => {
        const version = requiredVersion(request);
        const edge = await edges.update(owner(), idOf(request, edgeId), request.body, version);
        etag(reply, edge.version);
        return presentEdge(edge);
      },
    );

    app.delete('/edges/:id', async (request, reply) => {
      await edges.delete(owner(), idOf(request, edgeId), requiredVersion(request));
      return reply.code(204).send();
    });

    app.get('/edges/:id/explanation', { schema: { response: { 200: api.Explanation } } }, async (request) =>
      presentExplanation(await edges.explainEdge(owner(), idOf(request, edgeId))),
    );
  };
