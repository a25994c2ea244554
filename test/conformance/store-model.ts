import * as fc from 'fast-check';
import { isBrainError } from '../../src/domain/error.ts';
import { edgeId, type OwnerId } from '../../src/domain/values.ts';
import { createEdge } from '../../src/domain/edge.ts';
import { createNode, updateNode, type NodeInput } from '../../src/domain/node.ts';
import { Store } from '../../src/storage/store.ts';
import type { Table } from '../../src/storage/table.ts';
import type { StoreOptions, Tx } from '../../src/storage/transaction.ts';
import {
  at,
  execute,
  graphCommands,
  nodeIdOf,
  type Graph,
  type GraphCommand,
} from '../support/arbitraries.ts';
import { collect } from './oracle.ts';

export const idsOf = (all: Iterable<{ readonly id: string }>): string[] => [...all].map((one) => one.id);
export const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, i) => from + i);

/** Makes stores over tables, as in as many processes; every look at their one clock is a moment later. */
export function storeMaker(): (table: Table, options?: Partial<StoreOptions>) => Store {
  let clock = 0;
  return (table, options) =>
    new Store({
      table,
      now: () => at(++clock),
      newEpoch: () => `epoch-${++clock}`,
      correlationId: () => 'call-1',
      ...options,
    });
}

export function create(tx: Tx, number: number, input: NodeInput = { title: `Note ${number}` }): void {
  tx.nodes.apply(createNode(input, { id: nodeIdOf(number), owner: tx.owner, now: tx.now }));
}

export async function update(tx: Tx, number: number, input: NodeInput): Promise<void> {
  tx.nodes.apply(updateNode(await tx.nodes.get(nodeIdOf(number)), input, tx.now));
}

export function connect(tx: Tx, a: number, b: number): void {
  const ends = { source: { id: nodeIdOf(a), owner: tx.owner }, target: { id: nodeIdOf(b), owner: tx.owner } };
  const id = edgeId(`0190a7c4-5b3e-7000-8200-${String(a * 1000 + b).padStart(12, '0')}`);
  tx.edges.apply(createEdge({ type: 'related' }, ends, { id, now: tx.now }));
}

interface WorkOfCommands {
  readonly commands: readonly GraphCommand[];
  /** `strict` throws at a command that is refused, `lenient` goes on, `throws` throws in any case, at its end. */
  readonly manner: 'strict' | 'lenient' | 'throws';
  /** Which of the stores it is given to. */
  readonly store: number;
}

const manner = fc.constantFrom<WorkOfCommands['manner']>('strict', 'lenient', 'lenient', 'throws');

/** Works that are given in groups, each group at once. */
export const works: fc.Arbitrary<readonly (readonly WorkOfCommands[])[]> = fc
  .record({
    commands: graphCommands,
    sizes: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 60, maxLength: 60 }),
    manners: fc.array(manner, { minLength: 60, maxLength: 60 }),
    stores: fc.array(fc.nat(), { minLength: 60, maxLength: 60 }),
    atOnce: fc.integer({ min: 1, max: 12 }),
  })
  .map(({ commands, sizes, manners, stores, atOnce }) => {
    const rest = [...commands];
    const all = sizes
      .map((size, n) => ({
        commands: rest.splice(0, size),
        manner: manners[n] ?? ('strict' as const),
        store: stores[n] ?? 0,
      }))
      .filter((work) => work.commands.length > 0);
    return Array.from({ length: Math.ceil(all.length / atOnce) }, (_, n) =>
      all.slice(n * atOnce, (n + 1) * atOnce),
    );
  });

export const boom = new Error('the work threw');
const isRefusal = (error: unknown): boolean =>
  (['invalid', 'conflict', 'not_found'] as const).some((code) => isBrainError(error, code));

export const graphOf = (tx: Tx): Graph => ({
  owner: tx.owner,
  findNode: (id) => tx.nodes.find(id),
  findPair: (a, b, type) => tx.edges.findPair(a, b, type),
  edgesOf: (id) => tx.edges.of(id),
  categories: () => collect(tx.categories.all()),
  applyNode: (decision) => tx.nodes.apply(decision),
  applyEdge: (decision) => tx.edges.apply(decision),
  applyCategory: (decision) => tx.categories.apply(decision),
});

/** Gives the works to the stores. Throws for every failure that is not a refusal of the domain. */
export async function runWorks(
  stores: readonly [Store, ...Store[]],
  owner: OwnerId,
  groups: readonly (readonly WorkOfCommands[])[],
): Promise<{ readonly done: number; readonly refused: number }> {
  const seen = { done: 0, refused: 0 };
  for (const group of groups) {
    const going = group.map(({ commands, manner, store }) =>
      (stores[store % stores.length] ?? stores[0]).write(owner, async (tx) => {
        for (const command of commands) {
          await execute(command, graphOf(tx), tx.now).catch((error: unknown) => {
            if (manner !== 'lenient' || !isRefusal(error)) throw error;
          });
        }
        if (manner === 'throws') throw boom;
      }),
    );
    for (const outcome of await Promise.allSettled(going)) {
      const reason: unknown = outcome.status === 'rejected' ? outcome.reason : undefined;
      if (reason !== undefined && reason !== boom && !isRefusal(reason)) throw reason;
      seen[reason === undefined ? 'done' : 'refused'] += 1;
    }
  }
  return seen;
}
