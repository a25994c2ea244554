import type { CategoryId, EdgeId, JobId, NodeId, OwnerId, Tag, TokenId } from '../domain/values.ts';
import { tagKey } from '../domain/values.ts';
import type { EdgeType } from '../domain/edge.ts';
import type { Key } from './table.ts';

/**
 * Where each item lies. An owner id has no '#', so no key of one owner can be spelled as another's.
 * Every index is an item of its own, written in the transaction of what it points to.
 */
const SEQ_DIGITS = 12;
const MS_DIGITS = 15;
/** Milliseconds from the year 0, the first that an instant may have, to 1970. */
const YEAR_0_MS = 62_167_219_200_000;

export const pks = {
  head: (owner: OwnerId) => owner as string,
  nodes: (owner: OwnerId) => `${owner}#N`,
  nodesByUpdate: (owner: OwnerId) => `${owner}#NU`,
  edges: (owner: OwnerId) => `${owner}#E`,
  decisions: (owner: OwnerId) => `${owner}#D`,
  categories: (owner: OwnerId) => `${owner}#CT`,
  nodesOfCategories: (owner: OwnerId) => `${owner}#C`,
  tags: (owner: OwnerId) => `${owner}#T`,
  sources: (owner: OwnerId) => `${owner}#SRC`,
  log: (owner: OwnerId) => `${owner}#EV`,
  pending: (owner: OwnerId) => `${owner}#P`,
  deprecatedCalls: (owner: OwnerId) => `${owner}#DC`,
  receipts: (owner: OwnerId) => `${owner}#ID`,
  tokens: (owner: OwnerId) => `${owner}#TK`,
  jobs: (owner: OwnerId) => `${owner}#J`,
  activeJobs: (owner: OwnerId) => `${owner}#JA`,
  jobItems: (owner: OwnerId) => `${owner}#JI`,
  /** The sockets of the owner, where a gateway holds them. */
  connections: (owner: OwnerId) => `${owner}#WS`,
  blobs: (owner: OwnerId) => `${owner}#B`,
  /** Every owner there is. No owner's name begins with '#'. */
  owners: () => '#OWNERS',
} as const;

