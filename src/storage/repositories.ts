import type { Category } from '../domain/category.ts';
import type { Edge, EdgeType } from '../domain/edge.ts';
import { BrainError } from '../domain/error.ts';
import type { Node } from '../domain/node.ts';
import { isEnded, type Job, type JobItem } from '../domain/job.ts';
import type { ApiToken } from '../domain/token.ts';
import type {
  CategoryId,
  EdgeId,
  Instant,
  JobId,
  NodeId,
  OwnerId,
  Position,
  Tag,
  TokenId,
} from '../domain/values.ts';
import { BaseRepository, type Schema } from './base-repository.ts';
import { keys, pairOf, pks, tagPrefix, type Pair } from './keys.ts';
import { everyItem, type Item, type Key, type Page, type QueryOptions, type TableReader } from './table.ts';
import type { UnitOfWork } from './unit-of-work.ts';

/** That the owner decided on a pair: not to be proposed again until one of the two texts changes materially. */
export interface PairDecision {
  readonly a: NodeId;
  readonly b: NodeId;
  readonly verdict: 'accepted' | 'rejected';
  /** The linking engine's fingerprints of the two texts as they were, by node id. */
  readonly fingerprints: Readonly<Record<NodeId, string>>;
  readonly at: Instant;
}

/** Work that was promised and is not yet done; it survives a crash and is finished at the next start. */
export type PendingWork =
  /** The node's automatic links are to be computed, as it is at a version; it is deleted, and edges of it remain. */
  | { readonly kind: 'link'; readonly nodeId: NodeId; readonly version?: number | undefined }
  | { readonly kind: 'unlink'; readonly nodeId: NodeId }
  /**
   * The notes that an import stored after a position in the log are to be linked. `lastAt`: the position of its last
   * note, by which it is seen that more came. `until`: so long it can be taken to go on, where processes share the table.
   */
  | {
      readonly kind: 'import';
      readonly importId: string;
      readonly after: Position;
      readonly lastAt?: Position | undefined;
      readonly until?: Instant | undefined;
    };

/** Whose calls of one operation are counted; a call in local mode is of no token. */
export interface DeprecatedCallId {
  /** `METHOD /path/{id}` */
  readonly operation: string;
  readonly tokenId?: string | undefined;
}

/** That an owner's clients still call an operation which is to go. */
export interface DeprecatedCalls extends DeprecatedCallId {
  readonly count: number;
  readonly firstAt: Instant;
  readonly lastAt: Instant;
}

/** How a request that named itself was answered. It is stored with the effect, which so comes about once. */
export interface Receipt {
  /** Of the request, unique among those of the owner. */
  readonly name: string;
  /** A digest of what was asked: the same name for something else is a mistake. */
  readonly asked: string;
  /** As whoever asked it wants it back. */
  readonly answer: unknown;
  /** Into how many items a long answer is parted; then `answer` is the first part. */
  readonly parts?: number | undefined;
  /** Unix seconds. */
  readonly keptUntil: number;
}

/** For so long a job that has ended is told of, and what it made can be fetched. */
export const JOB_KEPT_DAYS = 7;

/** An item is stored long before anybody knows when its job ends. */
export interface StoredJobItem extends JobItem {
  /** Unix seconds. */
  readonly keptUntil: number;
}

/** That there is an owner, for work that goes over all of them. */
export interface Registration {
  readonly owner: OwnerId;
  readonly since: Instant;
}

const EDGE_TYPES: readonly EdgeType[] = ['related', 'reference', 'manual'];

/** An index item. Its key says most of it. */
const pointer = ({ pk, sk }: Key, to: unknown): Item => ({ pk, sk, et: 'ref.1', j: JSON.stringify(to) });

