import type { Category, Edge } from '../../src/api/v2.ts';
import type { TokenList } from '../../src/api/v2-tokens.ts';
import type { Static } from 'typebox';
import type { Owned } from './callers.ts';

// Generated requests name what is there by its number in a pool, for ids are not known before they are made.

export type PoolName = 'nodes' | 'edges' | 'categories' | 'tokens' | 'cursors';
export type Pools = Readonly<Record<PoolName, readonly string[]>>;

const FIELDS: Readonly<Record<string, PoolName>> = {
  sourceId: 'nodes',
  targetId: 'nodes',
  nodeIds: 'nodes',
  nodeId: 'nodes',
  otherId: 'nodes',
  node: 'nodes',
  parentId: 'categories',
  category: 'categories',
  cursor: 'cursors',
};

export const poolOf = (field: string): PoolName | undefined => FIELDS[field];
export const reference = (pool: PoolName, index: number): string => `@${pool}:${index}@`;

const REFERENCE = /@(nodes|edges|categories|tokens|cursors):(\d+)@/g;
const NOTHING = '0190a7c4-0000-7000-8000-000000000000';

/** A text with what its references name. */
export function bind(text: string, pools: Pools): string {
  return text.replace(REFERENCE, (_, name: PoolName, index: string) => {
    const pool = pools[name];
    return pool[Number(index) % pool.length] ?? NOTHING;
  });
}

const FEWEST = 6;

/** What is there now, at least a few of each: what is missing is made. */
export async function fill(of: Owned): Promise<Pools> {
  const list = async <T>(path: string): Promise<readonly T[]> =>
    (await of.get<{ items: readonly T[] }>(path)).items;
  const nodes = [...(await list<{ id: string }>('/nodes?limit=50'))];
  for (let number = nodes.length; number < FEWEST; number++) {
    const content = `Note ${number} on sleep, melatonin and the circadian rhythm.`;
    nodes.push(await of.post('/nodes', { title: `Sleep ${number}`, content, tags: ['sleep'] }));
  }
  const categories = [...(await list<Category>('/categories'))];
  for (let number = categories.length; number < FEWEST; number++) {
    categories.push(await of.post<Category>('/categories', { title: `Category ${number}` }));
  }
  const edges = await list<Edge>('/edges?limit=50');
  const tokens = (await of.get<Static<typeof TokenList>>('/tokens')).items.filter(
    ({ id }) => !of.inUse.includes(id),
  );
  if (tokens.length === 0) tokens.push(await of.post('/tokens', { name: 'spare' }));
  const page = await of.get<{ page: { next: string | null } }>('/nodes?limit=1');
  const ids = (all: readonly { readonly id: string }[]) => all.map(({ id }) => id);
  return {
    nodes: ids(nodes),
    edges: ids(edges),
    categories: ids(categories),
    tokens: ids(tokens),
    cursors: [page.page.next ?? 'none'],
  };
}
