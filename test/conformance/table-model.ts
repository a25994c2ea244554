import * as fc from 'fast-check';
import { expect } from 'vitest';
import type { Condition, Item, Key, Op, QueryOptions, Table } from '../../src/storage/table.ts';

// Few partitions and sort keys, so that commands meet; and those where UTF-8 and UTF-16 order differ.
const PARTITIONS = ['p', 'q'];
const SORT_KEYS = [
  'A',
  'a',
  'a#',
  'a#1',
  'a#10',
  'a#2',
  'ab',
  'b',
  'é',
  '\ue000',
  '\uffff#',
  '😀',
  '😀#',
  '\u{10ffff}',
];
const KEYS = PARTITIONS.flatMap((pk) => SORT_KEYS.map((sk): Key => ({ pk, sk })));
const YEAR_SECONDS = 31_536_000;

export type Command =
  | { readonly kind: 'transact'; readonly transactions: readonly (readonly Op[])[] }
  | { readonly kind: 'get'; readonly key: Key }
  | { readonly kind: 'batchGet'; readonly keys: readonly Key[] }
  | { readonly kind: 'query'; readonly pk: string; readonly options: QueryOptions };

const key = fc.constantFrom(...KEYS);
const version = fc.integer({ min: 1, max: 3 });
const condition: fc.Arbitrary<Condition | undefined> = fc.option(
  fc.oneof(fc.constantFrom('absent' as const, 'exists' as const), fc.record({ ver: version })),
  { nil: undefined, freq: 1 },
);
const inYears = (years: number): number => Math.floor(Date.now() / 1000) + years * YEAR_SECONDS;

const item: fc.Arbitrary<Item> = fc
  .record({
    key,
    value: fc.json({ maxDepth: 1 }),
    ver: fc.option(version, { nil: undefined }),
    ttl: fc.option(fc.constantFrom(inYears(-1), inYears(1)), { nil: undefined, freq: 3 }),
  })
  .map(({ key, value, ver, ttl }) => ({
    ...key,
    et: 'test.1',
    j: value,
    ...(ver !== undefined && { ver }),
    ...(ttl !== undefined && { ttl }),
  }));

const op: fc.Arbitrary<Op> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ put: item, if: condition }) },
  { weight: 3, arbitrary: fc.record({ del: key, if: condition }) },
  {
    weight: 1,
    arbitrary: fc
      .record({ check: key, if: condition })
      .map(({ check, if: c }) => ({ check, if: c ?? 'absent' })),
  },
);

const nameOf = (op: Op): string => {
  const { pk, sk } = 'put' in op ? op.put : 'del' in op ? op.del : op.check;
  return `${pk}\n${sk}`;
};

const transactions = fc.array(fc.uniqueArray(op, { selector: nameOf, maxLength: 5 }), {
  minLength: 1,
  maxLength: 3,
});

const options: fc.Arbitrary<QueryOptions> = fc.record(
  {
    prefix: fc.constantFrom('', ...SORT_KEYS),
    after: fc.constantFrom(...SORT_KEYS, 'a#11', '0', '\u{10ffff}z'),
    reverse: fc.boolean(),
    limit: fc.integer({ min: 1, max: 6 }),
  },
  { requiredKeys: [] },
);

export const commands: fc.Arbitrary<readonly Command[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('transact' as const), transactions }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('get' as const), key }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('batchGet' as const), keys: fc.array(key) }) },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('query' as const),
        pk: fc.constantFrom(...PARTITIONS),
        options,
      }),
    },
  ),
  { minLength: 5, maxLength: 40, size: 'max' },
);

/** All that a table is, as one flat list in the order of the bytes. */
class Model {
  #items: readonly Item[] = [];

  alive(): readonly Item[] {
    return this.#items.filter((i) => i.ttl === undefined || i.ttl > Date.now() / 1000);
  }

  find(key: Key): Item | undefined {
    return this.alive().find((i) => i.pk === key.pk && i.sk === key.sk);
  }

  /** How many of the transactions are applied. */
  transact(transactions: readonly (readonly Op[])[]): number {
    const refused = transactions.findIndex((ops) => {
      if (!ops.every((op) => this.#holds(op))) return true;
      for (const op of ops) this.#apply(op);
      return false;
    });
    return refused === -1 ? transactions.length : refused;
  }

  #holds(op: Op): boolean {
    const found = this.find('put' in op ? op.put : 'del' in op ? op.del : op.check);
    switch (op.if) {
      case undefined:
        return true;
      case 'absent':
        return !found;
      case 'exists':
        return !!found;
      default:
        return found?.ver === op.if.ver;
    }
  }

  #apply(op: Op): void {
    if ('check' in op) return;
    const { pk, sk } = 'put' in op ? op.put : op.del;
    const others = this.#items.filter((i) => i.pk !== pk || i.sk !== sk);
    this.#items = ('put' in op ? [...others, op.put] : others).toSorted((a, b) => bytes(a.sk, b.sk));
  }
}

function bytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function expectedPage(model: Model, pk: string, { prefix, after, reverse, limit }: QueryOptions): object {
  let found = model.alive().filter((i) => i.pk === pk && i.sk.startsWith(prefix ?? ''));
  if (reverse) found = found.toReversed();
  if (after !== undefined)
    found = found.filter((i) => (reverse ? bytes(i.sk, after) < 0 : bytes(i.sk, after) > 0));
  const items = found.slice(0, limit);
  return items.length < found.length ? { items, next: items.at(-1)?.sk } : { items };
}

/** Gives each command to the model and, in turn, to one of the connections; all they answer must be equal. */
export async function runAgainstModel(
  connections: readonly Table[],
  partitionPrefix: string,
  sequence: readonly Command[],
): Promise<void> {
  const model = new Model();
  const inner = <T extends Key>(outer: T): T => ({ ...outer, pk: outer.pk.slice(partitionPrefix.length) });
  const outer = <T extends Key>(inner: T): T => ({ ...inner, pk: `${partitionPrefix}${inner.pk}` });
  const outerOp = (op: Op): Op =>
    'put' in op
      ? { ...op, put: outer(op.put) }
      : 'del' in op
        ? { ...op, del: outer(op.del) }
        : { ...op, check: outer(op.check) };

  for (const [index, command] of sequence.entries()) {
    const table = connections[index % connections.length];
    if (!table) throw new Error('no connection');
    switch (command.kind) {
      case 'transact': {
        const outcome = await table.transact(command.transactions.map((ops) => ops.map(outerOp)));
        expect(outcome.applied).toBe(model.transact(command.transactions));
        expect(outcome.refused !== undefined).toBe(outcome.applied < command.transactions.length);
        break;
      }
      case 'get': {
        const found = await table.get(outer(command.key));
        expect(found && inner(found)).toEqual(model.find(command.key));
        break;
      }
      case 'batchGet': {
        const found = await table.batchGet(command.keys.map(outer));
        const expected = model
          .alive()
          .filter((i) => command.keys.some((k) => k.pk === i.pk && k.sk === i.sk));
        const byKey = (a: Key, b: Key): number => bytes(a.sk, b.sk) || bytes(a.pk, b.pk);
        expect(found.map(inner).toSorted(byKey)).toEqual(expected.toSorted(byKey));
        break;
      }
      case 'query': {
        const page = await table.query(`${partitionPrefix}${command.pk}`, command.options);
        expect({ ...page, items: page.items.map(inner) }).toEqual(
          expectedPage(model, command.pk, command.options),
        );
        break;
      }
    }
  }
}
