import { afterEach, describe, expect, test, vi } from 'vitest';
import { MemoryTable } from '../../test/support/memory-table.ts';
import { at, nodeIdOf } from '../../test/support/arbitraries.ts';
import { BrainError } from '../domain/error.ts';
import { createEdge, type Reason } from '../domain/edge.ts';
import { createNode, type NodeInput } from '../domain/node.ts';
import { LIMITS } from '../domain/limits.ts';
import { edgeId, ownerId } from '../domain/values.ts';
import { Store } from './store.ts';
import type { Op, Outcome } from './table.ts';
import type { Tx } from './transaction.ts';

const owner = ownerId('alice');
/** However slow the machine is, what is asked for in one turn is one round. */
const round = { works: 32, ms: 60_000 };
const storeOver = (table: MemoryTable, patienceMs?: number): Store =>
  new Store({
    table,
    round,
    now: () => at(0),
    newEpoch: () => 'e',
    correlationId: () => 'call-1',
    patienceMs,
  });

function create(tx: Tx, number: number, input: NodeInput = { title: `Note ${number}` }): void {
  tx.nodes.apply(createNode(input, { id: nodeIdOf(number), owner: tx.owner, now: tx.now }));
}

/** A table whose writes do what the test says, one after the other. */
class TestTable extends MemoryTable {
  onTransact: (apply: () => Promise<Outcome>) => Promise<Outcome> = (apply) => apply();
  calls = 0;
  #last: Promise<unknown> | undefined;

  override transact(transactions: readonly (readonly Op[])[]): Promise<Outcome> {
    this.calls += 1;
    const apply = (): Promise<Outcome> => this.onTransact(() => super.transact(transactions));
    const outcome = this.#last ? this.#last.then(apply) : apply();
    const last: Promise<void> = outcome.then(
      () => this.#end(last),
      () => this.#end(last),
    );
    this.#last = last;
    return outcome;
  }

  #end(call: Promise<unknown>): void {
    if (this.#last === call) this.#last = undefined;
  }
}

const ifNew = async (tx: Tx): Promise<void> => {
  if (await tx.nodes.find(nodeIdOf(1))) throw new BrainError('conflict', 'it exists');
  create(tx, 1);
};

afterEach(() => void vi.restoreAllMocks());

