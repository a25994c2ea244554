import {
  fill,
  gapsOf,
  growthOf,
  mostActive,
  type Activity,
  type Gap,
  type Growth,
} from '../domain/category-insights.ts';
import type { Node } from '../domain/node.ts';
import type { CategoryId, Instant, NodeId, OwnerId } from '../domain/values.ts';
import type { Related } from '../linking/link-index.ts';
import { eachConcurrent } from '../shared/each-concurrent.ts';
import { ordered } from '../storage/keys.ts';
import type { Store } from '../storage/store.ts';
import { standingGraph } from './graph.ts';
import type { OwnerIndexes } from './owner-indexes.ts';

/** Two notes of different categories that have much in common and are not connected. */
export interface SuggestedConnection {
  readonly source: Node;
  readonly target: Node;
  readonly strength: number;
  readonly reasons: Related['reasons'];
}

export interface Insights {
  readonly active: readonly Activity[];
  readonly growth: readonly Growth[];
  readonly connections: readonly SuggestedConnection[];
  readonly gaps: readonly Gap[];
}

/** Notes whose relations are looked at, the last changed first: a millisecond each. */
const LOOKED_AT = 500;
const RELATED = 30;
const CONNECTIONS = 10;
/** As related as the weakest link that is ever kept. */
const LEAST_STRENGTH = 0.03;
/** Few, so that others' questions to the index come in between. */
const LOOKED_AT_ONCE = 4;

export type InsightService = ReturnType<typeof insightService>;

export function insightService(needs: { readonly store: Store; readonly indexes: OwnerIndexes }) {
  const { store, indexes } = needs;

  /** The strongest related pairs whose notes share no category and are not among the `settled`. */
  async function connections(
    owner: OwnerId,
    byId: ReadonlyMap<NodeId, Node>,
    settled: ReadonlySet<string>,
  ): Promise<readonly SuggestedConnection[]> {
    const index = await indexes.ready(owner);
    const known = new Set(settled);
    const found: SuggestedConnection[] = [];
    const looked = [...byId.values()]
      .filter(({ categories }) => categories.length > 0)
      .sort((a, b) => (a.updatedAt < b.updatedAt ? 1 : -1))
      .slice(0, LOOKED_AT);
    const related = eachConcurrent(looked, { limit: LOOKED_AT_ONCE }, async (node) => ({
      node,
      others: await index.related(node.id, RELATED),
    }));
    for await (const { node, others } of related) {
      for (const { id, weight, reasons } of others) {
        const other = byId.get(id as NodeId);
        if (!other || weight < LEAST_STRENGTH || !isAcross(node, other)) continue;
        const pair = pairKey(node.id, other.id);
        if (known.has(pair)) continue;
        known.add(pair);
        const [source, target] = node.id < other.id ? [node, other] : [other, node];
        found.push({ source, target, strength: weight, reasons });
      }
    }
    return found.sort((a, b) => b.strength - a.strength || byPair(a, b)).slice(0, CONNECTIONS);
  }

  return {
    /** What the categories tell at `now`, of notes that are not archived. */
    async insights(owner: OwnerId, now: Instant): Promise<Insights> {
      const { value } = await store.snapshot(owner, async (from) => {
        // Connected, or once proposed and rejected.
        const settled = new Set<string>();
        const standing = await standingGraph(from, ({ sourceId, targetId }) =>
          settled.add(pairKey(sourceId, targetId)),
        );
        for await (const { a, b } of from.decisions.all()) settled.add(pairKey(a, b));
        const categories = await Array.fromAsync(from.categories.all());
        return { ...standing, settled, categories };
      });
      const { edges, settled, categories } = value;
      const nodes = [...value.nodes.values()];
      const filled = fill(categories, nodes);
      return {
        active: mostActive(filled, now),
        growth: growthOf(filled, now),
        connections: await connections(owner, value.nodes, settled),
        gaps: gapsOf(filled, nodes, edges),
      };
    },
  };
}

function isAcross(a: Node, b: Node): boolean {
  const own = new Set<CategoryId>(a.categories.map(({ categoryId }) => categoryId));
  return b.categories.length > 0 && b.categories.every(({ categoryId }) => !own.has(categoryId));
}

/** One order for pairs that are equally strong. */
const byPair = (a: SuggestedConnection, b: SuggestedConnection): number =>
  pairKey(a.source.id, a.target.id) < pairKey(b.source.id, b.target.id) ? -1 : 1;

const pairKey = (a: NodeId, b: NodeId): string => ordered(a, b).join(' ');
