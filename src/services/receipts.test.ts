import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { nodeIdOf, OWNER } from '../../test/support/arbitraries.ts';
import { MemoryTable } from '../../test/support/memory-table.ts';
import { instant } from '../domain/values.ts';
import { Store } from '../storage/store.ts';
import { receiptService } from './receipts.ts';

it('an answer that is kept once more is no other process’s where another writer was first', async () => {
  const table = new MemoryTable();
  const now = () => instant(Date.now());
  const newStore = () => new Store({ table, now, newEpoch: () => 'e', correlationId: () => 'call-1' });
  const [store, rival] = [newStore(), newStore()];
  const receipts = receiptService({ store });
  const about = { name: 'one', asked: 'this' };
  const keep = receipts.keeping<string>(about, (answer) => answer);
  await store.write(OWNER, (tx) => keep(tx, 'stored'));
  let runs = 0;
  await store.write(OWNER, async (tx) => {
    await keep(tx, 'stored and linked');
    if (++runs > 1) return;
    await rival.write(OWNER, async (other) =>
      other.pending.replace(undefined, { kind: 'link', nodeId: nodeIdOf(1) }),
    );
  });
  expect(runs).toBe(2);
  expect(await receipts.find(OWNER, about)).toMatchObject({ answer: 'stored and linked' });
});

it('an answer of many parts is read whole, also while it is kept once more', async () => {
  const table = new MemoryTable();
  const now = () => instant(Date.now());
  const store = new Store({ table, now, newEpoch: () => 'e', correlationId: () => 'call-1' });
  const receipts = receiptService({ store });
  const about = { name: 'one', asked: 'this' };
  const keep = receipts.keeping<string>(about, (answer) => answer);
  const [first, second] = [1, 2].map(() => randomBytes(400_000).toString('base64')) as [string, string];
  await store.write(OWNER, (tx) => keep(tx, first));
  const get = table.get.bind(table);
  table.get = async (key) => {
    const item = await get(key);
    if (item?.et.startsWith('receipt.')) {
      table.get = get;
      await store.write(OWNER, (tx) => keep(tx, second));
    }
    return item;
  };
  expect(await receipts.find(OWNER, about)).toMatchObject({ answer: second });
});
