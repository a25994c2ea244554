import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { MemoryTable } from '../../test/support/memory-table.ts';
import { keyOf, type Item, type Key, type Op, type QueryOptions, type TableReader } from './table.ts';
import { UnitOfWork } from './unit-of-work.ts';

const SORT_KEYS = ['a', 'a#', 'a#1', 'a#2', 'ab', 'b', '\ue000', '😀', '😀#1'];
const key = fc.constantFrom(...['p', 'q'].flatMap((pk) => SORT_KEYS.map((sk): Key => ({ pk, sk }))));
const item = fc
  .record({ key, value: fc.nat({ max: 9 }) })
  .map(({ key, value }): Item => ({ ...key, et: 'test.1', j: String(value) }));
const change: fc.Arbitrary<Op> = fc.oneof(fc.record({ put: item }), fc.record({ del: key }));
const works = fc.array(fc.record({ ops: fc.array(change, { maxLength: 6 }), keeps: fc.boolean() }), {
  maxLength: 5,
});
const options: fc.Arbitrary<QueryOptions> = fc.record(
  {
    prefix: fc.constantFrom('', 'a', 'a#', '😀'),
    after: fc.constantFrom('', 'a', 'a#1', 'a#9', '\ue000', '😀'),
    reverse: fc.boolean(),
    limit: fc.integer({ min: 1, max: 5 }),
  },
  { requiredKeys: [] },
);

const byKey = (a: Key, b: Key): number => (a.pk + a.sk < b.pk + b.sk ? -1 : 1);

/** The items of each page, to the end. What `next` itself says is the reader's affair. */
async function pages(
  reader: TableReader,
  pk: string,
  options: QueryOptions,
): Promise<readonly (readonly Item[])[]> {
  const found: (readonly Item[])[] = [];
  let { after } = options;
  do {
    const page = await reader.query(pk, { ...options, after });
    found.push(page.items);
    after = page.next;
  } while (after !== undefined);
  return found;
}

test('[ST29] reads over a round give what reads of a table would give to which its works had been applied', async () => {
  const inputs = { stored: fc.array(item), works, options, keys: fc.array(key) };
  const property = fc.asyncProperty(fc.record(inputs), async ({ stored, works, options, keys }) => {
    const [base, expected] = [new MemoryTable(), new MemoryTable()];
    for (const put of stored) for (const table of [base, expected]) await table.transact([[{ put }]]);
    const unit = new UnitOfWork(base);
    for (const { ops, keeps } of works) {
      for (const op of ops) {
        if ('put' in op) unit.put(op.put);
        else unit.del(keyOf(op));
        if (keeps) await expected.transact([[op]]);
      }
      if (keeps) unit.seal();
      else unit.rollback();
    }
    for (const pk of ['p', 'q'])
      expect(await pages(unit, pk, options)).toEqual(await pages(expected, pk, options));
    expect([...(await unit.batchGet(keys))].sort(byKey)).toEqual(
      [...(await expected.batchGet(keys))].sort(byKey),
    );
    expect([...new Set(await unit.has(keys))].sort(byKey)).toEqual(
      [...new Set(await expected.has(keys))].sort(byKey),
    );
    for (const one of keys) expect(await unit.get(one)).toEqual(await expected.get(one));
  });
  await fc.assert(property, { numRuns: 4_000 });
});

test('[ST20] what a work did is known until it ends, and nothing of the work before it', () => {
  const unit = new UnitOfWork(new MemoryTable());
  const put = (sk: string): Item => ({ pk: 'p', sk, et: 'test.1', j: '1' });
  unit.put(put('a'));
  unit.put(put('b'));
  unit.del(put('a'));
  expect(unit.changes().ops).toEqual([{ del: { pk: 'p', sk: 'a' } }, { put: put('b') }]);
  unit.seal();
  unit.put(put('c'));
  expect(unit.changes().ops).toEqual([{ put: put('c') }]);
  unit.rollback();
  expect(unit.changes()).toEqual({ ops: [], events: [] });
});
