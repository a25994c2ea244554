import type { FastifyPluginAsyncTypebox as Routes } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import * as api from '../../api/v2.ts';
import { described, paged, Uuid } from '../../api/common.ts';
import { categoryId, tag as tagOf, type Position } from '../../domain/values.ts';
import type { Graph } from '../../services/graph.ts';
import { inPieces, sendJson, sendLines } from '../streamed.ts';
import type { V2Needs } from './needs.ts';
import { presentChanges, presentEdge, presentPage, presentSummary } from './present.ts';
import { etag, isKnown, notModified, owner, paging, parsed } from './request.ts';

const SearchQuery = Type.Object(
  {
    q: Type.String({ minLength: 1, maxLength: 1000, description: 'words, or how they begin' }),
    limit: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 100, default: 20, description: 'hits of a page, at most' }),
    ),
    cursor: paged.cursor,
    tag: Type.Optional(Type.String({ minLength: 1, maxLength: 100, description: 'among notes of this tag' })),
    category: Type.Optional(described(Uuid, 'among notes of this category')),
  },
  { additionalProperties: false },
);

const ChangesQuery = Type.Object(
  {
    after: Type.Optional(
      Type.Integer({ minimum: 0, default: 0, description: 'the seq of the last event known' }),
    ),
    epoch: Type.Optional(Type.String({ maxLength: 64, description: 'the log that `after` is of' })),
    limit: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 1000, default: 200, description: 'events, at most' }),
    ),
  },
  { additionalProperties: false },
);

/** What is read across notes: the graph, search and the log. */
export const graphRoutes =
  ({ services, cursors }: V2Needs): Routes =>
  async (app) => {
    const { graph, search } = services;

    app.get(
      '/graph',
      {
        schema: {
          operationId: 'getGraph',
          summary: 'Read the whole graph',
          description:
            'Every note without its content, and every edge, of one read, with the position in the log to go on from. As NDJSON where `Accept` asks for application/x-ndjson: the position, then a line for each.',
          tags: ['graph'],
          takes: ['if-none-match'],
          sends: ['etag'],
          response: { 200: api.Graph },
          lines: { answer: api.GraphLine },
        },
      },
      async (request, reply) => {
        const asLines = request.headers.accept?.includes('application/x-ndjson') === true;
        // Strong tags differ between representations (RFC 9110, 8.8.3).
        const versionOf = ({ epoch, seq }: Position) => `${epoch}-${seq}${asLines ? '-lines' : ''}`;
        const { position } = await graph.counts(owner());
        etag(reply, versionOf(position));
        if (isKnown(request, versionOf(position))) return notModified(reply);
        const whole = await graph.whole(owner());
        etag(reply, versionOf(whole.position));
        const answer = asLines
          ? sendLines(request, reply, inPieces(graphLines(whole)))
          : sendJson(request, reply, {
              ...whole.position,
              nodes: whole.nodes.values().map(presentSummary),
              edges: whole.edges.values().map(presentEdge),
            });
        return answer as never;
      },
    );

    app.get(
      '/search',
      {
        schema: {
          operationId: 'search',
          summary: 'Search',
          description:
            'Ranked full text over the index that links notes, with snippets, prefixes and small typos.',
          tags: ['search'],
          sends: ['link'],
          querystring: SearchQuery,
          response: { 200: api.SearchPage },
        },
      },
      async (request, reply) => {
        const { q, tag, category } = request.query;
        const { page, seal } = paging(request, reply, cursors, 'search');
        const limit = request.query.limit ?? 20;
        const found = await search.search(owner(), {
          q,
          limit,
          after: page.after,
          tag: parsed('tag', tag, tagOf),
          category: parsed('category', category, categoryId),
        });
        return presentPage(seal(found), ({ node, score, snippet }) => ({
          node: presentSummary(node),
          score,
          snippet: { text: snippet.text, highlights: snippet.highlights.map(([start, end]) => [start, end]) },
        }));
      },
    );

    app.get(
      '/changes',
      {
        schema: {
          operationId: 'listChanges',
          summary: 'Follow the changes',
          description: 'Every event after a position, in the order of the commits and without a gap.',
          tags: ['changes'],
          fails: ['position_gone'],
          querystring: ChangesQuery,
          response: { 200: api.Changes },
        },
      },
      async (request) => {
        const { after = 0, epoch, limit = 200 } = request.query;
        return presentChanges(await graph.changes(owner(), { epoch, seq: after }, limit));
      },
    );
  };

/** The position first, then a line for each note and each edge, each under its name. */
function* graphLines({ position, nodes, edges }: Graph): Generator<string> {
  yield `${JSON.stringify({ position })}\n`;
  for (const node of nodes) yield `${JSON.stringify({ node: presentSummary(node) })}\n`;
  for (const edge of edges) yield `${JSON.stringify({ edge: presentEdge(edge) })}\n`;
}
