import { describe, expect, it } from 'vitest';
import { MemoryTable } from '../../test/support/memory-table.ts';
import { at, OWNER } from '../../test/support/arbitraries.ts';
import { ownerId } from '../domain/values.ts';
import { Store } from '../storage/store.ts';
import { DeprecatedCallCounter } from './deprecated-calls.ts';

/** A counter on a table that counts its commits, and fails while it is told to. */
function counterOn() {
  const table = new MemoryTable();
  const state = { commits: 0, fails: false };
  const transact = table.transact.bind(table);
  table.transact = async (transactions) => {
    if (state.fails) throw new Error('the disk is full');
    state.commits += 1;
    return transact(transactions);
  };
  let epochs = 0;
  const store = new Store({
    table,
    now: () => at(0),
    newEpoch: () => `epoch${++epochs}`,
    correlationId: () => '-',
  });
  return { state, counter: new DeprecatedCallCounter({ store }) };
}

const A = { operation: 'GET /api/v1/nodes' };

describe('counting calls of what is deprecated', () => {
  it('writes nothing for a call, and once for very many when they are stored', async () => {
    const { state, counter } = counterOn();
    for (let call = 0; call < 1000; call++) counter.count(OWNER, A, at(call));
    expect(state.commits).toBe(0);
    await counter.flush();
    await counter.flush();
    expect(state.commits).toBe(1);
    expect(await counter.list(OWNER)).toEqual([{ ...A, count: 1000, firstAt: at(0), lastAt: at(999) }]);
  });

  it('stores more operations and tokens than fit in a transaction', async () => {
    const { counter } = counterOn();
    const calls = Array.from({ length: 130 }, (_, one) => ({ ...A, tokenId: `token${one}` }));
    for (const [second, call] of calls.entries()) counter.count(OWNER, call, at(second));
    const listed = await counter.list(OWNER);
    expect(listed.map(({ tokenId }) => tokenId)).toEqual(calls.map(({ tokenId }) => tokenId).reverse());
  });

  it('keeps what could not be stored for the next time, of every owner', async () => {
    const { state, counter } = counterOn();
    const other = ownerId('other');
    counter.count(OWNER, A, at(2));
    counter.count(other, A, at(2));
    state.fails = true;
    await expect(counter.flush()).rejects.toThrow('the disk is full');
    counter.count(OWNER, A, at(1));
    state.fails = false;
    expect(await counter.list(OWNER)).toEqual([{ ...A, count: 2, firstAt: at(1), lastAt: at(2) }]);
    expect(await counter.list(other)).toMatchObject([{ count: 1 }]);
  });

  it('loses and doubles none when it is stored from several sides at once', async () => {
    const { counter } = counterOn();
    const flushes: Promise<void>[] = [];
    for (let call = 0; call < 50; call++) {
      counter.count(OWNER, A, at(call));
      flushes.push(counter.flush());
    }
    await Promise.all(flushes);
    expect(await counter.list(OWNER)).toMatchObject([{ count: 50 }]);
  });
});