const NODE: Schema<Node, NodeId> = {
  et: 'node',
  payloadVersion: 1,
  key: keys.node,
  partition: pks.nodes,
  idOf: (node) => node.id,
  version: (node) => node.version,
  indexes: ({ owner, id, updatedAt, tags, categories, source }) => [
    pointer(keys.nodeByUpdate(owner, updatedAt, id), id),
    ...tags.map((tag) => pointer(keys.tagOfNode(owner, tag, id), id)),
    ...categories.map((c) => pointer(keys.nodeInCategory(owner, c.categoryId, id), id)),
    ...(source.key === undefined ? [] : [pointer(keys.source(owner, source.key), id)]),
  ],
};

const EDGE: Schema<Edge, Pair> = {
  et: 'edge',
  payloadVersion: 1,
  key: keys.edge,
  partition: pks.edges,
  prefix: 'O#',
  idOf: (edge) => pairOf(edge.sourceId, edge.targetId, edge.type),
  version: (edge) => edge.version,
  indexes: (edge) => {
    const pair = pairOf(edge.sourceId, edge.targetId, edge.type);
    return [
      pointer(keys.edgeReverse(edge.owner, pair), edge.id),
      pointer(keys.edgeById(edge.owner, edge.id), pair),
    ];
  },
};

const CATEGORY: Schema<Category, CategoryId> = {
  et: 'category',
  payloadVersion: 1,
  key: keys.category,
  partition: pks.categories,
  idOf: (category) => category.id,
  version: (category) => category.version,
};

const DECISION: Schema<PairDecision, readonly [NodeId, NodeId]> = {
  et: 'decision',
  payloadVersion: 1,
  key: (owner, [a, b]) => keys.decision(owner, a, b),
  partition: pks.decisions,
  idOf: (decision) => [decision.a, decision.b],
  version: () => undefined,
};

const PENDING: Schema<PendingWork, string> = {
  et: 'pending',
  payloadVersion: 1,
  key: keys.pending,
  partition: pks.pending,
  idOf: (pending) => (pending.kind === 'import' ? pending.importId : pending.nodeId),
  version: () => undefined,
};

const DEPRECATED_CALLS: Schema<DeprecatedCalls, DeprecatedCallId> = {
  et: 'deprecatedCalls',
  payloadVersion: 1,
  key: (owner, { operation, tokenId }) => keys.deprecatedCall(owner, operation, tokenId),
  partition: pks.deprecatedCalls,
  idOf: (calls) => calls,
  version: () => undefined,
};

const RECEIPT: Schema<Receipt, string> = {
  et: 'receipt',
  payloadVersion: 1,
  key: keys.receipt,
  partition: pks.receipts,
  idOf: (receipt) => receipt.name,
  version: () => undefined,
  ttl: (receipt) => receipt.keptUntil,
};

/** An ended token stays in its owner's list for a while, so that who wonders finds out why. */
const ENDED_TOKEN_KEPT_S = 30 * 24 * 3600;

const TOKEN: Schema<ApiToken, TokenId> = {
  et: 'token',
  payloadVersion: 1,
  key: keys.token,
  partition: pks.tokens,
  idOf: (token) => token.id,
  version: () => undefined,
  ttl: endOf,
  indexes: (token) => [
    { ...pointer(keys.tokenByHash(token.hash), { owner: token.owner, id: token.id }), ttl: endOf(token) },
  ],
};

const DAY_S = 24 * 3600;
const JOB_KEPT_S = JOB_KEPT_DAYS * DAY_S;

const JOB: Schema<Job, JobId> = {
  et: 'job',
  payloadVersion: 1,
  key: keys.job,
  partition: pks.jobs,
  idOf: (job) => job.id,
  version: (job) => job.version,
  ttl: (job) => (job.endedAt === undefined ? undefined : secondsOf(job.endedAt) + JOB_KEPT_S),
  indexes: (job) => (isEnded(job) ? [] : [pointer(keys.activeJob(job.owner, job.id), job.id)]),
};

const JOB_ITEM: Schema<StoredJobItem, { readonly jobId: JobId; readonly index: number }> = {
  et: 'jobItem',
  payloadVersion: 1,
  key: (owner, { jobId, index }) => keys.jobItem(owner, jobId, index),
  partition: pks.jobItems,
  idOf: (item) => item,
  version: () => undefined,
  ttl: (item) => item.keptUntil,
};

