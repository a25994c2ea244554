import { expect, test } from 'vitest';
import { MemoryTable } from '../../test/support/memory-table.ts';
import { instant, ownerId } from '../domain/values.ts';
import { Store } from '../storage/store.ts';
import { ownerService } from './owners.ts';

const [ANN, BOB, HOME] = ['ann', 'bob', 'home'].map(ownerId) as [never, never, never];

test('who has not come from one forgetting to the one after the next is not met any more, but known', async () => {
  const now = () => instant(Date.now());
  const store = new Store({
    table: new MemoryTable(),
    now,
    newEpoch: () => 'e',
    correlationId: () => '-',
  });
  const owners = ownerService({ store, resident: HOME });
  await owners.meet(ANN);
  await owners.meet(BOB);
  owners.forget();
  expect(owners.met()).toEqual([HOME, ANN, BOB]);
  expect(owners.meet(BOB)).toBeUndefined(); // he is remembered: there is nothing to wait for
  owners.forget();
  expect(owners.met()).toEqual([HOME, BOB]);
  owners.forget();
  expect(owners.met()).toEqual([HOME]);
  expect((await owners.known()).toSorted()).toEqual([ANN, BOB, HOME]);
  await owners.meet(ANN);
  expect(owners.met()).toEqual([HOME, ANN]);
});
