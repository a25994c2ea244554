import type { FastifyPluginAsyncTypebox as Routes } from '@fastify/type-provider-typebox';
import * as api from '../../api/v1.ts';
import { otherEnd } from '../../domain/edge.ts';
import { BrainError, isBrainError } from '../../domain/error.ts';
import { isUuid, nodeId } from '../../domain/values.ts';
import { owner } from '../owner.ts';
import { idOf } from '../path-id.ts';
import { failing } from './failing.ts';
import type { V1Needs } from './needs.ts';
import { domainVersion, presentNode, wireVersion } from './present.ts';

const PAGE = 20;

export const nodeRoutes =
  ({ services, cursors }: V1Needs): Routes =>
  async (app) => {
    const { nodes, bulk, browse } = services;

    app.get(
      '/nodes',
      {
        config: { successor: 'GET /nodes' },
        schema: {
          operationId: 'listNodes',
          summary: 'List notes',
          description: 'Every note, or with limit or nextToken a page of them; sorted, or found by words.',
          tags: ['nodes'],
          querystring: api.NodeQuery,
          response: { 200: api.NodeList, ...failing(400) },
        },
      },
      async (request) => {
        const { limit, nextToken, search, sortBy, sortDirection } = request.query;
        const words = search?.trim() || undefined;
        const direction = sortDirection ?? (sortBy === 'title' ? 'asc' : 'desc');
        const list = `${owner()} v1 nodes ${JSON.stringify([words, sortBy, direction])}`;
        const isPaged = limit !== undefined || nextToken !== undefined;
        const page = isPaged
          ? {
              limit: limit ?? PAGE,
              after: nextToken === undefined ? undefined : cursors.open(list, nextToken),
            }
          : undefined;
        const query = { search: words, sortBy, descending: direction === 'desc' };
        const { items, total, next } = await browse.browse(owner(), query, page);
        return {
          nodes: items.map(presentNode),
          total,
          hasMore: next !== undefined,
          ...(next !== undefined && { nextToken: cursors.seal(list, next) }),
        };
      },
    );

    app.post(
      '/nodes',
      {
        config: { successor: 'POST /nodes' },
        schema: {
          operationId: 'createNode',
          summary: 'Create a note',
          description: 'Stores a note and connects it to those that it has something in common with.',
          tags: ['nodes'],
          body: api.NodeInput,
          sends: ['location'],
          response: { 201: api.Node, ...failing(400) },
        },
      },
      async (request, reply) => {
        const { content, title, tags } = request.body;
        const { node } = await nodes.create(owner(), { content, title, tags });
        reply.header('location', `/api/v1/nodes/${node.id}`);
        return reply.code(201).send(presentNode(node));
      },
    );

    app.get(
      '/nodes/:id',
      {
        config: { successor: 'GET /nodes/:id' },
        schema: {
          operationId: 'getNode',
          summary: 'Read a note',
          description: 'The note, and the ids of those that it is connected to.',
          tags: ['nodes'],
          params: api.NodeParams,
          response: { 200: api.ConnectedNode, ...failing(404) },
        },
      },
      async (request) => {
        const id = idOf(request, nodeId);
        const node = await nodes.get(owner(), id);
        const edges = await nodes.edges(owner(), id);
        return { ...presentNode(node), edges: [...new Set(edges.map((edge) => otherEnd(edge, id)))] };
      },
    );

    app.put(
      '/nodes/:id',
      {
        config: { successor: 'PATCH /nodes/:id' },
        schema: {
          operationId: 'replaceNode',
          summary: 'Change a note',
          description:
            'Gives the note this content, and this title and these tags where they are sent. Its connections are computed anew.',
          tags: ['nodes'],
          params: api.NodeParams,
          body: api.NodeReplacement,
          response: { 200: api.NodeReplaced, ...failing(400, 404, 409) },
        },
      },
      async (request) => {
        const { content, title, tags, version } = request.body;
        const expected = version === undefined ? undefined : domainVersion(version);
        const input = { content, title, tags };
        const { node } = await nodes
          .patch(owner(), idOf(request, nodeId), { input }, expected)
          .catch((error: unknown) => {
            throw inWireVersions(error);
          });
        return { message: 'The note was changed', nodeId: node.id, version: wireVersion(node.version) };
      },
    );

    app.delete(
      '/nodes/:id',
      {
        config: { successor: 'DELETE /nodes/:id' },
        schema: {
          operationId: 'deleteNode',
          summary: 'Delete a note',
          description: 'Deletes the note and its connections.',
          tags: ['nodes'],
          params: api.NodeParams,
        },
      },
      async (request, reply) => {
        await nodes.delete(owner(), idOf(request, nodeId));
        return reply.code(204).send();
      },
    );

    app.post(
      '/nodes/bulk-delete',
      {
        config: { successor: 'POST /nodes/bulk/delete' },
        schema: {
          operationId: 'deleteNodes',
          summary: 'Delete many notes',
          description:
            'Deletes each note that exists; those that do not are told, and do not stop the others.',
          tags: ['nodes'],
          body: api.BulkDelete,
          response: { 200: api.BulkDeleted, ...failing(400) },
        },
      },
      async (request) => {
        const ids = [...new Set(request.body.nodeIds)];
        const failedNodeIds = await deleteThoseThere(ids);
        const deletedCount = ids.length - failedNodeIds.length;
        return {
          deletedCount,
          failedNodeIds: [...failedNodeIds],
          message: `${deletedCount} of ${ids.length} notes were deleted`,
        };
      },
    );

    /** Gives those that are not there. */
    async function deleteThoseThere(ids: readonly string[]): Promise<readonly string[]> {
      const known = ids.filter(isUuid);
      const items = known.map((id) => ({ item: { id: nodeId(id) } }));
      const { outcomes } = await bulk.delete(owner(), 'partial', items);
      const failed = outcomes.map((outcome) => ('error' in outcome ? outcome.error : undefined));
      const trouble = failed.find((error) => error && error.code !== 'not_found');
      if (trouble) throw trouble;
      return ids.filter((id) => !isUuid(id) || failed[known.indexOf(id)] !== undefined);
    }
  };

/** A version conflict told in the numbers of this API. */
function inWireVersions(error: unknown): unknown {
  if (!isBrainError(error, 'stale')) return error;
  const current = wireVersion(Number(error.details['currentVersion']));
  return new BrainError('conflict', `the note is at version ${current}; read it again`, { cause: error });
}