const REGISTRATION: Schema<Registration, OwnerId> = {
  et: 'owner',
  payloadVersion: 1,
  key: keys.owner,
  partition: pks.owners,
  idOf: (registration) => registration.owner,
  version: () => undefined,
};

function endOf({ expiresAt }: ApiToken): number | undefined {
  return expiresAt === undefined ? undefined : secondsOf(expiresAt) + ENDED_TOKEN_KEPT_S;
}

const secondsOf = (at: Instant): number => Math.ceil(Date.parse(at) / 1000);

export type NodeRepository = ReturnType<typeof nodeRepository>;
export type EdgeRepository = ReturnType<typeof edgeRepository>;
export type JobRepository = ReturnType<typeof jobRepository>;

/** Everything of one owner. With a unit of work it can change. */
export interface Repositories {
  readonly nodes: NodeRepository;
  readonly edges: EdgeRepository;
  readonly categories: BaseRepository<Category, CategoryId>;
  readonly decisions: BaseRepository<PairDecision, readonly [NodeId, NodeId]>;
  readonly pending: BaseRepository<PendingWork, string>;
  readonly deprecatedCalls: BaseRepository<DeprecatedCalls, DeprecatedCallId>;
  readonly receipts: BaseRepository<Receipt, string>;
  readonly tokens: BaseRepository<ApiToken, TokenId>;
  readonly jobs: JobRepository;
  readonly jobItems: BaseRepository<StoredJobItem, { readonly jobId: JobId; readonly index: number }>;
  readonly registrations: BaseRepository<Registration, OwnerId>;
}

export function repositories(owner: OwnerId, reader: TableReader, unit?: UnitOfWork): Repositories {
  return {
    nodes: nodeRepository(owner, reader, unit),
    edges: edgeRepository(owner, reader, unit),
    categories: new BaseRepository(CATEGORY, owner, reader, unit),
    decisions: new BaseRepository(DECISION, owner, reader, unit),
    pending: new BaseRepository(PENDING, owner, reader, unit),
    deprecatedCalls: new BaseRepository(DEPRECATED_CALLS, owner, reader, unit),
    receipts: new BaseRepository(RECEIPT, owner, reader, unit),
    tokens: new BaseRepository(TOKEN, owner, reader, unit),
    jobs: jobRepository(owner, reader, unit),
    jobItems: new BaseRepository(JOB_ITEM, owner, reader, unit),
    registrations: new BaseRepository(REGISTRATION, owner, reader, unit),
  };
}

