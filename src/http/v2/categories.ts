import type { FastifyPluginAsyncTypebox as Routes } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import * as api from '../../api/v2.ts';
import { isBrainError, within } from '../../domain/error.ts';
import { categoryId, nodeId, type CategoryId, type NodeId } from '../../domain/values.ts';
import type { PlacedCategory } from '../../services/categories.ts';
import type { Keep } from '../../services/receipts.ts';
import type { Answer } from '../idempotency.ts';
import type { V2Needs } from './needs.ts';
import { presentCategory, presentNode, presentPage } from './present.ts';
import {
  afterwards,
  etag,
  idOf,
  isKnown,
  made,
  notModified,
  owner,
  paging,
  requiredVersion,
} from './request.ts';

const Removal = Type.Pick(api.Assignment, ['nodeIds'], { additionalProperties: false });

export const categoryRoutes =
  ({ services, cursors, once }: V2Needs): Routes =>
  async (app) => {
    const { categories } = services;

    app.post(
      '/categories',
      {
        schema: {
          operationId: 'createCategory',
          summary: 'Create a category',
          description: 'At the top, or below another; the tree has three levels.',
          tags: ['categories'],
          sends: ['etag', 'location'],
          fails: ['conflict'],
          body: api.CategoryInput,
          takes: ['idempotency-key'],
          response: { 201: api.Category },
        },
      },
      (request, reply) => {
        const input = { ...request.body, parentId: parentOf(request.body.parentId) };
        return once(
          { request, reply },
          (keep: Keep<PlacedCategory> | undefined) => categories.create(owner(), input, keep),
          (created) => ({
            status: 201,
            headers: made(`/api/v2/categories/${created.category.id}`, categoryTag(created)),
            body: presentCategory(created),
          }),
        );
      },
    );

    app.get(
      '/categories',
      {
        schema: {
          operationId: 'listCategories',
          summary: 'List categories',
          description:
            'The tree by pages, each category with its level and its parent: parents before what is below them, siblings by title.',
          tags: ['categories'],
          sends: ['link'],
          querystring: api.PageQuery,
          response: { 200: api.CategoryPage },
        },
      },
      async (request, reply) => {
        const { page, seal } = paging(request, reply, cursors, 'categories');
        return presentPage(seal(await categories.page(owner(), page)), presentCategory);
      },
    );

    app.get(
      '/categories/:id',
      {
        schema: {
          operationId: 'getCategory',
          summary: 'Read a category',
          description:
            'The category with the count of its notes. Its ETag is what a change of it names in If-Match.',
          tags: ['categories'],
          takes: ['if-none-match'],
          sends: ['etag'],
          response: { 200: api.Category },
        },
      },
      async (request, reply) => {
        const found = await categories.get(owner(), idOf(request, categoryId));
        etag(reply, categoryTag(found));
        if (isKnown(request, categoryTag(found))) return notModified(reply);
        return presentCategory(found);
      },
    );

    app.patch(
      '/categories/:id',
      {
        schema: {
          operationId: 'updateCategory',
          summary: 'Change a category',
          description: 'A JSON merge patch (RFC 7396): absent fields stay, null empties a color or an icon.',
          tags: ['categories'],
          takes: ['if-match'],
          sends: ['etag'],
          fails: ['conflict'],
          body: api.CategoryPatch,
          response: { 200: api.Category },
        },
      },
      async (request, reply) => {
        const version = requiredVersion(request);
        const updated = await categories.update(owner(), idOf(request, categoryId), request.body, version);
        etag(reply, categoryTag(updated));
        return presentCategory(updated);
      },
    );

    app.post(
      '/categories/:id/move',
      {
        schema: {
          operationId: 'moveCategory',
          summary: 'Move a category',
          description:
            'Puts the category, with all below it, under another or to the top. It cannot go below itself or deeper than three levels.',
          tags: ['categories'],
          takes: ['if-match', 'idempotency-key'],
          sends: ['etag'],
          fails: ['conflict'],
          body: api.CategoryMove,
          response: { 200: api.Category },
        },
      },
      (request, reply) => {
        const id = idOf(request, categoryId);
        const parentId = parentOf(request.body.parentId) ?? null;
        const version = requiredVersion(request);
        return once(
          { request, reply },
          (keep: Keep<PlacedCategory> | undefined) => categories.move(owner(), id, parentId, version, keep),
          (moved) => ({
            status: 200,
            headers: { etag: `"${categoryTag(moved)}"` },
            body: presentCategory(moved),
          }),
        );
      },
    );

    app.delete(
      '/categories/:id',
      {
        schema: {
          operationId: 'deleteCategory',
          summary: 'Delete a category',
          description: 'Deletes a category that has none below it. Its notes stay.',
          tags: ['categories'],
          takes: ['if-match'],
          fails: ['conflict'],
        },
      },
      async (request, reply) => {
        await categories.delete(owner(), idOf(request, categoryId), requiredVersion(request));
        return reply.code(204).send();
      },
    );

    app.get(
      '/categories/:id/nodes',
      {
        schema: {
          operationId: 'listCategoryNodes',
          summary: 'List the notes of a category',
          description: 'By pages.',
          tags: ['categories'],
          sends: ['link'],
          querystring: api.PageQuery,
          response: { 200: api.NodePage },
        },
      },
      async (request, reply) => {
        const id = idOf(request, categoryId);
        const { page, seal } = paging(request, reply, cursors, `category ${id}`);
        return presentPage(seal(await categories.nodes(owner(), id, page)), presentNode);
      },
    );

    app.post(
      '/categories/:id/nodes',
      {
        schema: {
          operationId: 'assignNodes',
          summary: 'Put notes into a category',
          description:
            'Assigns each note that exists; those that do not are told, and do not stop the others.',
          tags: ['categories'],
          fails: ['conflict'],
          body: api.Assignment,
          takes: ['idempotency-key'],
          response: { 200: api.AssignmentResult },
        },
      },
      (request, reply) => {
        const id = idOf(request, categoryId);
        const { nodeIds, confidence } = request.body;
        const assign = async () => {
          await categories.get(owner(), id);
          return eachNode(nodeIds, (one) => categories.assign(owner(), id, one, { confidence }));
        };
        return once({ request, reply }, afterwards(services.receipts, assign), asBody);
      },
    );

    app.post(
      '/categories/:id/nodes/remove',
      {
        schema: {
          operationId: 'removeNodes',
          summary: 'Take notes out of a category',
          description:
            'Removes each note that exists; those that do not are told, and do not stop the others.',
          tags: ['categories'],
          body: Removal,
          takes: ['idempotency-key'],
          response: { 200: api.AssignmentResult },
        },
      },
      (request, reply) => {
        const id = idOf(request, categoryId);
        const remove = async () => {
          await categories.get(owner(), id);
          return eachNode(request.body.nodeIds, (one) => categories.remove(owner(), id, one));
        };
        return once({ request, reply }, afterwards(services.receipts, remove), asBody);
      },
    );

    app.delete(
      '/categories/:id/nodes/:nodeId',
      {
        schema: {
          operationId: 'removeNode',
          summary: 'Take one note out of a category',
          description: 'The note stays.',
          tags: ['categories'],
        },
      },
      async (request, reply) => {
        await categories.remove(owner(), idOf(request, categoryId), idOf(request, nodeId, 'nodeId'));
        return reply.code(204).send();
      },
    );
  };

/** Does it to each note; those that are not there are told, and do not stop the others. */
async function eachNode(ids: readonly string[], act: (id: NodeId) => Promise<unknown>) {
  const notFound: string[] = [];
  const notes = new Map(ids.map((id) => [nodeId(id), id])); // one note in two spellings is one
  await Promise.all(
    [...notes].map(async ([note, id]) => {
      try {
        await act(note);
      } catch (error) {
        if (!isBrainError(error, 'not_found')) throw error;
        notFound.push(id);
      }
    }),
  );
  return { changed: notes.size - notFound.length, notFound };
}

const asBody = <B>(body: B): Answer<B> => ({ status: 200, body });

/** Its place in the tree and its notes are part of what is shown, and change without a new version of it. */
function categoryTag({ category, level, noteCount }: PlacedCategory): string {
  return `${category.version}-${level}-${noteCount}`;
}

function parentOf(id: string | null | undefined): CategoryId | null | undefined {
  return id == null ? id : within('/parentId', () => categoryId(id));
}
