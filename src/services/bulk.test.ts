import { describe, expect, it } from 'vitest';
import { OWNER } from '../../test/support/arbitraries.ts';
import { MemoryTable } from '../../test/support/memory-table.ts';
import { servicesOver } from '../../test/support/services-over.ts';
import { BrainError } from '../domain/error.ts';
import type { NodeId } from '../domain/values.ts';
import type { BulkResult } from './bulk-items.ts';

const ITEMS = ['Sleep', 'Melatonin', 'Tea'].map((title) => ({
  item: { title, content: 'the circadian clock keeps the evening' },
}));
const ABOUT = { name: 'one', asked: 'this' };
/** A note a transaction, so that one of them can fail alone. */
const ROUND = { works: 1, ms: 0 };

/** A process, and one bulk that it is sent under a name. */
function place({ table = new MemoryTable(), beforeLinking = async () => {} } = {}) {
  const { services } = servicesOver(table, { beforeLinking, round: ROUND });
  const { bulk, nodes, receipts } = services;
  const keeping = () => receipts.keeping<BulkResult>(ABOUT, answerOf);
  return {
    nodes,
    send: (keep = keeping()) => bulk.create(OWNER, 'partial', ITEMS, keep),
    /** As of a process that ends before the answer is kept. */
    cutOff() {
      const { plan } = keeping();
      const keep = () => Promise.reject(new BrainError('aborted', 'the process has ended'));
      return bulk.create(OWNER, 'partial', ITEMS, Object.assign(keep, { plan }));
    },
    kept: async () => (await receipts.find(OWNER, ABOUT))?.answer,
    titles: async () =>
      (await nodes.list(OWNER, { sort: 'createdAt' }, { limit: 10 })).items.map(({ title }) => title),
  };
}

const told = (outcome: BulkResult['outcomes'][number]) =>
  'error' in outcome ? outcome.error.code : { id: outcome.id, version: outcome.node?.version };
const answerOf = ({ outcomes, edges, isLinked }: BulkResult) => ({
  items: outcomes.map(told),
  edges: edges.length,
  isLinked,
});
const idsOf = ({ outcomes }: BulkResult) =>
  outcomes.map((one) => ('id' in one ? one.id : undefined)) as [NodeId, NodeId, NodeId];

describe('a bulk that was cut off and is sent again', () => {
  it('makes no note anew that was deleted meanwhile, and tells each as it was made', async () => {
    const { nodes, send, cutOff, titles } = place();
    const first = await cutOff();
    const [sleep, melatonin, tea] = idsOf(first);
    await nodes.delete(OWNER, sleep);
    await nodes.patch(OWNER, melatonin, { input: { title: 'The hormone' } });
    await nodes.patch(OWNER, tea, { input: {}, archived: true });
    const second = await send();
    expect([second.outcomes.map(told), second.isLinked]).toEqual([first.outcomes.map(told), true]);
    expect(await titles()).toEqual(['The hormone']);
  });

  it('has the links made that were not', async () => {
    let isLost = true;
    const { send, cutOff } = place({
      async beforeLinking() {
        if (isLost) throw new BrainError('unavailable', 'the process has ended');
      },
    });
    const first = await cutOff();
    isLost = false;
    const second = await send();
    expect([first, second].map(answerOf)).toEqual([
      { items: first.outcomes.map(told), edges: 0, isLinked: false },
      { items: first.outcomes.map(told), edges: 3, isLinked: true },
    ]);
  });
});

describe('a bulk of which something failed', () => {
  it('goes on, sent again, with what could not be stored, and makes nothing anew that was deleted meanwhile', async () => {
    const table = new MemoryTable();
    const transact = table.transact.bind(table);
    let isBusy = true;
    table.transact = async (transactions) => {
      if (isBusy && JSON.stringify(transactions).includes('Tea'))
        throw new BrainError('unavailable', 'the table is busy');
      return transact(transactions);
    };
    const { nodes, send, kept, titles } = place({ table });
    const first = await send();
    expect([first.outcomes.map(told)[2], await kept()]).toEqual(['unavailable', undefined]);
    await nodes.delete(OWNER, idsOf(first)[0]);
    isBusy = false;
    const second = await send();
    expect(second.outcomes.map(told).slice(0, 2)).toEqual(first.outcomes.map(told).slice(0, 2));
    expect(await titles()).toEqual(['Melatonin', 'Tea']);
    expect(await kept()).toEqual(answerOf(second));
  });

  it('keeps its answer also where its links are only promised', async () => {
    const { send, kept } = place({
      beforeLinking: () => Promise.reject(new BrainError('unavailable', 'no linking now')),
    });
    const first = await send();
    expect([first.isLinked, await kept()]).toEqual([false, answerOf(first)]);
  });
});
