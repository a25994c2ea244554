import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Category, Edge } from '../../src/api/v2.ts';
import type { Job } from '../../src/api/v2-jobs.ts';
import type { TokenList } from '../../src/api/v2-tokens.ts';
import type { Static } from 'typebox';
import type { Owned } from './callers.ts';

// Generated requests name what is there by its number in a pool, for ids are not known before they are made.

export type PoolName = 'nodes' | 'edges' | 'categories' | 'tokens' | 'jobs' | 'exports' | 'runs' | 'cursors';
export type Pools = Readonly<Record<PoolName, readonly string[]>>;

const FIELDS: Readonly<Record<string, PoolName>> = {
  sourceId: 'nodes',
  targetId: 'nodes',
  nodeIds: 'nodes',
  nodeId: 'nodes',
  otherId: 'nodes',
  node: 'nodes',
  from: 'nodes',
  to: 'nodes',
  parentId: 'categories',
  category: 'categories',
  cursor: 'cursors',
};

export const poolOf = (field: string): PoolName | undefined => FIELDS[field];
export const reference = (pool: PoolName, index: number): string => `@${pool}:${index}@`;

const REFERENCE = /@(nodes|edges|categories|tokens|jobs|exports|runs|cursors):(\d+)@/g;
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
  const jobs = [...(await list<Job>('/jobs?limit=50'))];
  /** Those of a kind that are done; where there are none, these are made first. */
  const done = async (
    kind: Job['kind'],
    path: string,
    inputs: readonly object[],
  ): Promise<readonly Job[]> => {
    const known = jobs.filter((job) => job.kind === kind && job.status === 'done');
    if (known.length > 0) return known;
    const made: Job[] = [];
    for (const input of inputs) made.push(await ended(of, await of.post<Job>(path, input)));
    jobs.push(...made);
    return made;
  };
  const exports = await done('export', '/exports', [{ format: 'ndjson' }]);
  const runs = await done('relink', '/linker/runs', [{ dryRun: true }, { dryRun: false }]);
  const page = await of.get<{ page: { next: string | null } }>('/nodes?limit=1');
  const ids = (all: readonly { readonly id: string }[]) => all.map(({ id }) => id);
  return {
    nodes: ids(nodes),
    edges: ids(edges),
    categories: ids(categories),
    tokens: ids(tokens),
    jobs: ids(jobs),
    exports: ids(exports),
    runs: ids(runs),
    cursors: [page.page.next ?? 'none'],
  };
}

/** The job once it is over. */
async function ended(of: Owned, { id }: Pick<Job, 'id'>): Promise<Job> {
  for (;;) {
    const job = await of.get<Job>(`/jobs/${id}`);
    if (job.status !== 'queued' && job.status !== 'running') return job;
    await nextTurn(); // requests in this process have none of their own, and the job waits for threads
  }
}
