import type { FastifyPluginAsyncTypebox as Routes } from '@fastify/type-provider-typebox';
import * as api from '../../api/v1.ts';
import { instant } from '../../domain/values.ts';
import { owner } from '../owner.ts';
import { failing } from './failing.ts';
import type { V1Needs } from './needs.ts';
import { presentInsights, presentSuggestion } from './present.ts';

/** What is computed from the notes for their categories. */
export const categoryInsightRoutes =
  ({ services }: V1Needs): Routes =>
  async (app) => {
    const { suggestions, rebuild, insights } = services;

    app.post(
      '/categories/suggest',
      {
        // A POST for the length of its text: nothing is stored.
        config: { successor: null, access: 'read' },
        schema: {
          operationId: 'suggestCategories',
          summary: 'Suggest categories for a text',
          description:
            'Those of the notes that the text is related to; where these are in none, names of categories to make. Stores nothing.',
          tags: ['categories'],
          body: api.SuggestionInput,
          response: { 200: api.Suggestions, ...failing(400) },
        },
      },
      async (request) => {
        const found = await suggestions.suggest(owner(), request.body.content);
        return { suggestions: found.map(presentSuggestion) };
      },
    );

    app.post(
      '/categories/rebuild',
      {
        config: { successor: null },
        schema: {
          operationId: 'rebuildCategories',
          summary: 'Bring order into the categories',
          description:
            'Merges siblings of one title, puts a category below another that has all of its notes and more, and categorises by rule the notes that nobody categorised.',
          tags: ['categories'],
          response: { 200: api.Rebuilt },
        },
      },
      async () => {
        const { processed, merged, nested, recategorized } = await rebuild.rebuild(owner());
        return {
          message: `Of ${processed} categories ${merged} were merged and ${nested} put below another; ${recategorized} notes were categorised anew`,
          categoriesProcessed: processed,
          hierarchiesCreated: nested,
          categoriesMerged: merged,
        };
      },
    );

    app.get(
      '/categories/insights',
      {
        config: { successor: null },
        schema: {
          operationId: 'getCategoryInsights',
          summary: 'Read what the categories tell',
          description:
            'Which are active and which grow, which notes of different categories belong together, and where something is missing.',
          tags: ['categories'],
          response: { 200: api.Insights },
        },
      },
      async () => presentInsights(await insights.insights(owner(), instant(Date.now()))),
    );
  };