function nodeRepository(owner: OwnerId, reader: TableReader, unit?: UnitOfWork) {
  const base = new BaseRepository(NODE, owner, reader, unit);

  /** Reads a page of an index whose sort keys end in a node's id, then the nodes, in the index's order. */
  async function through(
    pk: string,
    options: QueryOptions,
  ): Promise<{ items: Node[]; next?: string | undefined }> {
    const page: Page = await reader.query(pk, options);
    const ids = page.items.map((item) => JSON.parse(item.j) as NodeId);
    const byId = new Map((await base.batchGet(ids)).map((node) => [node.id, node]));
    return { items: ids.flatMap((id) => byId.get(id) ?? []), next: page.next };
  }

  return {
    base,
    find: (id: NodeId) => base.find(id),
    get: (id: NodeId) => base.get(id),
    batchGet: (ids: readonly NodeId[]) => base.batchGet(ids),
    /** In the order of their making. */
    list: (options?: QueryOptions) => base.list(options),
    all: () => base.all(),
    apply: base.apply.bind(base),
    /** In the order of their last change. */
    listByUpdate: (options: QueryOptions) => through(pks.nodesByUpdate(owner), options),
    listByTag: (tag: string, options: QueryOptions) =>
      through(pks.tags(owner), { ...options, prefix: tagPrefix(tag as Tag) }),
    listByCategory: (id: CategoryId, options: QueryOptions) =>
      through(pks.nodesOfCategories(owner), { ...options, prefix: `${id}#` }),
    existing: (ids: readonly NodeId[]) => base.existing(ids),
    /** The nodes that were imported under these source keys, by key. */
    async bySourceKeys(sourceKeys: readonly string[]): Promise<ReadonlyMap<string, NodeId>> {
      const found = await reader.batchGet(sourceKeys.map((key) => keys.source(owner, key)));
      return new Map(found.map((item) => [item.sk, JSON.parse(item.j) as NodeId]));
    },
    /** Every source key and its node. */
    async *sources(): AsyncGenerator<{ readonly key: string; readonly nodeId: NodeId }> {
      for await (const item of everyItem(reader, pks.sources(owner))) {
        yield { key: item.sk, nodeId: JSON.parse(item.j) as NodeId };
      }
    },
    /** How many nodes each category has. */
    async countByCategory(): Promise<ReadonlyMap<CategoryId, number>> {
      const counts = new Map<CategoryId, number>();
      for await (const { sk } of everyItem(reader, pks.nodesOfCategories(owner))) {
        const id = sk.slice(0, sk.indexOf('#')) as CategoryId;
        counts.set(id, (counts.get(id) ?? 0) + 1);
      }
      return counts;
    },
  };
}

function edgeRepository(owner: OwnerId, reader: TableReader, unit?: UnitOfWork) {
  const base = new BaseRepository(EDGE, owner, reader, unit);
  const partition = pks.edges(owner);

  async function find(id: EdgeId): Promise<Edge | undefined> {
    const found = await reader.get(keys.edgeById(owner, id));
    return found && base.find(JSON.parse(found.j) as Pair);
  }

  return {
    base,
    find,
    list: (options?: QueryOptions) => base.list(options),
    all: () => base.all(),
    apply: base.apply.bind(base),
    /** Throws `not_found`. */
    async get(id: EdgeId): Promise<Edge> {
      const found = await find(id);
      if (!found) throw new BrainError('not_found', `there is no edge ${id}`, { operation: 'edge.get' });
      return found;
    },
    /** Every edge that ends at the node, in the order of the other ends; for `uncommitted` see `QueryOptions`. */
    async of(id: NodeId, options: Pick<QueryOptions, 'uncommitted'> = {}): Promise<readonly Edge[]> {
      const [out, back] = await Promise.all([
        reader.query(partition, { ...options, prefix: `O#${id}#` }),
        reader.query(partition, { ...options, prefix: `I#${id}#` }),
      ]);
      const pairs = back.items.map((item): Pair => {
        const [, high, type, low] = item.sk.split('#');
        return { low: low as NodeId, high: high as NodeId, type: type as EdgeType };
      });
      const inward = pairs.length === 0 ? [] : await base.batchGet(pairs);
      return [...out.items.map((item) => base.decode(item)), ...inward];
    },
    findPair: (a: NodeId, b: NodeId, type: EdgeType) => base.find(pairOf(a, b, type)),
    /** The edges between two nodes, of any type. */
    between: (a: NodeId, b: NodeId) => base.batchGet(EDGE_TYPES.map((type) => pairOf(a, b, type))),
  };
}

function jobRepository(owner: OwnerId, reader: TableReader, unit?: UnitOfWork) {
  const base = new BaseRepository(JOB, owner, reader, unit);
  return {
    base,
    find: (id: JobId) => base.find(id),
    get: (id: JobId) => base.get(id),
    /** In the order of their making. */
    list: (options?: QueryOptions) => base.list(options),
    replace: base.replace.bind(base),
    /** Those that wait or run, oldest first. */
    async active(): Promise<readonly Job[]> {
      const { items } = await reader.query(pks.activeJobs(owner));
      const jobs = await base.batchGet(items.map((item) => item.sk as JobId));
      return jobs.toSorted((a, b) => (a.id < b.id ? -1 : 1));
    },
  };
}
