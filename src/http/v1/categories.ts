import type { FastifyPluginAsyncTypebox as Routes } from '@fastify/type-provider-typebox';
import * as api from '../../api/v1.ts';
import { categoryId } from '../../domain/values.ts';
import { owner } from '../owner.ts';
import { idOf } from '../path-id.ts';
import { failing } from './failing.ts';
import type { V1Needs } from './needs.ts';
import { presentCategory, presentHierarchy } from './present.ts';

export const categoryRoutes =
  ({ services }: V1Needs): Routes =>
  async (app) => {
    const { categories } = services;

    app.get(
      '/categories',
      {
        config: { successor: 'GET /categories' },
        schema: {
          operationId: 'listCategories',
          summary: 'List all categories',
          description: 'Parents before their children.',
          tags: ['categories'],
          response: { 200: api.CategoryList },
        },
      },
      async () => ({ categories: (await categories.list(owner())).map(presentCategory) }),
    );

    app.get(
      '/categories/hierarchy',
      {
        config: { successor: 'GET /categories' },
        schema: {
          operationId: 'getCategoryHierarchy',
          summary: 'Read the tree of categories',
          description: 'All categories, and by the id of each that has some the ids of its children.',
          tags: ['categories'],
          response: { 200: api.Hierarchy },
        },
      },
      async () => presentHierarchy(await categories.list(owner())),
    );

    app.post(
      '/categories',
      {
        config: { successor: 'POST /categories' },
        schema: {
          operationId: 'createCategory',
          summary: 'Create a category',
          description: 'At the top of the tree.',
          tags: ['categories'],
          body: api.CategoryInput,
          sends: ['location'],
          response: { 201: api.Category, ...failing(400) },
        },
      },
      async (request, reply) => {
        const { title, description } = request.body;
        const created = await categories.create(owner(), { title, description });
        reply.header('location', `/api/v1/categories/${created.category.id}`);
        return reply.code(201).send(presentCategory(created));
      },
    );

    app.get(
      '/categories/:id',
      {
        config: { successor: 'GET /categories/:id' },
        schema: {
          operationId: 'getCategory',
          summary: 'Read a category',
          description: 'The category, with the count of its notes.',
          tags: ['categories'],
          params: api.CategoryParams,
          response: { 200: api.Category, ...failing(404) },
        },
      },
      async (request) => presentCategory(await categories.get(owner(), idOf(request, categoryId))),
    );

    app.put(
      '/categories/:id',
      {
        config: { successor: 'PATCH /categories/:id' },
        schema: {
          operationId: 'replaceCategory',
          summary: 'Change a category',
          description: 'Gives it this title, and this description where it is sent.',
          tags: ['categories'],
          params: api.CategoryParams,
          body: api.CategoryInput,
          response: { 200: api.CategoryChanged, ...failing(400, 404) },
        },
      },
      async (request) => {
        const { title, description } = request.body;
        const id = idOf(request, categoryId);
        await categories.update(owner(), id, { title, description });
        return { message: 'The category was changed', categoryId: id };
      },
    );

    app.delete(
      '/categories/:id',
      {
        config: { successor: 'DELETE /categories/:id' },
        schema: {
          operationId: 'deleteCategory',
          summary: 'Delete a category',
          description: 'Deletes a category that has none below it. Its notes stay.',
          tags: ['categories'],
          fails: ['conflict'],
          params: api.CategoryParams,
        },
      },
      async (request, reply) => {
        await categories.delete(owner(), idOf(request, categoryId));
        return reply.code(204).send();
      },
    );
  };