export const keys = {
  head: (owner: OwnerId): Key => ({ pk: pks.head(owner), sk: 'META' }),
  node: (owner: OwnerId, id: NodeId): Key => ({ pk: pks.nodes(owner), sk: id }),
  nodeByUpdate: (owner: OwnerId, updatedAt: string, id: NodeId): Key => ({
    pk: pks.nodesByUpdate(owner),
    sk: `${updateKey(updatedAt)}#${id}`,
  }),
  tagOfNode: (owner: OwnerId, tag: Tag, id: NodeId): Key => ({
    pk: pks.tags(owner),
    sk: `${tagPrefix(tag)}${id}`,
  }),
  source: (owner: OwnerId, key: string): Key => ({ pk: pks.sources(owner), sk: key }),
  nodeInCategory: (owner: OwnerId, category: CategoryId, id: NodeId): Key => ({
    pk: pks.nodesOfCategories(owner),
    sk: `${category}#${id}`,
  }),
  edge: (owner: OwnerId, pair: Pair): Key => ({
    pk: pks.edges(owner),
    sk: `O#${pair.low}#${pair.type}#${pair.high}`,
  }),
  edgeReverse: (owner: OwnerId, pair: Pair): Key => ({
    pk: pks.edges(owner),
    sk: `I#${pair.high}#${pair.type}#${pair.low}`,
  }),
  edgeById: (owner: OwnerId, id: EdgeId): Key => ({ pk: pks.edges(owner), sk: `ID#${id}` }),
  decision: (owner: OwnerId, a: NodeId, b: NodeId): Key => {
    const [low, high] = ordered(a, b);
    return { pk: pks.decisions(owner), sk: `${low}#${high}` };
  },
  category: (owner: OwnerId, id: CategoryId): Key => ({ pk: pks.categories(owner), sk: id }),
  logEntry: (owner: OwnerId, lastSeq: number): Key => ({ pk: pks.log(owner), sk: seqKey(lastSeq) }),
  pending: (owner: OwnerId, id: string): Key => ({ pk: pks.pending(owner), sk: id }),
  deprecatedCall: (owner: OwnerId, operation: string, tokenId: string | undefined): Key => ({
    pk: pks.deprecatedCalls(owner),
    sk: `${operation}#${tokenId ?? ''}`,
  }),
  receipt: (owner: OwnerId, name: string): Key => ({ pk: pks.receipts(owner), sk: name }),
  token: (owner: OwnerId, id: TokenId): Key => ({ pk: pks.tokens(owner), sk: id }),
  job: (owner: OwnerId, id: JobId): Key => ({ pk: pks.jobs(owner), sk: id }),
  activeJob: (owner: OwnerId, id: JobId): Key => ({ pk: pks.activeJobs(owner), sk: id }),
  jobItem: (owner: OwnerId, id: JobId, index: number): Key => ({
    pk: pks.jobItems(owner),
    sk: `${id}#${seqKey(index)}`,
  }),
  blob: (owner: OwnerId, id: string): Key => ({ pk: pks.blobs(owner), sk: id }),
  blobPart: (owner: OwnerId, id: string, at: number): Key => ({
    pk: pks.blobs(owner),
    sk: `${id}#${seqKey(at)}`,
  }),
  /** Whose a token is, found before its owner is known. A hash is longer than any suffix of an owner's partition. */
  tokenByHash: (hash: string): Key => ({ pk: `TOK#${hash}`, sk: '-' }),
  connection: (owner: OwnerId, id: string): Key => ({ pk: pks.connections(owner), sk: id }),
  /** Whose a socket is, found before its owner is known, and with all others now and then: so they stand in few shards. */
  arrival: (shard: number, id: string): Key => ({ pk: `CONN#${shard}`, sk: id }),
  /** How far a consumer of logs has come in an owner's. */
  cursor: (consumer: string, owner: OwnerId): Key => ({ pk: `${owner}#CUR`, sk: consumer }),
  /** A ticket of the socket, by its hash. */
  ticket: (hash: string): Key => ({ pk: `TKT#${hash}`, sk: '-' }),
  owner: (owner: OwnerId): Key => ({ pk: pks.owners(), sk: owner }),
  /** How far a move into this store is; there while it is under way, or was cut off. */
  migration: (): Key => ({ pk: '#MIGRATION', sk: 'position' }),
} as const;

/** The ends of an edge in the order of their ids: one key per unordered pair and type. */
export interface Pair {
  readonly low: NodeId;
  readonly high: NodeId;
  readonly type: EdgeType;
}

export function pairOf(a: NodeId, b: NodeId, type: EdgeType): Pair {
  const [low, high] = ordered(a, b);
  return { low, high, type };
}

/** The two ids in the one order in which a pair is stored. */
export function ordered(a: NodeId, b: NodeId): readonly [NodeId, NodeId] {
  return a < b ? [a, b] : [b, a];
}

export function seqKey(seq: number): string {
  return String(seq).padStart(SEQ_DIGITS, '0');
}

/** The instant as a sort key: milliseconds since the year 0, so that every year up to 9999 sorts in its place. */
export function updateKey(updatedAt: string): string {
  return String(Math.max(0, Date.parse(updatedAt) + YEAR_0_MS)).padStart(MS_DIGITS, '0');
}

/** What the keys of a tag begin with. A tag may hold '#', which ends it here, but no control character. */
export function tagPrefix(tag: Tag): string {
  return `${tagKey(tag).replaceAll('#', '\u0001')}#`;
}

/** Where an item lies, as a log may tell it: the keys of tags and of sources hold words of notes. */
export function placeOf({ pk, sk }: Key): string {
  if (pk.endsWith('#T')) return `${pk} …${sk.slice(sk.lastIndexOf('#'))}`;
  return pk.endsWith('#SRC') ? `${pk} …` : `${pk} ${sk}`;
}