describe('the writer of an owner', () => {
  test('[ST21] does not answer a refusal that stands on a state which did not become durable', async () => {
    const table = new TestTable();
    const store = storeOver(table);
    table.onTransact = async () => Promise.reject(new BrainError('storage_full', 'full'));
    const outcomes = await Promise.allSettled([store.write(owner, ifNew), store.write(owner, ifNew)]);
    expect(outcomes).toMatchObject([
      { reason: { code: 'storage_full' } },
      { reason: { code: 'storage_full' } },
    ]);
    table.onTransact = (apply) => apply();
    await store.write(owner, ifNew);
    await expect(store.write(owner, ifNew)).rejects.toMatchObject({ code: 'conflict' });
  });

  test('[ST21] refuses all who wait where the head cannot be read, and goes on once it can', async () => {
    const table = new TestTable();
    const store = storeOver(table);
    let reads = 0;
    table.get = async () => {
      if (++reads > 100) return undefined; // asked again and again, nothing else would have its turn
      throw new BrainError('corrupt', 'the head is damaged');
    };
    const writes = [store.write(owner, ifNew), store.write(owner, ifNew, { bulk: true })];
    expect(await Promise.allSettled(writes)).toMatchObject([
      { reason: { code: 'corrupt' } },
      { reason: { code: 'corrupt' } },
    ]);
    expect([reads, store.waiting]).toEqual([1, 0]);
    table.get = MemoryTable.prototype.get.bind(table);
    await store.write(owner, ifNew);
  });

  test('[ST24] decides work again for as long as it has patience, however often it is beaten', async () => {
    const table = new TestTable();
    const store = storeOver(table, 60_000);
    let beaten = 0;
    table.onTransact = async (apply) => (++beaten <= 15 ? { applied: 0 } : apply());
    await store.write(owner, ifNew);
    expect(table.calls).toBe(16);
  });

  test('[ST24] refuses work that was beaten too often as contended, with nothing written', async () => {
    const table = new TestTable();
    const store = storeOver(table, 0);
    table.onTransact = async () => ({ applied: 0 });
    await expect(store.write(owner, ifNew)).rejects.toMatchObject({ code: 'contended', retryable: true });
    expect(table.calls).toBe(12);
    expect(await store.head(owner)).toMatchObject({ seq: 0, version: 0 });
    table.onTransact = (apply) => apply();
    await store.write(owner, ifNew);
  });

  test('[ST24] runs again only what was not applied, and answers what was', async () => {
    const table = new TestTable();
    const store = storeOver(table);
    const runs: number[] = [];
    // Two transactions, for together they are too many operations; the second is refused once.
    const bulk = (from: number) => async (tx: Tx) => {
      runs.push(from);
      for (let n = from; n < from + 45; n++) create(tx, n);
    };
    let first = true;
    const transact = MemoryTable.prototype.transact.bind(table);
    table.transact = async (transactions) => {
      if (!first) return transact(transactions);
      first = false;
      return transact(transactions.slice(0, 1));
    };
    await Promise.all([store.write(owner, bulk(0)), store.write(owner, bulk(100))]);
    expect(runs).toEqual([0, 100, 100]);
    expect(await store.head(owner)).toMatchObject({ seq: 90, counts: { nodes: 90 } });
  });

  /** A table whose first commit ends when, and as, the test says; a second work comes while it is under way. */
  async function decidedAhead(first: (apply: () => Promise<Outcome>) => Promise<Outcome>) {
    const table = new TestTable();
    const store = storeOver(table);
    const released = Promise.withResolvers<void>();
    const decided = Promise.withResolvers<void>();
    const above = Promise.withResolvers<Promise<void>>();
    const seen: boolean[] = [];
    table.onTransact = async (apply) => {
      table.onTransact = (later) => later();
      const second = store.write(owner, async (tx) => {
        seen.push((await tx.nodes.find(nodeIdOf(1))) !== undefined);
        create(tx, 2);
        decided.resolve();
      });
      above.resolve(second);
      await released.promise;
      return first(apply);
    };
    const below = store.write(owner, async (tx) => create(tx, 1));
    const both = Promise.allSettled([below, above.promise]);
    await decided.promise;
    return { table, store, seen, release: () => released.resolve(), both };
  }

  test('[ST38] decides a round on top of the one that is being committed, and sends it behind that one', async () => {
    const { table, store, seen, release, both } = await decidedAhead((apply) => apply());
    release();
    await both;
    expect([seen, table.calls]).toEqual([[true], 2]);
    expect(await store.head(owner)).toMatchObject({ seq: 2, counts: { nodes: 2 } });
  });

  test.each([
    ['the table fails', () => Promise.reject(new BrainError('storage_full', 'full')), [true, false], [2]],
    ['another writer was first', () => Promise.resolve({ applied: 0 }), [true, true], [1, 2]],
  ])('[ST38] decides it again when %s below it', async (_what, first, sawBelow, stored) => {
    const { store, seen, release, both } = await decidedAhead(first);
    release();
    await both;
    expect(seen).toEqual(sawBelow);
    const nodes = (await store.read(owner).nodes.list()).items.map((node) => node.id);
    expect(nodes).toEqual(stored.map(nodeIdOf));
    expect((await store.head(owner)).seq).toBe(nodes.length);
  });

  test('[ST36] takes up bulk work when nobody else waits', async () => {
    const store = storeOver(new MemoryTable());
    const order: string[] = [];
    const write = (name: string, bulk: boolean) =>
      store.write(owner, async () => void order.push(name), { bulk });
    await Promise.all([
      write('bulk 1', true),
      write('one', false),
      write('bulk 2', true),
      write('two', false),
    ]);
    expect(order).toEqual(['one', 'two', 'bulk 1', 'bulk 2']);
  });

  test('[ST36] takes up bulk work however many others come', async () => {
    const store = storeOver(new MemoryTable());
    let others = 0;
    const other = async (): Promise<void> => {
      if (others++ < 500) void store.write(owner, other); // so that there is always one that waits
    };
    const seen = await Promise.all([
      store.write(owner, async () => others, { bulk: true }),
      store.write(owner, other),
    ]);
    expect(seen[0]).toBeLessThan(100);
  });

  test('waits for all that was accepted before it is drained', async () => {
    const store = storeOver(new MemoryTable());
    let done = 0;
    for (let n = 0; n < 300; n++)
      void store.write(owner, async (tx) => create(tx, n)).then(() => (done += 1));
    await store.drain();
    expect(done).toBe(300);
    expect((await store.head(owner)).seq).toBe(300);
  });
});

