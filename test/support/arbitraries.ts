import * as fc from 'fast-check';
import * as category from '../../src/domain/category.ts';
import type { Category, CategoryInput } from '../../src/domain/category.ts';
import type { Decision } from '../../src/domain/decision.ts';
import type { DomainEvent } from '../../src/domain/event.ts';
import * as edge from '../../src/domain/edge.ts';
import type { Edge, EdgeInput, EdgeStatus, EdgeType, Support } from '../../src/domain/edge.ts';
import { BrainError } from '../../src/domain/error.ts';
import * as node from '../../src/domain/node.ts';
import type { Assignment, Node, NodeInput } from '../../src/domain/node.ts';
import * as value from '../../src/domain/values.ts';
import type { CategoryId, Instant, NodeId, OwnerId } from '../../src/domain/values.ts';

export const OWNER: OwnerId = value.ownerId('alice');
export const START: Instant = value.instant('2026-01-02T03:04:05.678Z');

/** The instant that many seconds after START. */
export const at = (seconds: number): Instant => value.instant(Date.parse(START) + seconds * 1000);

const uuid = (kind: number, number: number): string =>
  `0190a7c4-5b3e-7000-8${kind}00-${number.toString(16).padStart(12, '0')}`;
export const nodeIdOf = (number: number): NodeId => value.nodeId(uuid(1, number));
export const categoryIdOf = (number: number): CategoryId => value.categoryId(uuid(3, number));

const ODD = [
  '#',
  ' ',
  '\t',
  '\r\n',
  '\r',
  '\0',
  '\ud800',
  '\udc00',
  '\ufeff',
  '\u2003',
  '\u0085',
  '\u007f',
  '"',
];
const LETTERS = ['a', 'É', 'e\u0301', 'İ', 'J\u030c', 'ß', 'Σ', '😀', '\u0301', '\u212b', '\\'];

/** Texts that people, programs and attackers send: all scripts, lone surrogates, NUL, odd white space. */
export const anyText: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 30 }),
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units)),
  fc.string({ unit: fc.constantFrom('#', '#', ' ', ' ', ...LETTERS.slice(0, 4)), maxLength: 12 }),
  fc.string({ unit: fc.constantFrom(...ODD, ...LETTERS), maxLength: 12 }),
);

const NODES = 4;
const CATEGORIES = 6;
const TAGS = ['sleep', 'Sleep', 'a', 'a#b', '#lead', 'c d', 'é', '😀', 'İstanbul', 'a', 'sleep', '#'];
const aNode = fc.nat({ max: NODES - 1 });
const aCategory = fc.nat({ max: CATEGORIES - 1 });
const edgeType = fc.constantFrom<EdgeType>('related', 'related', 'reference', 'manual');
const weight = fc.oneof(
  { weight: 9, arbitrary: fc.double({ min: 0, max: 1, noNaN: true }).map((w) => w + 0) },
  { weight: 1, arbitrary: fc.constantFrom(-0.1, 1.1, Number.NaN, Number.POSITIVE_INFINITY) },
);

/** Fields of a note, most of them fit to be kept, some not. The source's key is the node's own: keys are not shared. */
const nodeInput = (number: number): fc.Arbitrary<NodeInput> =>
  fc.record(
    {
      title: fc.oneof(fc.constantFrom('Sleep', 'sleep ', 'Memory', ''), fc.string({ maxLength: 20 })),
      content: fc.oneof(
        fc.constantFrom('one', 'two\r\n', ''),
        fc.string({ unit: 'grapheme', maxLength: 40 }),
      ),
      format: fc.constantFrom('markdown' as const, 'text' as const),
      tags: fc.array(fc.constantFrom(...TAGS), { maxLength: 4 }),
      aliases: fc.array(fc.constantFrom('Nap', 'nap', 'Rest'), { maxLength: 3 }),
      source: fc.constantFrom<NonNullable<NodeInput['source']>>(
        { kind: 'import', key: `vault/${number}.md` },
        { kind: 'import', key: `vault/${number}.md`, path: 'a.md' },
        { path: 'a.md', key: `vault/${number}.md`, kind: 'import' },
        { kind: 'cli' },
      ),
      updatedAt: fc.constantFrom(
        '2001-02-03T04:05:06Z',
        '1960-01-01T00:00:00Z',
        '1950-01-01T00:00:00Z',
        '2400-01-01T00:00:00Z',
      ),
    },
    { requiredKeys: ['title'] },
  );

