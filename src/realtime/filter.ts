import type { Filter } from '../api/realtime.ts';
import { EVENT_TYPES, type DomainEvent } from '../domain/event.ts';
import { NOTICE_TYPES } from '../domain/notice.ts';
import { refuse } from '../domain/error.ts';
import { tagKey, type Tag } from '../domain/values.ts';
import { nearest } from '../shared/nearest.ts';

/** What can be asked for. */
const TYPES: readonly string[] = [...EVENT_TYPES, ...NOTICE_TYPES];

/** What of an event or a notice a filter looks at. */
export interface Facets {
  readonly type: string;
  readonly nodeIds: readonly string[];
  readonly tags: readonly string[];
  readonly categories: readonly string[];
}

/** A filter made ready. Two with one `key` let the same events pass. */
export interface Matcher {
  readonly key: string;
  passes(facets: Facets): boolean;
}

export const NOTHING: Matcher = { key: 'nothing', passes: () => false };
/** One for all who ask for all. */
const EVERYTHING: Matcher = { key: 'everything', passes: () => true };

export function facetsOf(event: DomainEvent): Facets {
  return {
    type: event.type,
    nodeIds: 'nodeId' in event ? [event.nodeId] : 'sourceId' in event ? [event.sourceId, event.targetId] : [],
    tags: tagsOf(event).map(tagKey),
    categories: categoriesOf(event),
  };
}

function tagsOf(event: DomainEvent): readonly Tag[] {
  if (event.type === 'node.created') return event.node.tags;
  const before = 'nodeId' in event ? (event.tags ?? []) : [];
  return event.type === 'node.updated' ? [...before, ...(event.changes.tags ?? [])] : before;
}

function categoriesOf(event: DomainEvent): readonly string[] {
  if (event.type === 'node.created') return event.node.categories.map((category) => category.categoryId);
  const before = 'nodeId' in event ? (event.categories ?? []) : [];
  if (event.type === 'category.nodeAssigned') return [...before, event.assignment.categoryId];
  return 'categoryId' in event ? [...before, event.categoryId] : before;
}

/** Throws `invalid` for a type that no event has: nobody waits in vain for a slip of the pen. */
export function matcherOf(filter: Filter): Matcher {
  if (Object.keys(filter).length === 0) return EVERYTHING;
  const types = filter.types && new Set(filter.types.flatMap(typesOf));
  const nodeIds = filter.nodeIds && new Set(filter.nodeIds.map((id) => id.toLowerCase()));
  const tags =
    filter.tags && new Set(filter.tags.map((tag) => tagKey(tag.replace(/^[#\s]+/, '').trim() as Tag)));
  const categories = filter.categories && new Set(filter.categories.map((id) => id.toLowerCase()));
  const parts = [types, nodeIds, tags, categories];
  const key = JSON.stringify(parts.map((part) => (part ? [...part].sort() : '*')));
  return {
    key,
    passes: (facets) =>
      (types === undefined || types.has(facets.type)) &&
      (nodeIds === undefined || facets.nodeIds.some((id) => nodeIds.has(id))) &&
      (tags === undefined || facets.tags.some((tag) => tags.has(tag))) &&
      (categories === undefined || facets.categories.some((id) => categories.has(id))),
  };
}

/** Lets pass what any of them lets pass. */
export function anyOf(matchers: readonly Matcher[]): Matcher {
  const [only, ...others] = matchers;
  if (!only) return NOTHING;
  if (others.length === 0) return only;
  return {
    key: matchers
      .map((matcher) => matcher.key)
      .sort()
      .join('|'),
    passes: (facets) => matchers.some((matcher) => matcher.passes(facets)),
  };
}

function typesOf(pattern: string): readonly string[] {
  if (pattern === '*') return TYPES;
  const found = pattern.endsWith('.*')
    ? TYPES.filter((type) => type.startsWith(pattern.slice(0, -1)))
    : TYPES.filter((type) => type === pattern);
  if (found.length > 0) return found;
  const meant = nearest(pattern, TYPES) ?? '';
  return refuse(
    '/filter/types',
    'type',
    `no event is of the type ${pattern.slice(0, 64)}; did you mean ${meant}?`,
  );
}
