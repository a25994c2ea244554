import type { FastifyPluginAsyncTypebox as Routes } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import * as api from '../../api/v2.ts';
import { pageOf } from '../../api/common.ts';
import { categoryId, instant, nodeId, tag as tagOf } from '../../domain/values.ts';
import type { LinkedNode, RelatedNode } from '../../services/nodes.ts';
import type { Keep } from '../../services/receipts.ts';
import { labelOf } from '../../domain/node.ts';
import type { V2Needs } from './needs.ts';
import {
  presentEdge,
  presentExplanation,
  presentLinked,
  presentNode,
  presentPage,
  presentSummary,
} from './present.ts';
import {
  afterwards,
  etag,
  idOf,
  isKnown,
  made,
  notModified,
  owner,
  paging,
  parsed,
  requiredVersion,
} from './request.ts';

const Limit = (maximum: number, standard: number) =>
  Type.Optional(Type.Integer({ minimum: 1, maximum, default: standard }));

const RelatedQuery = Type.Object({ limit: Limit(50, 20) }, { additionalProperties: false });
const NeighborQuery = Type.Object(
  {
    depth: Type.Optional(Type.Integer({ minimum: 1, maximum: 3, default: 1 })),
    minWeight: Type.Optional(Type.Number({ minimum: 0, maximum: 1, default: 0 })),
    limit: Limit(200, 50),
  },
  { additionalProperties: false },
);

export const nodeRoutes =
  ({ services, cursors, once }: V2Needs): Routes =>
  async (app) => {
    const { nodes, graph, edges } = services;

    app.post(
      '/nodes',
      { schema: { body: api.NodeInput, response: { 201: api.LinkedNode } } },
      (request, reply) =>
        once(
          { request, reply },
          (keep: Keep<LinkedNode> | undefined) => nodes.create(owner(), request.body, keep),
          (created) => ({
            status: 201,
            headers: made(`/api/v2/nodes/${created.node.id}`, created.node.version),
            body: presentLinked(created),
          }),
        ),
    );

    app.get(
      '/nodes',
      { schema: { querystring: api.NodeQuery, response: { 200: pageOf(api.Node) } } },
      async (request, reply) => {
        const { tag, category, updatedSince, archived, sort = '-createdAt' } = request.query;
        const { page, seal } = paging(request, reply, cursors, 'nodes');
        const filter = {
          tag: parsed('tag', tag, tagOf),
          category: parsed('category', category, categoryId),
          updatedSince: parsed('updatedSince', updatedSince, instant),
          archived,
          sort,
        };
        return presentPage(seal(await nodes.list(owner(), filter, page)), presentNode);
      },
    );

    app.post(
      '/nodes/preview-links',
      { config: { access: 'read' }, schema: { body: api.NodeInput, response: { 200: api.Related } } },
      (request, reply) =>
        once(
          { request, reply },
          afterwards(services.receipts, () => nodes.preview(owner(), request.body, 50)),
          (found) => ({ status: 200, body: { items: found.map(presentRelated) } }),
        ),
    );

    app.get('/nodes/:id', { schema: { response: { 200: api.Node } } }, async (request, reply) => {
      const node = await nodes.get(owner(), idOf(request, nodeId));
      etag(reply, node.version);
      if (isKnown(request, node.version)) return notModified(reply);
      return presentNode(node);
    });

    app.patch(
      '/nodes/:id',
      { schema: { body: api.NodePatch, response: { 200: api.LinkedNode } } },
      async (request, reply) => {
        const version = requiredVersion(request);
        const { archived, title, content, tags, aliases, ...rest } = request.body;
        const id = idOf(request, nodeId);
        const input = {
          ...rest,
          ...(title !== undefined && { title: title ?? '' }),
          ...(content !== undefined && { content: content ?? '' }),
          ...(tags !== undefined && { tags: tags ?? [] }),
          ...(aliases !== undefined && { aliases: aliases ?? [] }),
        };
        const patched = await nodes.patch(owner(), id, { input, archived }, version);
        etag(reply, patched.node.version);
        return presentLinked(patched);
      },
    );

    app.delete('/nodes/:id', async (request, reply) => {
      await nodes.delete(owner(), idOf(request, nodeId), requiredVersion(request));
      return reply.code(204).send();
    });

    app.get(
      '/nodes/:id/edges',
      { schema: { response: { 200: Type.Object({ items: Type.Array(api.Edge) }) } } },
      async (request) => ({ items: (await nodes.edges(owner(), idOf(request, nodeId))).map(presentEdge) }),
    );

    app.get(
      '/nodes/:id/related',
      { schema: { querystring: RelatedQuery, response: { 200: api.Related } } },
      async (request) => {
        const related = await nodes.related(owner(), idOf(request, nodeId), request.query.limit ?? 20);
        return { items: related.map(presentRelated) };
      },
    );

    app.get(
      '/nodes/:id/related/:otherId',
      { schema: { response: { 200: api.Explanation } } },
      async (request) =>
        presentExplanation(
          await edges.explain(owner(), idOf(request, nodeId), idOf(request, nodeId, 'otherId')),
        ),
    );

    app.get(
      '/nodes/:id/neighbors',
      { schema: { querystring: NeighborQuery, response: { 200: api.Neighbors } } },
      async (request) => {
        const { depth = 1, minWeight = 0, limit = 50 } = request.query;
        const found = await graph.neighbors(owner(), idOf(request, nodeId), { depth, minWeight, limit });
        return {
          items: found.neighbors.map(({ node, distance, strength }) => ({
            node: presentSummary(node),
            distance,
            strength,
          })),
          edges: found.edges.map(presentEdge),
        };
      },
    );
  };

function presentRelated({ id, node, weight, reasons, edgeId }: RelatedNode): api.Related['items'][number] {
  return {
    nodeId: id,
    title: labelOf(node),
    weight,
    reasons: [...reasons],
    ...(edgeId !== undefined && { edgeId }),
  };
}
