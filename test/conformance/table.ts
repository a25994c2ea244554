import { isDeepStrictEqual } from 'node:util';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TABLE_LIMITS, type Item, type Key, type Op, type Table } from '../../src/storage/table.ts';
import { commands, runAgainstModel } from './table-model.ts';

/** A fresh, empty table of an engine. `other` is a second connection to the same data, where the engine has such. */
export interface MadeTable {
  readonly table: Table;
  readonly other: Table;
  readonly dispose: () => Promise<void>;
}

export type MakeTable = () => Promise<MadeTable>;

/** How many generated cases an engine is given: what is quick to ask is asked more. */
export interface Sizes {
  readonly tableCases: number;
  readonly storeCases: number;
  /** Works that are waiting at the same time. */
  readonly worksAtOnce: number;
}

export const WITHIN_THE_PROCESS: Sizes = { tableCases: 150, storeCases: 250, worksAtOnce: 300 };

const item = (pk: string, sk: string, value: unknown = sk, more: Partial<Item> = {}): Item => ({
  pk,
  sk,
  et: 'test.1',
  j: JSON.stringify(value),
  ...more,
});

const put = (...items: readonly Item[]): Op[] => items.map((put) => ({ put }));
const nowSeconds = (): number => Math.floor(Date.now() / 1000);