describe('the limits of a note', () => {
  const text = (length: number, unit = 'x'): string => unit.repeat(length);
  const many = (count: number, length: number): string[] =>
    Array.from({ length: count }, (_, n) => `${String(n).padStart(3, '0')}${text(length - 3, '€')}`);
  const largest: NodeInput = {
    title: text(LIMITS.titleLength, '€'),
    content: text(LIMITS.contentBytes),
    tags: many(LIMITS.tags, LIMITS.tagLength),
    aliases: many(LIMITS.aliases, LIMITS.titleLength),
    source: { kind: 'import', key: text(LIMITS.sourceKeyBytes), path: text(LIMITS.sourceKeyBytes) },
  };

  test('[ST33] let the largest note, with its event, be stored in one transaction', async () => {
    const store = storeOver(new MemoryTable());
    await store.write(owner, async (tx) => create(tx, 1, largest));
    expect((await store.read(owner).nodes.get(nodeIdOf(1))).tags).toHaveLength(LIMITS.tags);
  });

  test('[ST33] let the largest note of plain letters be stored together with all of its links', async () => {
    const store = storeOver(new MemoryTable());
    const letters = {
      ...largest,
      tags: many(32, 100).map((t) => t.replaceAll('€', 'x')),
      aliases: many(32, 500).map((a) => a.replaceAll('€', 'x')),
    };
    await store.write(owner, async (tx) => {
      create(tx, 1, letters);
      for (let n = 0; n < LIMITS.linksOfNode; n++) {
        const ends = { source: { id: nodeIdOf(1), owner }, target: { id: nodeIdOf(n + 2), owner } };
        const reasons = Array.from({ length: LIMITS.reasonsOfEdge }, (): Reason => ({
          kind: 'term',
          term: text(LIMITS.reasonTermLength),
          contribution: 0.123,
        }));
        const id = edgeId(`0190a7c4-5b3e-7000-8200-${String(n).padStart(12, '0')}`);
        tx.edges.apply(createEdge({ origin: 'auto', reasons }, ends, { id, now: tx.now }));
      }
    });
    expect(await store.read(owner).edges.of(nodeIdOf(1))).toHaveLength(LIMITS.linksOfNode);
  });

  test.each([
    { while: 'nobody else writes', other: false, calls: 1 },
    { while: 'somebody waits for a write, of whatever graph', other: true, calls: 4 },
  ])('[ST55] takes bulk works in rounds of their own size while $while', async ({ other, calls }) => {
    vi.spyOn(performance, 'now').mockReturnValue(0); // however slow the machine is, all of it is now
    const table = new TestTable();
    const store = storeOver(table);
    const bulk = Array.from({ length: 12 }, (_, number) =>
      store.write(owner, async (tx) => create(tx, number), { bulk: true }),
    );
    const others = other ? [store.write(ownerId('bob'), async (tx) => create(tx, 1))] : [];
    await Promise.all([...bulk, ...others]);
    expect(table.calls).toBe(calls);
  });
});
