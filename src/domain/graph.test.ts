import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { at, execute, graphCommands, OWNER, type Graph } from '../../test/support/arbitraries.ts';
import { applyCategoryEvent, CategoryTree, type Category } from './category.ts';
import type { Decision } from './decision.ts';
import { applyEdgeEvent, type Edge } from './edge.ts';
import { isBrainError } from './error.ts';
import type { CategoryEvent } from './category.ts';
import type { EdgeEvent } from './edge.ts';
import type { DomainEvent } from './event.ts';
import type { NodeEvent } from './node.ts';
import { LIMITS } from './limits.ts';
import { applyNodeEvent, type Node } from './node.ts';
import { tagKey } from './values.ts';

/** A graph of maps, which holds each decision to what every decision promises. */
class MapGraph implements Graph {
  readonly owner = OWNER;
  readonly nodes = new Map<string, Node>();
  readonly edges = new Map<string, Edge>();
  readonly tree = new Map<string, Category>();
  readonly log: DomainEvent[] = [];
  readonly findNode: Graph['findNode'] = async (id) => this.nodes.get(id);
  readonly findPair: Graph['findPair'] = async (a, b, type) =>
    [...this.edges.values()].find((e) => e.type === type && isPair(e, a, b));
  readonly edgesOf: Graph['edgesOf'] = async (id) =>
    [...this.edges.values()].filter((e) => e.sourceId === id || e.targetId === id);
  readonly categories: Graph['categories'] = async () => [...this.tree.values()];
  readonly applyNode: Graph['applyNode'] = (decision) => this.#apply(this.nodes, decision);
  readonly applyEdge: Graph['applyEdge'] = (decision) => this.#apply(this.edges, decision);
  readonly applyCategory: Graph['applyCategory'] = (decision) => this.#apply(this.tree, decision);

  #apply<T extends { readonly id: string; readonly version: number; readonly updatedAt: string }>(
    kept: Map<string, T>,
    { before, after, events }: Decision<T, DomainEvent>,
  ): void {
    const stands = before ?? after;
    if (!stands) throw new Error('a decision about nothing');
    checkDecision({ before, after, events });
    if (after) kept.set(after.id, after);
    else kept.delete(stands.id);
    this.log.push(...events);
  }
}

/** No event for no change, one at least for each change, and the version counts them. */
function checkDecision<T extends { readonly version: number; readonly updatedAt: string }>(
  decision: Decision<T, DomainEvent>,
): void {
  const { before, after, events } = decision;
  assert.equal(events.length === 0, before === after);
  const first = before?.version ?? 0;
  assert.deepEqual(
    events.map((e) => e.version),
    events.map((_, index) => first + index + 1),
  );
  assert.equal(after?.version ?? first + 1, first + events.length);
  if (!before || !after || events.length === 0) return;
  assert.notDeepEqual(
    after,
    { ...before, version: after.version, updatedAt: after.updatedAt },
    events[0]?.type,
  );
}

function isPair(edge: Edge, a: string, b: string): boolean {
  return (edge.sourceId === a && edge.targetId === b) || (edge.sourceId === b && edge.targetId === a);
}

