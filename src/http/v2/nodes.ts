import type { FastifyPluginAsyncTypebox as Routes } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import * as api from '../../api/v2.ts';
import { categoryId, instant, nodeId, tag as tagOf } from '../../domain/values.ts';
import type { LinkedNode, NotePatch, RelatedNode } from '../../services/nodes.ts';
import type { ShownNote } from '../../services/shown-notes.ts';
import type { Keep } from '../../services/receipts.ts';
import { labelOf, type Node } from '../../domain/node.ts';
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
  written,
} from './request.ts';

const Limit = (maximum: number, standard: number) =>
  Type.Optional(Type.Integer({ minimum: 1, maximum, default: standard, description: 'notes, at most' }));

const RelatedQuery = Type.Object({ limit: Limit(50, 20) }, { additionalProperties: false });
const NeighborQuery = Type.Object(
  {
    depth: Type.Optional(Type.Integer({ minimum: 1, maximum: 3, default: 1, description: 'steps, at most' })),
    minWeight: Type.Optional(
      Type.Number({ minimum: 0, maximum: 1, default: 0, description: 'along edges of at least this weight' }),
    ),
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
      {
        schema: {
          operationId: 'createNode',
          summary: 'Create a note',
          description:
            'Stores a note, durably, and links it to those that it has something in common with. The answer has the edges now in force, each with its reasons.',
          tags: ['nodes'],
          sends: ['etag', 'location'],
          fails: ['conflict'],
          body: api.NodeInput,
          takes: ['idempotency-key'],
          response: { 201: api.LinkedNode },
        },
      },
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
      {
        schema: {
          operationId: 'listNodes',
          summary: 'List notes',
          description:
            'By pages, the newest first unless sorted otherwise. Notes that are made while one pages through do not shift the pages.',
          tags: ['nodes'],
          sends: ['link'],
          querystring: api.NodeQuery,
          response: { 200: api.NodePage },
        },
      },
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
      {
        config: { access: 'read' },
        schema: {
          operationId: 'previewLinks',
          summary: 'See what a text would be linked to',
          description: 'Ranks the notes that a text would be linked to, with the reasons. Nothing is stored.',
          tags: ['nodes'],
          body: api.NodeInput,
          takes: ['idempotency-key'],
          response: { 200: api.Related },
        },
      },
      (request, reply) =>
        once(
          { request, reply },
          afterwards(services.receipts, () => nodes.preview(owner(), request.body, 50)),
          (found) => ({ status: 200, body: { items: found.map(presentRelated) } }),
        ),
    );

    app.get(
      '/nodes/:id',
      {
        schema: {
          operationId: 'getNode',
          summary: 'Read a note',
          description: 'The note with its content. Its ETag is what a change of it names in If-Match.',
          tags: ['nodes'],
          takes: ['if-none-match'],
          sends: ['etag'],
          response: { 200: api.Node },
        },
      },
      (request, reply) => {
        const id = idOf(request, nodeId);
        const answer = ({ version, json }: ShownNote) => {
          etag(reply, version);
          if (isKnown(request, version)) return notModified(reply);
          return written(reply, json);
        };
        const shown = services.shown.find(owner(), id);
        if (shown) return answer(shown);
        return services.shown.keep(owner(), id, () => nodes.get(owner(), id).then(showNode)).then(answer);
      },
    );

    app.patch(
      '/nodes/:id',
      {
        schema: {
          operationId: 'updateNode',
          summary: 'Change a note',
          description:
            'A JSON merge patch (RFC 7396): absent fields stay, null empties. A note whose text changed is linked anew; what people linked or rejected stays. `archived` puts it aside and takes it back.',
          tags: ['nodes'],
          takes: ['if-match'],
          sends: ['etag'],
          fails: ['conflict'],
          body: api.NodePatch,
          response: { 200: api.LinkedNode },
        },
      },
      async (request, reply) => {
        const version = requiredVersion(request);
        const id = idOf(request, nodeId);
        const patched = await nodes.patch(owner(), id, readPatch(request.body), version);
        etag(reply, patched.node.version);
        return presentLinked(patched);
      },
    );

    app.delete(
      '/nodes/:id',
      {
        schema: {
          operationId: 'deleteNode',
          summary: 'Delete a note',
          description: 'Deletes the note and every edge at it.',
          tags: ['nodes'],
          takes: ['if-match'],
        },
      },
      async (request, reply) => {
        await nodes.delete(owner(), idOf(request, nodeId), requiredVersion(request));
        return reply.code(204).send();
      },
    );

    app.get(
      '/nodes/:id/edges',
      {
        schema: {
          operationId: 'listNodeEdges',
          summary: 'List the edges of a note',
          description:
            'The edges in force at the note, in either direction, by pages in the order in which they were made.',
          tags: ['nodes'],
          sends: ['link'],
          querystring: api.PageQuery,
          response: { 200: api.EdgePage },
        },
      },
      async (request, reply) => {
        const id = idOf(request, nodeId);
        const { page, seal } = paging(request, reply, cursors, `edges of ${id}`);
        return presentPage(seal(await nodes.edgePage(owner(), id, page)), presentEdge);
      },
    );

    app.get(
      '/nodes/:id/related',
      {
        schema: {
          operationId: 'listRelated',
          summary: 'Rank what is related to a note',
          description:
            'What the engine finds related to the note today, kept as edges or not, with the reasons.',
          tags: ['nodes'],
          querystring: RelatedQuery,
          response: { 200: api.Related },
        },
      },
      async (request) => {
        const related = await nodes.related(owner(), idOf(request, nodeId), request.query.limit ?? 20);
        return { items: related.map(presentRelated) };
      },
    );

    app.get(
      '/nodes/:id/related/:otherId',
      {
        schema: {
          operationId: 'explainPair',
          summary: 'Explain two notes',
          description:
            'Why the engine finds two notes related, or not: the component scores, and the matched terms with their places in both texts.',
          tags: ['nodes'],
          response: { 200: api.Explanation },
        },
      },
      async (request) =>
        presentExplanation(
          await edges.explain(owner(), idOf(request, nodeId), idOf(request, nodeId, 'otherId')),
        ),
    );

    app.get(
      '/nodes/:id/neighbors',
      {
        schema: {
          operationId: 'listNeighbors',
          summary: 'Walk from a note',
          description:
            'The notes within some steps along edges in force, the nearest first, then the strongest; and the edges between all of these but for two notes of the last step.',
          tags: ['nodes'],
          querystring: NeighborQuery,
          response: { 200: api.Neighbors },
        },
      },
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

/** A merge patch as the domain has it. */
export function readPatch({ archived, title, content, tags, aliases, ...rest }: api.NodePatch): NotePatch {
  const input = {
    ...rest,
    ...(title !== undefined && { title: title ?? '' }),
    ...(content !== undefined && { content: content ?? '' }),
    ...(tags !== undefined && { tags: tags ?? [] }),
    ...(aliases !== undefined && { aliases: aliases ?? [] }),
  };
  return { input, archived };
}

function showNode(node: Node): ShownNote {
  return { version: node.version, json: JSON.stringify(presentNode(node)) };
}

function presentRelated({ id, node, weight, reasons, edgeId }: RelatedNode): api.Related['items'][number] {
  return {
    nodeId: id,
    title: labelOf(node),
    weight,
    reasons: [...reasons],
    ...(edgeId !== undefined && { edgeId }),
  };
}
