import type { FastifyPluginAsyncTypebox as Routes } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { bulkRoutes } from './bulk.ts';
import { categoryRoutes } from './categories.ts';
import { edgeRoutes } from './edges.ts';
import { graphAnswerRoutes } from './graph-answers.ts';
import { exportRoutes } from './exports.ts';
import { graphRoutes } from './graph.ts';
import { importRoutes } from './imports.ts';
import { linkerRoutes } from './linker.ts';
import { jobRoutes } from './jobs.ts';
import type { V2Needs } from './needs.ts';
import { nodeRoutes } from './nodes.ts';
import { tokenRoutes } from './tokens.ts';
import { usageRoutes } from './usage.ts';
import { realtimeRoutes } from './realtime.ts';

const NO_QUERY = Type.Object({}, { additionalProperties: false });

/** All of /api/v2. */
export const v2Routes =
  (needs: V2Needs): Routes =>
  async (app) => {
    // A parameter that a route does not know is an error, also where it knows none.
    app.addHook('onRoute', (route) => {
      route.schema = { querystring: NO_QUERY, ...route.schema };
    });
    for (const routes of [
      nodeRoutes,
      bulkRoutes,
      edgeRoutes,
      categoryRoutes,
      graphRoutes,
      graphAnswerRoutes,
      importRoutes,
      linkerRoutes,
      exportRoutes,
      jobRoutes,
      tokenRoutes,
      usageRoutes,
      realtimeRoutes,
    ]) {
      await app.register(routes(needs));
    }
  };
