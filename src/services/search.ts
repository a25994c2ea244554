import type { Node } from '../domain/node.ts';
import { tagKey, type CategoryId, type NodeId, type OwnerId, type Tag } from '../domain/values.ts';
import { WordCutter } from '../linking/words.ts';
import type { Store } from '../storage/store.ts';
import type { OwnerIndexes } from './owner-indexes.ts';
import type { ListPage } from './pages.ts';
import { snippetOf, type Snippet } from './snippet.ts';

export interface SearchQuery {
  readonly q: string;
  readonly limit: number;
  /** `next` of the page before. */
  readonly after?: string | undefined;
  readonly tag?: Tag | undefined;
  readonly category?: CategoryId | undefined;
}

export interface FoundNode {
  readonly node: Node;
  readonly score: number;
  readonly snippet: Snippet;
}

/** The ranking is cut here: nobody pages further, and each page costs the same. */
const SEARCH_DEPTH = 1_000;
const NODES_PAGE = 100;
/** Held to mark snippets, which look up few: 1 MB. */
const SNIPPET_WORDS = 10_000;

export type SearchService = ReturnType<typeof searchService>;

export function searchService(needs: { readonly store: Store; readonly indexes: OwnerIndexes }) {
  const { store, indexes } = needs;
  let words: WordCutter | undefined; // made with the first search: it takes 6 ms
  return {
    /** Ranked full-text search over notes that are not archived, over the index that also links. */
    async search(owner: OwnerId, query: SearchQuery): Promise<ListPage<FoundNode>> {
      const isFirst = query.after === undefined;
      const filtered = query.tag !== undefined || query.category !== undefined;
      const index = await indexes.ready(owner);
      const hits = await index.search(query.q, {
        limit: filtered || !isFirst ? SEARCH_DEPTH : query.limit + 1,
      });
      const ranking = hits.map(({ id }) => id);
      const from = store.read(owner);
      const keep = keeps(query);
      const cutter = (words ??= new WordCutter({ mostWords: SNIPPET_WORDS }));
      const items: FoundNode[] = [];
      let last = 0;
      // Read a page of notes at a time: with a filter most may be dropped.
      for (let start = startIn(ranking, query.after); start < hits.length; start += NODES_PAGE) {
        const page = hits.slice(start, start + NODES_PAGE);
        const nodes = new Map(
          (await from.nodes.batchGet(page.map((h) => h.id as NodeId))).map((n) => [n.id as string, n]),
        );
        for (const [at, hit] of page.entries()) {
          const node = nodes.get(hit.id);
          if (!node || !keep(node)) continue;
          if (items.length === query.limit) return { items, next: endIn(ranking, last) };
          last = start + at;
          items.push({ node, score: hit.score, snippet: snippetOf(node.content, hit.keys, cutter) });
        }
      }
      return { items };
    },
  };
}

/** How a page that ends at `last` of a ranking is gone on from. */
export const endIn = (ranking: readonly string[], last: number): string => `${last} ${ranking[last]}`;

/**
 * Where the next page starts: after the note that was the last, wherever that stands by now, so that better ones which
 * came since shift nothing; where it is gone, at its place, which those behind it have moved up to.
 */
export function startIn(ranking: readonly string[], after: string | undefined): number {
  if (after === undefined) return 0;
  const [place, id = ''] = after.split(' ');
  const at = ranking.indexOf(id);
  return at < 0 ? Number(place) : at + 1;
}

function keeps({ tag, category }: SearchQuery): (node: Node) => boolean {
  const key = tag === undefined ? undefined : tagKey(tag);
  return (node) =>
    (key === undefined || node.tags.some((own) => tagKey(own) === key)) &&
    (category === undefined || node.categories.some((c) => c.categoryId === category));
}
