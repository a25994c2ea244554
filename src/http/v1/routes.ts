import type { FastifyPluginAsyncTypebox as Routes } from '@fastify/type-provider-typebox';
import { categoryRoutes } from './categories.ts';
import { categoryInsightRoutes } from './category-insights.ts';
import { categoryNodeRoutes } from './category-nodes.ts';
import { graphDataRoutes } from './graph-data.ts';
import type { V1Needs } from './needs.ts';
import { nodeRoutes } from './nodes.ts';

/** All of /api/v1. */
export const v1Routes =
  (needs: V1Needs): Routes =>
  async (app) => {
    for (const routes of [
      nodeRoutes,
      categoryRoutes,
      categoryNodeRoutes,
      categoryInsightRoutes,
      graphDataRoutes,
    ]) {
      await app.register(routes(needs));
    }
  };
