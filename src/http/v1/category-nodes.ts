import type { FastifyPluginAsyncTypebox as Routes } from '@fastify/type-provider-typebox';
import * as api from '../../api/v1.ts';
import { within } from '../../domain/error.ts';
import type { Node } from '../../domain/node.ts';
import { categoryId, nodeId } from '../../domain/values.ts';
import { owner } from '../owner.ts';
import { idOf } from '../path-id.ts';
import { failing } from './failing.ts';
import type { V1Needs } from './needs.ts';
import { presentAssigned, presentNode } from './present.ts';

const NODES_AT_ONCE = 500;

/** Which notes are in a category, and in which categories a note is. */
export const categoryNodeRoutes =
  ({ services }: V1Needs): Routes =>
  async (app) => {
    const { categories, nodes, suggestions } = services;

    app.get(
      '/categories/:id/nodes',
      {
        config: { successor: 'GET /categories/:id/nodes' },
        schema: {
          operationId: 'listCategoryNodes',
          summary: 'List the notes of a category',
          description: 'All of them.',
          tags: ['categories'],
          params: api.CategoryParams,
          response: { 200: api.CategoryNodes, ...failing(404) },
        },
      },
      async (request) => {
        const id = idOf(request, categoryId);
        const found: Node[] = [];
        let after: string | undefined;
        do {
          const page = await categories.nodes(owner(), id, { limit: NODES_AT_ONCE, after });
          found.push(...page.items);
          after = page.next;
        } while (after !== undefined);
        return { memories: found.map(presentNode) };
      },
    );

    app.post(
      '/categories/:id/nodes',
      {
        config: { successor: 'POST /categories/:id/nodes' },
        schema: {
          operationId: 'assignNode',
          summary: 'Put a note into a category',
          description: 'Doing it again changes nothing.',
          tags: ['categories'],
          params: api.CategoryParams,
          body: api.CategoryNode,
          response: { 200: api.Done, ...failing(400, 404, 409) },
        },
      },
      async (request) => {
        const node = within('/nodeId', () => nodeId(request.body.nodeId));
        await categories.assign(owner(), idOf(request, categoryId), node);
        return { message: 'The note is in the category' };
      },
    );

    app.delete(
      '/categories/:id/nodes/:nodeId',
      {
        config: { successor: 'DELETE /categories/:id/nodes/:nodeId' },
        schema: {
          operationId: 'removeNode',
          summary: 'Take a note out of a category',
          description: 'The note stays.',
          tags: ['categories'],
          params: api.CategoryNodeParams,
        },
      },
      async (request, reply) => {
        await categories.remove(owner(), idOf(request, categoryId), idOf(request, nodeId, 'nodeId'));
        return reply.code(204).send();
      },
    );

    app.get(
      '/nodes/:id/categories',
      {
        config: { successor: 'GET /nodes/:id' },
        schema: {
          operationId: 'listNodeCategories',
          summary: 'List the categories of a note',
          description: 'Each with how sure that is, and who says so.',
          tags: ['categories'],
          params: api.NodeParams,
          response: { 200: api.NodeCategories, ...failing(404) },
        },
      },
      async (request) => {
        const node = await nodes.get(owner(), idOf(request, nodeId));
        return { categories: presentAssigned(node, await categories.list(owner())) };
      },
    );

    app.post(
      '/nodes/:id/categories',
      {
        config: { successor: null },
        schema: {
          operationId: 'categorizeNode',
          summary: 'Categorise a note by rule',
          description:
            'By the categories that its tags name and those of the notes that it is related to. What people decided stays.',
          tags: ['categories'],
          params: api.NodeParams,
          response: { 200: api.NodeCategorized, ...failing(404) },
        },
      },
      async (request) => {
        const node = await suggestions.categorize(owner(), idOf(request, nodeId));
        const assigned = presentAssigned(node, await categories.list(owner()));
        const many = assigned.length === 1 ? '1 category' : `${assigned.length} categories`;
        return { message: `The note is in ${many}`, categories: assigned };
      },
    );
  };