const categoryInput: fc.Arbitrary<CategoryInput> = fc.record(
  {
    title: fc.constantFrom('Health', 'Work', ' Work ', ''),
    description: fc.constantFrom('', 'all of it'),
    color: fc.constantFrom('#A0b1C2', '#a0b1c2', null, 'red'),
    icon: fc.constantFrom('💤', null),
  },
  { requiredKeys: [] },
);

const pair = { source: aNode, target: aNode, type: edgeType };

/** One thing that somebody asks for, by numbers of a small pool: so commands meet, and many ask for what is not there. */
export type GraphCommand =
  | { readonly kind: 'node.create' | 'node.update'; readonly node: number; readonly input: NodeInput }
  | { readonly kind: 'node.archive' | 'node.restore' | 'node.delete'; readonly node: number }
  | ({ readonly kind: 'node.assign'; readonly node: number; readonly category: number } & Omit<
      Assignment,
      'categoryId'
    >)
  | { readonly kind: 'node.unassign'; readonly node: number; readonly category: number }
  | (OfPair & { readonly kind: 'edge.create'; readonly input: EdgeInput })
  | (OfPair & { readonly kind: 'edge.weigh'; readonly weight: number })
  | (OfPair & { readonly kind: 'edge.status'; readonly status: EdgeStatus })
  | (OfPair & { readonly kind: 'edge.support'; readonly support: Support })
  | (OfPair & { readonly kind: 'edge.delete' })
  | {
      readonly kind: 'category.create';
      readonly category: number;
      readonly parent: number | null;
      readonly input: CategoryInput;
    }
  | { readonly kind: 'category.update'; readonly category: number; readonly input: CategoryInput }
  | { readonly kind: 'category.move'; readonly category: number; readonly parent: number | null }
  | { readonly kind: 'category.delete'; readonly category: number };

interface OfPair {
  readonly source: number;
  readonly target: number;
  readonly type: EdgeType;
}

const kind = <K extends GraphCommand['kind']>(...kinds: readonly [K, ...K[]]): fc.Arbitrary<K> =>
  fc.constantFrom<K>(...kinds);

const graphCommand: fc.Arbitrary<GraphCommand> = fc.oneof(
  {
    weight: 8,
    arbitrary: aNode.chain((number) =>
      fc.record({
        kind: kind('node.create', 'node.update'),
        node: fc.constant(number),
        input: nodeInput(number),
      }),
    ),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: kind('node.archive', 'node.restore', 'node.delete'), node: aNode }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: kind('node.assign'),
      node: aNode,
      category: aCategory,
      confidence: fc.constantFrom(value.weight(0.5), value.weight(1)),
      method: fc.constantFrom('ai' as const, 'manual' as const),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: kind('node.unassign'), node: aNode, category: aCategory }) },
  {
    weight: 7,
    arbitrary: fc.record({
      kind: kind('edge.create'),
      ...pair,
      input: fc.record({
        weight,
        origin: fc.constantFrom('auto' as const, 'human' as const, 'import' as const),
      }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: kind('edge.weigh'), ...pair, weight }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: kind('edge.status'),
      ...pair,
      status: fc.constantFrom<EdgeStatus>('proposed', 'accepted', 'rejected'),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: kind('edge.support'),
      ...pair,
      support: fc.constantFrom<Support>('source', 'target', 'both'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: kind('edge.delete'), ...pair }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: kind('category.create'),
      category: aCategory,
      parent: fc.option(aCategory),
      input: categoryInput.map((input) => ({ title: 'Subject', ...input })),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: kind('category.update'), category: aCategory, input: categoryInput }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: kind('category.move'), category: aCategory, parent: fc.option(aCategory) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: kind('category.delete'), category: aCategory }) },
);

/** What a sequence may start from, so that the commands after it find something. */
const BEGINNING: readonly GraphCommand[] = [
  ...[0, 1, 2, 3].map((number) => ({
    kind: 'node.create' as const,
    node: number,
    input: { title: `Note ${number}`, source: { kind: 'import' as const, key: `vault/${number}.md` } },
  })),
  ...[0, 1, 2].map((number) => ({
    kind: 'category.create' as const,
    category: number,
    parent: number === 0 ? null : number - 1,
    input: { title: 'Subject' },
  })),
  ...[0, 1, 2].map((number) => ({
    kind: 'edge.create' as const,
    source: number,
    target: number + 1,
    type: 'related' as const,
    input: { origin: 'auto' as const, weight: 0.5 },
  })),
  { kind: 'edge.status', source: 0, target: 1, type: 'related', status: 'accepted' },
];

export const graphCommands: fc.Arbitrary<readonly GraphCommand[]> = fc
  .tuple(
    fc.constantFrom(BEGINNING, BEGINNING, []),
    fc.array(graphCommand, { minLength: 10, maxLength: 50, size: 'max' }),
  )
  .map(([beginning, rest]) => [...beginning, ...rest]);