/** The rules ST1 to ST14 of docs/spec/storage.md, for any engine. */
export function tableConformance(name: string, makeTable: MakeTable, sizes = WITHIN_THE_PROCESS): void {
  describe(`the table on ${name}`, () => {
    let made: MadeTable;
    let table: Table;
    let partitions = 0;
    /** A partition that no other test writes to. */
    const fresh = (): string => `p${++partitions}`;
    const sortKeys = async (pk: string): Promise<string[]> => (await table.query(pk)).items.map((i) => i.sk);

    beforeAll(async () => {
      made = await makeTable();
      table = made.table;
    });
    afterAll(() => made.dispose());

    const applied = async (...transactions: readonly (readonly Op[])[]): Promise<void> => {
      expect(await table.transact(transactions)).toEqual({ applied: transactions.length });
    };

    test('[ST1] get finds what was put, to the letter, from any connection', async () => {
      const pk = fresh();
      const whole = item(
        pk,
        'é#😀',
        { text: 'a\u0000b\n"\\ \u2028 😀', deep: [1, null] },
        { ver: 3, ttl: nowSeconds() + 1000 },
      );
      await applied(put(whole, item(pk, 'bare')));
      expect(await table.get(whole)).toEqual(whole);
      expect(await made.other.get(whole)).toEqual(whole);
      expect(await made.other.get({ pk, sk: 'bare' })).toEqual(item(pk, 'bare'));
      await applied(put(item(pk, 'bare', 'another', { ver: 2 })));
      expect(await made.other.get({ pk, sk: 'bare' })).toEqual(item(pk, 'bare', 'another', { ver: 2 }));
    });

    test('[ST1] what was deleted, and what was never put, is absent; deleting it again is no error', async () => {
      const pk = fresh();
      await applied(put(item(pk, 'a'), item(pk, 'b')));
      await applied([{ del: { pk, sk: 'a' } }]);
      await applied([{ del: { pk, sk: 'a' } }]);
      expect(await table.get({ pk, sk: 'a' })).toBeUndefined();
      expect(await table.get({ pk: fresh(), sk: 'b' })).toBeUndefined();
      expect(await sortKeys(pk)).toEqual(['b']);
    });

    test('[ST2] batchGet and has take more keys than any engine takes at once, and batchGet gives each item once', async () => {
      const pk = fresh();
      const items = Array.from({ length: 230 }, (_, i) => item(pk, `k${i}`));
      await applied(put(...items.slice(0, 100)), put(...items.slice(100, 200)), put(...items.slice(200)));
      const asked: Key[] = [...items, ...items.slice(0, 7), { pk, sk: 'none' }, { pk: fresh(), sk: 'k1' }];
      const found = await table.batchGet(asked);
      expect(found.toSorted((a, b) => a.sk.localeCompare(b.sk))).toEqual(
        items.toSorted((a, b) => a.sk.localeCompare(b.sk)),
      );
      expect(await table.batchGet([])).toEqual([]);
      const there = (await table.has(asked)).map((key) => key.sk);
      expect(new Set(there)).toEqual(new Set(items.map((i) => i.sk)));
      expect(await table.has([{ pk, sk: 'none' }])).toEqual([]);
    });

    test('[ST3] query orders by the bytes of UTF-8, not by UTF-16 units, forward and in reverse', async () => {
      const pk = fresh();
      const inOrder = ['A', 'B', 'a', 'a#1', 'aa', 'z', 'é', '\ue000', '\uffff', '😀', '\u{10ffff}'];
      await applied(put(...inOrder.toReversed().map((sk) => item(pk, sk))));
      expect(await sortKeys(pk)).toEqual(inOrder);
      expect((await table.query(pk, { reverse: true })).items.map((i) => i.sk)).toEqual(inOrder.toReversed());
    });

    test('[ST4] a key that equals the prefix begins with it; `after` is left out and need not exist', async () => {
      const pk = fresh();
      const all = ['a', 'a#', 'a#1', 'a#2', 'a\u{10ffff}x', 'b'];
      await applied(put(...all.map((sk) => item(pk, sk))));
      const query = async (options: object): Promise<string[]> =>
        (await table.query(pk, options)).items.map((i) => i.sk);
      expect(await query({ prefix: 'a#' })).toEqual(['a#', 'a#1', 'a#2']);
      expect(await query({ prefix: 'a' })).toEqual(all.slice(0, 5));
      expect(await query({ prefix: 'a#', after: 'a#1' })).toEqual(['a#2']);
      expect(await query({ prefix: 'a#', after: 'a#10' })).toEqual(['a#2']);
      expect(await query({ prefix: 'a#', after: 'a#1', reverse: true })).toEqual(['a#']);
      expect(await query({ prefix: 'a#', after: 'A' })).toEqual(['a#', 'a#1', 'a#2']);
      expect(await query({ prefix: 'a#', after: 'b' })).toEqual([]);
      expect(await query({ prefix: '\ue000', after: '😀' })).toEqual([]);
      expect(await query({ after: 'zzz', reverse: true })).toEqual(all.toReversed());
    });

    test.each([false, true])(
      '[ST5] pages give each item exactly once under concurrent writes (reverse: %s)',
      async (reverse) => {
        const pk = fresh();
        const stays = Array.from({ length: 40 }, (_, i) => `s${String(i).padStart(2, '0')}`);
        const goes = stays.map((sk) => `${sk}-goes`);
        await applied(put(...stays.map((sk) => item(pk, sk))), put(...goes.map((sk) => item(pk, sk))));
        const seen: string[] = [];
        let after: string | undefined;
        let page = 0;
        do {
          const { items, next } = await table.query(pk, { after, reverse, limit: 7 });
          expect(items.length).toBeLessThanOrEqual(7);
          seen.push(...items.map((i) => i.sk));
          after = next;
          page += 1;
          // On both sides of the boundary, and at it: deletes of what was there, and puts of what was not.
          const around = stays[page * 3] ?? 's';
          const gone = [goes[page], next?.endsWith('goes') ? next : undefined].filter(
            (sk) => sk !== undefined,
          );
          await applied([
            ...put(item(pk, `${next ?? 's'}+`), item(pk, `${around}+${page}`)),
            ...put(item(pk, `!${page}`), item(pk, `z${page}`)),
            ...[...new Set(gone)].map((sk): Op => ({ del: { pk, sk } })),
          ]);
        } while (after !== undefined);
        const ours = seen.filter((sk) => stays.includes(sk));
        expect(ours).toEqual(reverse ? stays.toReversed() : stays);
        expect(new Set(seen).size).toBe(seen.length);
      },
    );

    test('[ST5] a page has `next` only when there is more behind it', async () => {
      const pk = fresh();
      await applied(put(item(pk, 'a'), item(pk, 'b'), item(pk, 'c')));
      expect((await table.query(pk, { limit: 2 })).next).toBe('b');
      expect(await table.query(pk, { limit: 3 })).not.toHaveProperty('next');
      expect(await table.query(pk, { limit: 1, after: 'b' })).not.toHaveProperty('next');
      expect(await table.query(pk, { prefix: 'a', limit: 1 })).not.toHaveProperty('next');
      expect(await table.query(fresh(), { limit: 1 })).toEqual({ items: [] });
    });

    test('[ST5] a query without a limit gives all, however many bytes they take', async () => {
      const pk = fresh();
      const large = Array.from({ length: 9 }, (_, i) => item(pk, `k${i}`, 'x'.repeat(380_000)));
      await applied(...large.map((i) => put(i)));
      const { items, next } = await table.query(pk);
      expect(items.map((i) => [i.sk, i.j.length])).toEqual(large.map((i) => [i.sk, 380_002]));
      expect(next).toBeUndefined();
    });

    test('[ST6] conditions are judged on the state before the transaction, and one that fails stops all of it', async () => {
      const pk = fresh();
      await applied(put(item(pk, 'a', 1, { ver: 1 })));
      const refused = { check: { pk, sk: 'b' }, if: 'exists' } as const;
      expect(await table.transact([[...put(item(pk, 'c')), { del: { pk, sk: 'a' } }, refused]])).toEqual({
        applied: 0,
        refused: { op: refused },
      });
      expect(await sortKeys(pk)).toEqual(['a']);
      await applied([
        { put: item(pk, 'b'), if: 'absent' },
        { check: { pk, sk: 'a' }, if: { ver: 1 } },
      ]);
      expect(await sortKeys(pk)).toEqual(['a', 'b']);
    });

    const there = { ver: 4 };
    test.each<{
      readonly what: string;
      readonly sk: string;
      readonly condition: Op['if'];
      readonly holds: boolean;
    }>([
      { what: 'absent, of an item that is there', sk: 'a', condition: 'absent', holds: false },
      { what: 'absent, of none', sk: 'n', condition: 'absent', holds: true },
      { what: 'exists, of an item that is there', sk: 'a', condition: 'exists', holds: true },
      { what: 'exists, of none', sk: 'n', condition: 'exists', holds: false },
      { what: 'the current version', sk: 'a', condition: there, holds: true },
      { what: 'a stale version', sk: 'a', condition: { ver: 3 }, holds: false },
      { what: 'a version ahead', sk: 'a', condition: { ver: 5 }, holds: false },
      { what: 'a version, of none', sk: 'n', condition: { ver: 1 }, holds: false },
      { what: 'a version, of an item without one', sk: 'v', condition: { ver: 1 }, holds: false },
    ])(
      '[ST7] put, del and check under $what: holds = $holds; if not, nothing changes',
      async ({ sk, condition, holds }) => {
        if (condition === undefined) throw new Error('each case has a condition');
        const write = (pk: string): readonly Op[] => [
          { put: item(pk, sk, 'new', { ver: 9 }), if: condition },
          { del: { pk, sk }, if: condition },
          { check: { pk, sk }, if: condition },
        ];
        for (const kind of [0, 1, 2]) {
          const pk = fresh();
          await applied(put(item(pk, 'a', 'old', { ver: 4 }), item(pk, 'v', 'old')));
          const before = (await table.query(pk)).items;
          const op = write(pk)[kind];
          if (!op) throw new Error('no such operation');
          const outcome = await table.transact([[op, ...put(item(pk, 'beside'))]]);
          expect(outcome).toEqual(holds ? { applied: 1 } : { applied: 0, refused: { op } });
          const after = (await table.query(pk)).items;
          expect(after.some((i) => i.sk === 'beside')).toBe(holds);
          expect(holds || isDeepStrictEqual(after, before)).toBe(true);
        }
      },
    );

    test('[ST8] a series goes on from what it left itself, and stops at the first refusal', async () => {
      const pk = fresh();
      const stale: Op = { put: item(pk, 'a', 3, { ver: 3 }), if: { ver: 1 } };
      const outcome = await table.transact([
        [{ put: item(pk, 'a', 1, { ver: 1 }), if: 'absent' }],
        [{ put: item(pk, 'a', 2, { ver: 2 }), if: { ver: 1 } }, ...put(item(pk, 'b'))],
        [...put(item(pk, 'c')), stale],
        put(item(pk, 'd')),
      ]);
      expect(outcome).toEqual({ applied: 2, refused: { op: stale } });
      expect((await table.query(pk)).items).toEqual([item(pk, 'a', 2, { ver: 2 }), item(pk, 'b')]);
      expect(await table.transact([])).toEqual({ applied: 0 });
      expect(await table.transact([[], []])).toEqual({ applied: 2 });
    });

    test('[ST9] of transactions that race for one version, one is applied each time, from any connection', async () => {
      const pk = fresh();
      const wins: unknown[] = [];
      for (let ver = 1; ver <= 10; ver++) {
        const condition = ver === 1 ? 'absent' : { ver: ver - 1 };
        const outcomes = await Promise.all(
          [table, made.other, table, made.other].map(async (racer, lane) => ({
            lane,
            ...(await racer.transact([[{ put: item(pk, 'a', { ver, lane }, { ver }), if: condition }]])),
          })),
        );
        const won = outcomes.filter((o) => o.applied === 1);
        expect(won).toHaveLength(1);
        wins.push({ ver, lane: won[0]?.lane });
        expect(JSON.parse((await table.get({ pk, sk: 'a' }))?.j ?? 'null')).toEqual(wins.at(-1));
      }
    });

    test('[ST15] calls of one partition are applied in the order of the calls, before any is answered', async () => {
      const pk = fresh();
      const steps = Array.from({ length: 30 }, (_, step) => step + 1);
      const outcomes = await Promise.all(
        steps.map((ver) => {
          const put = item(pk, 'a', { ver }, { ver });
          return table.transact([[{ put, if: ver === 1 ? 'absent' : { ver: ver - 1 } }]]);
        }),
      );
      expect(outcomes).toEqual(steps.map(() => ({ applied: 1 })));
      expect((await table.get({ pk, sk: 'a' }))?.ver).toBe(steps.length);
    });

    test('[ST15] a call that is refused keeps those behind it from nothing', async () => {
      const pk = fresh();
      const [refused, stands, fits] = await Promise.all([
        table.transact([[{ put: item(pk, 'a', 1, { ver: 2 }), if: { ver: 1 } }]]),
        table.transact([[{ put: item(pk, 'b', 2, { ver: 3 }), if: { ver: 2 } }]]),
        table.transact([[{ put: item(pk, 'c', 3), if: 'absent' }]]),
      ]);
      expect([refused.applied, stands.applied, fits.applied]).toEqual([0, 0, 1]);
    });

    test('[ST10] an item past its ttl is absent for reads and conditions, and can be put anew', async () => {
      const pk = fresh();
      const past = item(pk, 'b', 'past', { ver: 1, ttl: nowSeconds() - 10 });
      await applied(
        put(item(pk, 'a'), past, item(pk, 'c'), item(pk, 'd', 'later', { ttl: nowSeconds() + 1000 })),
      );
      expect(await table.get(past)).toBeUndefined();
      expect((await table.batchGet([past, { pk, sk: 'c' }])).map((i) => i.sk)).toEqual(['c']);
      expect(await table.has([past])).toEqual([]);
      expect(await sortKeys(pk)).toEqual(['a', 'c', 'd']);
      expect((await table.query(pk, { limit: 2 })).items.map((i) => i.sk)).toEqual(['a', 'c']);
      expect((await table.transact([[{ check: past, if: 'exists' }]])).applied).toBe(0);
      expect((await table.transact([[{ check: past, if: { ver: 1 } }]])).applied).toBe(0);
      await applied([{ put: item(pk, 'b', 'new', { ver: 7 }), if: 'absent' }]);
      expect(await table.get(past)).toEqual(item(pk, 'b', 'new', { ver: 7 }));
    });

    const long = (bytes: number): string => 'é'.repeat(bytes / 2);
    test.each<{ readonly what: string; readonly ops: (pk: string) => Op[] }>([
      {
        what: 'more than 100 operations',
        ops: (pk) =>
          put(...Array.from({ length: TABLE_LIMITS.opsInTransaction + 1 }, (_, i) => item(pk, `k${i}`))),
      },
      { what: 'an item above 390,000 bytes', ops: (pk) => put(item(pk, 'a', long(TABLE_LIMITS.itemBytes))) },
      {
        what: 'a transaction above 3,900,000 bytes',
        ops: (pk) => put(...Array.from({ length: 11 }, (_, i) => item(pk, `k${i}`, 'x'.repeat(380_000)))),
      },
      {
        what: 'a sort key above 1,024 bytes',
        ops: (pk) => put(item(pk, `${long(TABLE_LIMITS.sortKeyBytes)}x`)),
      },
      { what: 'an empty sort key', ops: (pk) => put(item(pk, '')) },
      {
        what: 'a partition key above 2,048 bytes',
        ops: () => put(item(`${long(TABLE_LIMITS.partitionKeyBytes)}x`, 'a')),
      },
      { what: 'an empty partition key', ops: () => [{ del: { pk: '', sk: 'a' } }] },
    ])('[ST11] $what: too_large, and nothing of the call is applied', async ({ ops }) => {
      const pk = fresh();
      await expect(table.transact([put(item(pk, 'first')), ops(pk)])).rejects.toMatchObject({
        code: 'too_large',
      });
      expect(await sortKeys(pk)).toEqual([]);
    });

    test('[ST11] what is just within the limits is taken', async () => {
      const pk = fresh();
      const sk = long(TABLE_LIMITS.sortKeyBytes);
      const largest = item(
        pk,
        sk,
        'x'.repeat(TABLE_LIMITS.itemBytes - TABLE_LIMITS.sortKeyBytes - pk.length - 66),
      );
      await applied(put(largest, ...Array.from({ length: 99 }, (_, i) => item(pk, `k${i}`))));
      expect(await table.get(largest)).toEqual(largest);
      expect(await sortKeys(pk)).toHaveLength(100);
    });

    test('[ST12] a transaction that names a key twice is refused, and nothing of the call is applied', async () => {
      const pk = fresh();
      const twice: Op[] = [{ check: { pk, sk: 'a' }, if: 'absent' }, ...put(item(pk, 'a'))];
      await expect(table.transact([put(item(pk, 'b')), twice])).rejects.toMatchObject({ code: 'internal' });
      expect(await sortKeys(pk)).toEqual([]);
      await applied(put(item(pk, 'a')), put(item(pk, 'a', 2)));
    });

    test('[ST13] what one connection was told is applied, a new one finds', async () => {
      const pk = fresh();
      const items = Array.from({ length: 20 }, (_, i) => item(pk, `k${String(i).padStart(2, '0')}`));
      await Promise.all(items.map((i) => applied(put(i))));
      expect((await made.other.query(pk)).items).toEqual(items);
    });

    test('[ST14] a closed table answers every call with `unavailable`', async () => {
      const closing = await makeTable();
      await closing.table.close();
      await closing.table.close();
      const key = { pk: 'p', sk: 's' };
      await expect(closing.table.get(key)).rejects.toMatchObject({ code: 'unavailable' });
      await expect(closing.table.batchGet([key])).rejects.toMatchObject({ code: 'unavailable' });
      await expect(closing.table.query('p')).rejects.toMatchObject({ code: 'unavailable' });
      await expect(closing.table.transact([put(item('p', 's'))])).rejects.toMatchObject({
        code: 'unavailable',
      });
      await closing.dispose();
    });

    test('[ST1 ST2 ST3 ST4 ST5 ST6 ST7 ST8 ST10] any sequence of calls gives what the model gives', async () => {
      let calls = 0;
      const property = fc.asyncProperty(commands, async (sequence) => {
        await runAgainstModel([table, made.other], `${fresh()}-`, sequence);
        calls += sequence.length;
      });
      await fc.assert(property, {
        numRuns: sizes.tableCases,
        endOnFailure: sizes !== WITHIN_THE_PROCESS, // over a socket, one that goes wrong now and then, it would take hours
      });
      expect(calls).toBeGreaterThan(4 * sizes.tableCases);
    });
  });
}
