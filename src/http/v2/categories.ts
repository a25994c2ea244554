import type { FastifyPluginAsyncTypebox as Routes } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import * as api from '../../api/v2.ts';
import { pageOf } from '../../api/common.ts';
import { isBrainError, within } from '../../domain/error.ts';
import { categoryId, nodeId, type CategoryId, type NodeId } from '../../domain/values.ts';
import type { V2Needs } from './needs.ts';
import { presentCategory, presentNode, presentPage } from './present.ts';
import { etag, idOf, owner, paging, requiredVersion } from './request.ts';

const PageQuery = Type.Object(
  {
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50 })),
    cursor: Type.Optional(Type.String({ maxLength: 2000 })),
  },
  { additionalProperties: false },
);

const Removal = Type.Pick(api.Assignment, ['nodeIds'], { additionalProperties: false });

export const categoryRoutes =
  ({ services, cursors }: V2Needs): Routes =>
  async (app) => {
    const { categories } = services;

    app.post(
      '/categories',
      { schema: { body: api.CategoryInput, response: { 201: api.Category } } },
      async (request, reply) => {
        const created = await categories.create(owner(), {
          ...request.body,
          parentId: parentOf(request.body.parentId),
        });
        etag(reply, created.category.version);
        reply.header('location', `/api/v2/categories/${created.category.id}`);
        return reply.code(201).send(presentCategory(created));
      },
    );

    app.get(
      '/categories',
      { schema: { response: { 200: Type.Object({ items: Type.Array(api.Category) }) } } },
      async () => ({ items: (await categories.list(owner())).map(presentCategory) }),
    );

    app.get('/categories/:id', { schema: { response: { 200: api.Category } } }, async (request, reply) => {
      const found = await categories.get(owner(), idOf(request, categoryId));
      // No 304 here: the count of notes is part of the answer, and changes without a new version of the category.
      etag(reply, found.category.version);
      return presentCategory(found);
    });

    app.patch(
      '/categories/:id',
      { schema: { body: api.CategoryPatch, response: { 200: api.Category } } },
      async (request, reply) => {
        const version = requiredVersion(request);
        const updated = await categories.update(owner(), idOf(request, categoryId), request.body, version);
        etag(reply, updated.category.version);
        return presentCategory(updated);
      },
    );

    app.post(
      '/categories/:id/move',
      { schema: { body: api.CategoryMove, response: { 200: api.Category } } },
      async (request, reply) => {
        const id = idOf(request, categoryId);
        const moved = await categories.move(
          owner(),
          id,
          parentOf(request.body.parentId) ?? null,
          requiredVersion(request),
        );
        etag(reply, moved.category.version);
        return presentCategory(moved);
      },
    );

    app.delete('/categories/:id', async (request, reply) => {
      await categories.delete(owner(), idOf(request, categoryId), requiredVersion(request));
      return reply.code(204).send();
    });

    app.get(
      '/categories/:id/nodes',
      { schema: { querystring: PageQuery, response: { 200: pageOf(api.Node) } } },
      async (request, reply) => {
        const id = idOf(request, categoryId);
        const { page, seal } = paging(request, reply, cursors, `category ${id}`);
        return presentPage(seal(await categories.nodes(owner(), id, page)), presentNode);
      },
    );

    app.post(
      '/categories/:id/nodes',
      { schema: { body: api.Assignment, response: { 200: api.AssignmentResult } } },
      async (request) => {
        const id = idOf(request, categoryId);
        const { nodeIds, confidence } = request.body;
        await categories.get(owner(), id);
        return eachNode(nodeIds, (one) => categories.assign(owner(), id, one, { confidence }));
      },
    );

    app.post(
      '/categories/:id/nodes/remove',
      { schema: { body: Removal, response: { 200: api.AssignmentResult } } },
      async (request) => {
        const id = idOf(request, categoryId);
        await categories.get(owner(), id);
        return eachNode(request.body.nodeIds, (one) => categories.remove(owner(), id, one));
      },
    );

    app.delete('/categories/:id/nodes/:nodeId', async (request, reply) => {
      await categories.remove(owner(), idOf(request, categoryId), idOf(request, nodeId, 'nodeId'));
      return reply.code(204).send();
    });
  };

/** Does it to each note; those that are not there are told, and do not stop the others. */
async function eachNode(ids: readonly string[], act: (id: NodeId) => Promise<unknown>) {
  const notFound: string[] = [];
  await Promise.all(
    [...new Set(ids)].map(async (id, index) => {
      try {
        await act(within(`/nodeIds/${index}`, () => nodeId(id)));
      } catch (error) {
        if (!isBrainError(error, 'not_found')) throw error;
        notFound.push(id);
      }
    }),
  );
  return { changed: new Set(ids).size - notFound.length, notFound };
}

function parentOf(id: string | null | undefined): CategoryId | null | undefined {
  return id == null ? id : within('/parentId', () => categoryId(id));
}