/** Where commands are carried out: maps in memory, or a transaction of the store. */
export interface Graph {
  readonly owner: OwnerId;
  readonly findNode: (id: NodeId) => Promise<Node | undefined>;
  readonly findPair: (a: NodeId, b: NodeId, type: EdgeType) => Promise<Edge | undefined>;
  readonly edgesOf: (id: NodeId) => Promise<readonly Edge[]>;
  readonly categories: () => Promise<readonly Category[]>;
  readonly applyNode: (decision: Decision<Node, DomainEvent>) => void;
  readonly applyEdge: (decision: Decision<Edge, DomainEvent>) => void;
  readonly applyCategory: (decision: Decision<Category, DomainEvent>) => void;
}

/** Decides and applies one command. Throws the domain's refusals, and `not_found` and `conflict` of its own. */
export async function execute(command: GraphCommand, graph: Graph, now: Instant): Promise<void> {
  if ('source' in command) graph.applyEdge(await decideEdge(command, graph, now));
  else if ('node' in command) await executeOnNode(command, graph, now);
  else graph.applyCategory(await decideCategory(command, graph, now));
}

async function executeOnNode(
  command: Extract<GraphCommand, { node: number }>,
  graph: Graph,
  now: Instant,
): Promise<void> {
  const id = nodeIdOf(command.node);
  const found = await graph.findNode(id);
  if (command.kind === 'node.create') {
    if (found) throw new BrainError('conflict', `node ${id} exists`);
    return graph.applyNode(node.createNode(command.input, { id, owner: graph.owner, now }));
  }
  const before = there(found);
  switch (command.kind) {
    case 'node.update':
      return graph.applyNode(node.updateNode(before, command.input, now));
    case 'node.archive':
      return graph.applyNode(node.archiveNode(before, now));
    case 'node.restore':
      return graph.applyNode(node.restoreNode(before, now));
    case 'node.delete':
      for (const of of await graph.edgesOf(id)) graph.applyEdge(edge.deleteEdge(of, 'person', now));
      return graph.applyNode(node.deleteNode(before, now));
    case 'node.assign': {
      const { confidence, method } = command;
      const to = there((await graph.categories()).find((c) => c.id === categoryIdOf(command.category)));
      return graph.applyNode(node.assignCategory(before, { categoryId: to.id, confidence, method }, now));
    }
    case 'node.unassign':
      return graph.applyNode(node.removeCategory(before, categoryIdOf(command.category), now));
  }
}

let edgesMade = 0;

async function decideEdge(
  command: Extract<GraphCommand, OfPair>,
  graph: Graph,
  now: Instant,
): Promise<Decision<Edge, DomainEvent>> {
  const [a, b] = [nodeIdOf(command.source), nodeIdOf(command.target)];
  const existing = await graph.findPair(a, b, command.type);
  if (command.kind === 'edge.create') {
    const ends = { source: there(await graph.findNode(a)), target: there(await graph.findNode(b)), existing };
    const made = { id: value.edgeId(uuid(2, ++edgesMade)), now };
    return edge.createEdge({ ...command.input, type: command.type }, ends, made);
  }
  const before = there(existing);
  switch (command.kind) {
    case 'edge.weigh':
      return edge.updateWeight(before, { weight: command.weight }, now);
    case 'edge.status':
      return edge.setStatus(before, command.status, now);
    case 'edge.support':
      return edge.changeSupport(before, command.support, now);
    case 'edge.delete':
      return edge.deleteEdge(before, 'person', now);
  }
}

async function decideCategory(
  command: Extract<GraphCommand, { kind: `category.${string}` }>,
  graph: Graph,
  now: Instant,
): Promise<Decision<Category, DomainEvent>> {
  const tree = new category.CategoryTree(await graph.categories());
  const id = categoryIdOf(command.category);
  const parentId = 'parent' in command && command.parent !== null ? categoryIdOf(command.parent) : null;
  if (command.kind === 'category.create') {
    if (tree.find(id)) throw new BrainError('conflict', `category ${id} exists`);
    return category.createCategory({ ...command.input, parentId }, tree, { id, owner: graph.owner, now });
  }
  const before = there(tree.find(id));
  switch (command.kind) {
    case 'category.update':
      return category.updateCategory(before, command.input, now);
    case 'category.move':
      return category.moveCategory(before, parentId, tree, now);
    case 'category.delete':
      return category.deleteCategory(before, tree, now);
  }
}

function there<T>(found: T | undefined): T {
  if (found === undefined) throw new BrainError('not_found', 'it is not there');
  return found;
}
