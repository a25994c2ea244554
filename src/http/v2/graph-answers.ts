import type { FastifyPluginAsyncTypebox as Routes } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import * as api from '../../api/v2.ts';
import { described, Uuid } from '../../api/common.ts';
import { within } from '../../domain/error.ts';
import { nodeId } from '../../domain/values.ts';
import { signalOf } from '../timeouts.ts';
import type { V2Needs } from './needs.ts';
import { presentEdge, presentSummary } from './present.ts';
import { etag, isKnown, notModified, owner } from './request.ts';

const MAX_LENGTH = 10;

const PathQuery = Type.Object(
  {
    from: described(Uuid, 'the note at one end'),
    to: described(Uuid, 'the note at the other'),
    minWeight: Type.Optional(
      Type.Number({ minimum: 0, maximum: 1, default: 0, description: 'along edges of at least this weight' }),
    ),
    maxLength: Type.Optional(
      Type.Integer({ minimum: 1, maximum: MAX_LENGTH, default: 6, description: 'edges, at most' }),
    ),
  },
  { additionalProperties: false },
);

/** What is asked of the graph as a whole. */
export const graphAnswerRoutes =
  ({ services }: V2Needs): Routes =>
  async (app) => {
    const { graph } = services;

    app.get(
      '/graph/path',
      {
        schema: {
          operationId: 'findPath',
          summary: 'Find the way between two notes',
          description:
            'The shortest way along edges in force, in either direction and through no archived note; the strongest one where there are several.',
          tags: ['graph'],
          fails: ['not_found'],
          querystring: PathQuery,
          response: { 200: api.Path },
        },
      },
      async (request) => {
        const { from, to, minWeight = 0, maxLength = 6 } = request.query;
        const found = await graph.path(owner(), {
          from: within('/from', () => nodeId(from)),
          to: within('/to', () => nodeId(to)),
          minWeight,
          maxLength,
          signal: signalOf(request),
        });
        if (!found) return { length: null, nodes: [], edges: [] };
        const { nodes, edges } = found;
        return { length: edges.length, nodes: nodes.map(presentSummary), edges: edges.map(presentEdge) };
      },
    );

    app.get(
      '/graph/stats',
      {
        schema: {
          operationId: 'getGraphStats',
          summary: 'Count the graph',
          description:
            'How much there is of what, how notes hang together, and which are the best connected, as of one position in the log.',
          tags: ['graph'],
          takes: ['if-none-match'],
          sends: ['etag'],
          response: { 200: api.Stats },
        },
      },
      async (request, reply) => {
        const { position } = await graph.counts(owner());
        etag(reply, `${position.epoch}-${position.seq}`);
        if (isKnown(request, `${position.epoch}-${position.seq}`)) return notModified(reply);
        const { position: at, hubs, ...stats } = await graph.stats(owner());
        etag(reply, `${at.epoch}-${at.seq}`);
        return { ...at, ...stats, hubs: [...hubs] };
      },
    );
  };
