import type { FastifyPluginAsyncTypebox as Routes } from '@fastify/type-provider-typebox';
import * as api from '../../api/v1.ts';
import { owner } from '../owner.ts';
import { sendJson } from '../streamed.ts';
import type { V1Needs } from './needs.ts';
import { presentGraph } from './present.ts';

export const graphDataRoutes =
  ({ services }: V1Needs): Routes =>
  async (app) => {
    app.get(
      '/graph-data',
      {
        config: { successor: 'GET /graph' },
        schema: {
          operationId: 'getGraphData',
          summary: 'Read the graph',
          description: 'Every note and every connection, as elements for a drawing.',
          tags: ['graph'],
          response: { 200: api.GraphData },
        },
      },
      async (request, reply) => {
        const elements = presentGraph(await services.graph.whole(owner()));
        return sendJson(request, reply, { elements }) as never;
      },
    );
  };
