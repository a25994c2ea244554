import type { FastifyPluginAsyncTypebox as Routes } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import * as api from '../../api/v2.ts';
import { pageOf } from '../../api/common.ts';
import { categoryId, tag as tagOf, type Position } from '../../domain/values.ts';
import type { Graph } from '../../services/graph.ts';
import { sendLines } from '../ndjson.ts';
import type { V2Needs } from './needs.ts';
import { presentChanges, presentEdge, presentPage, presentSummary } from './present.ts';
import { etag, isKnown, notModified, owner, paging, parsed } from './request.ts';

const SearchQuery = Type.Object(
  {
    q: Type.String({ minLength: 1, maxLength: 1000 }),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: 20 })),
    cursor: Type.Optional(Type.String({ maxLength: 2000 })),
    tag: Type.Optional(Type.String({ minLength: 1, maxLength: 100 })),
    category: Type.Optional(Type.String({ maxLength: 36 })),
  },
  { additionalProperties: false },
);

const ChangesQuery = Type.Object(
  {
    after: Type.Optional(
      Type.Integer({ minimum: 0, default: 0, description: 'the seq of the last event known' }),
    ),
    epoch: Type.Optional(Type.String({ maxLength: 64, description: 'the log that `after` is of' })),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 200 })),
  },
  { additionalProperties: false },
);

/** What is read across notes: the graph, search and the log. */
export const graphRoutes =
  ({ services, cursors }: V2Needs): Routes =>
  async (app) => {
    const { graph, search } = services;

    app.get('/graph', { schema: { response: { 200: api.Graph } } }, async (request, reply) => {
      const asLines = request.headers.accept?.includes('application/x-ndjson') === true;
      // Strong tags differ between representations (RFC 9110, 8.8.3).
      const versionOf = ({ epoch, seq }: Position) => `${epoch}-${seq}${asLines ? '-lines' : ''}`;
      const { position } = await graph.counts(owner());
      etag(reply, versionOf(position));
      if (isKnown(request, versionOf(position))) return notModified(reply);
      const whole = await graph.whole(owner());
      etag(reply, versionOf(whole.position));
      if (asLines) return sendLines(request, reply, graphLines(whole)) as never;
      return {
        ...whole.position,
        nodes: whole.nodes.map(presentSummary),
        edges: whole.edges.map(presentEdge),
      };
    });

    app.get(
      '/search',
      { schema: { querystring: SearchQuery, response: { 200: pageOf(api.SearchHit) } } },
      async (request, reply) => {
        const { q, tag, category } = request.query;
        const { page, seal } = paging(request, reply, cursors, 'search');
        const limit = request.query.limit ?? 20;
        const found = await search.search(owner(), {
          q,
          limit,
          offset: Number(page.after ?? 0),
          tag: parsed('tag', tag, tagOf),
          category: parsed('category', category, categoryId),
        });
        const sealed = seal({
          items: found.items,
          next: found.nextOffset === undefined ? undefined : String(found.nextOffset),
        });
        return presentPage(sealed, ({ node, score, snippet }) => ({
          node: presentSummary(node),
          score,
          snippet: { text: snippet.text, highlights: snippet.highlights.map(([start, end]) => [start, end]) },
        }));
      },
    );

    app.get(
      '/changes',
      { schema: { querystring: ChangesQuery, response: { 200: api.Changes } } },
      async (request) => {
        const { after = 0, epoch, limit = 200 } = request.query;
        return presentChanges(await graph.changes(owner(), { epoch, seq: after }, limit));
      },
    );
  };

const LINES_A_PIECE = 200;

/** The position first, then a line for each note and each edge, each under its name. */
function* graphLines(graph: Graph): Generator<string> {
  yield `${JSON.stringify({ position: graph.position })}\n`;
  let piece: string[] = [];
  for (const line of lines()) {
    piece.push(`${JSON.stringify(line)}\n`);
    if (piece.length < LINES_A_PIECE) continue;
    yield piece.join('');
    piece = [];
  }
  yield piece.join('');

  function* lines(): Generator<object> {
    for (const node of graph.nodes) yield { node: presentSummary(node) };
    for (const edge of graph.edges) yield { edge: presentEdge(edge) };
  }
}