function checkNode(node: Node): void {
  assert.equal(node.owner, OWNER);
  assert.ok(node.title.length <= LIMITS.titleLength);
  assert.notEqual(`${node.title}${node.content}`.trim(), '');
  assert.ok(Buffer.byteLength(JSON.stringify(node.content)) <= LIMITS.contentBytes + 2);
  assert.ok(!node.content.includes('\r'));
  assert.ok(node.tags.length <= LIMITS.tags);
  assert.equal(new Set(node.tags.map(tagKey)).size, node.tags.length);
  for (const tag of node.tags) assert.match(tag, /^[^#\s]/);
  assert.equal(new Set(node.categories.map((c) => c.categoryId)).size, node.categories.length);
}

function checkEdges(graph: MapGraph): void {
  const pairs = new Set<string>();
  for (const edge of graph.edges.values()) {
    assert.notEqual(edge.sourceId, edge.targetId);
    assert.ok(Number.isFinite(edge.weight) && edge.weight >= 0 && edge.weight <= 1);
    assert.equal(graph.nodes.get(edge.sourceId)?.owner, edge.owner);
    assert.equal(graph.nodes.get(edge.targetId)?.owner, edge.owner);
    assert.ok(edge.origin === 'auto' || edge.status === 'accepted');
    pairs.add([edge.sourceId, edge.targetId].toSorted().join() + edge.type);
  }
  assert.equal(pairs.size, graph.edges.size);
}

function checkTree(graph: MapGraph): void {
  for (const category of graph.tree.values()) {
    let levels = 0;
    for (let up: Category | undefined = category; up; levels++) {
      const { parentId }: Category = up;
      assert.ok(parentId === null || graph.tree.has(parentId));
      up = parentId === null ? undefined : graph.tree.get(parentId);
      assert.ok(levels < LIMITS.categoryDepth);
    }
    assert.equal(new CategoryTree(graph.tree.values()).level(category.id), levels - 1);
    assert.notEqual(category.title, '');
  }
}

function fold(log: readonly DomainEvent[]): readonly ReadonlyMap<string, unknown>[] {
  const [nodes, edges, tree] = [
    new Map<string, Node>(),
    new Map<string, Edge>(),
    new Map<string, Category>(),
  ];
  const keep = <T>(kept: Map<string, T>, id: string, state: T | undefined): void => {
    if (state === undefined) kept.delete(id);
    else kept.set(id, state);
  };
  for (const event of log) {
    if ('nodeId' in event)
      keep(nodes, event.nodeId, applyNodeEvent(nodes.get(event.nodeId), event satisfies NodeEvent));
    else if ('edgeId' in event)
      keep(edges, event.edgeId, applyEdgeEvent(edges.get(event.edgeId), event satisfies EdgeEvent));
    else {
      const { categoryId } = event satisfies CategoryEvent;
      keep(tree, categoryId, applyCategoryEvent(tree.get(categoryId), event));
    }
  }
  return [nodes, edges, tree];
}

const REFUSALS = ['invalid', 'conflict', 'not_found'];

test('whatever is asked for, the invariants hold, refusals change nothing, and the events give the state', async () => {
  const seen = { done: 0, refused: 0, types: new Set<string>() };
  const property = fc.asyncProperty(graphCommands, async (commands) => {
    const graph = new MapGraph();
    for (const [index, command] of commands.entries()) {
      const before = graph.log.length;
      const refusal = await execute(command, graph, at(index)).then(
        () => undefined,
        (error: unknown) => error,
      );
      const known = isBrainError(refusal) && REFUSALS.includes(refusal.code);
      if (refusal !== undefined && !known) throw refusal;
      assert.ok(refusal === undefined || graph.log.length === before);
      seen[refusal === undefined ? 'done' : 'refused'] += 1;
      for (const node of graph.nodes.values()) checkNode(node);
      checkEdges(graph);
      checkTree(graph);
    }
    const state = [graph.nodes, graph.edges, graph.tree];
    assert.deepEqual(fold(graph.log), state);
    assert.deepEqual(fold(JSON.parse(JSON.stringify(graph.log)) as DomainEvent[]), state);
    for (const { type } of graph.log) seen.types.add(type);
  });
  await fc.assert(property, { numRuns: 1_500 });
  // That nothing is proved about an event that never happens.
  expect([...seen.types].toSorted()).toEqual([
    'category.created',
    'category.deleted',
    'category.moved',
    'category.nodeAssigned',
    'category.nodeRemoved',
    'category.updated',
    'edge.accepted',
    'edge.created',
    'edge.deleted',
    'edge.rejected',
    'edge.reopened',
    'edge.supportChanged',
    'edge.weightUpdated',
    'node.archived',
    'node.created',
    'node.deleted',
    'node.restored',
    'node.updated',
  ]);
  expect(Math.min(seen.done, seen.refused)).toBeGreaterThan(5_000);
});
