import type { FastifyPluginAsyncTypebox as Routes } from '@fastify/type-provider-typebox';
import { categoryRoutes } from './categories.ts';
import { edgeRoutes } from './edges.ts';
import { graphRoutes } from './graph.ts';
import { importRoutes } from './imports.ts';
import type { V2Needs } from './needs.ts';
import { nodeRoutes } from './nodes.ts';

/** All of /api/v2. */
export const v2Routes =
  (needs: V2Needs): Routes =>
  async (app) => {
    app.addHook('onSend', async (_request, reply) => void reply.header('api-version', '2'));
    for (const routes of [nodeRoutes, edgeRoutes, categoryRoutes, graphRoutes, importRoutes]) {
      await app.register(routes(needs));
    }
  };
