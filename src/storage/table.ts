import { Turns } from '../shared/turns.ts';

/**
 * The engine contract: partitions of items in the byte order of their sort keys, and transactions over them.
 * Everything above is written once over this; `docs/spec/storage.md` numbers its rules, and one conformance suite
 * holds every engine to them. The limits are DynamoDB's, so nothing passes on a laptop and fails on AWS.
 */
export const TABLE_LIMITS = {
  /** Items that one transaction may write or check. */
  opsInTransaction: 100,
  /** Bytes of an item: keys and payload in UTF-8. DynamoDB refuses above 400 KB. */
  itemBytes: 390_000,
  partitionKeyBytes: 2_048,
  sortKeyBytes: 1_024,
  /** Bytes of one transaction. DynamoDB refuses above 4 MB. */
  transactionBytes: 3_900_000,
} as const;

export interface Key {
  readonly pk: string;
  readonly sk: string;
}

export interface Item extends Key {
  /** Entity type and payload version, such as `node.1`. */
  readonly et: string;
  /** Version of the entity, for conditions. */
  readonly ver?: number | undefined;
  /** Unix seconds after which the item counts as absent; readers check it, engines may remove it any time later. */
  readonly ttl?: number | undefined;
  /** The payload, as one JSON text. */
  readonly j: string;
}

/** What must hold of the item under the key for the transaction to be applied. */
export type Condition = 'absent' | 'exists' | { readonly ver: number };

export type Op =
  | { readonly put: Item; readonly if?: Condition | undefined }
  | { readonly del: Key; readonly if?: Condition | undefined }
  | { readonly check: Key; readonly if: Condition };

export interface QueryOptions {
  /** Only sort keys that begin with this. */
  readonly prefix?: string | undefined;
  /** Only sort keys after this one (before it, in reverse). */
  readonly after?: string | undefined;
  readonly reverse?: boolean | undefined;
  readonly limit?: number | undefined;
  /** Only what the writes under way have changed: for a range of which the caller knows that nothing is stored. */
  readonly uncommitted?: boolean | undefined;
}

export interface Page {
  readonly items: readonly Item[];
  /** The sort key to go on `after`; absent on the last page. */
  readonly next?: string | undefined;
}

/** How many of the transactions were applied, and which condition stopped the next one. */
export interface Outcome {
  readonly applied: number;
  readonly refused?: { readonly op: Op } | undefined;
}

export interface TableReader {
  /** Strongly consistent. An item past its `ttl` is not found. */
  get(key: Key): Promise<Item | undefined>;
  /** Any number of keys; absent ones are left out, order is not kept. */
  batchGet(keys: readonly Key[]): Promise<readonly Item[]>;
  /** Which of the keys are there; payloads are not read. */
  has(keys: readonly Key[]): Promise<readonly Key[]>;
  /** Sort keys in the byte order of UTF-8. How the engine pages is invisible. */
  query(pk: string, options?: QueryOptions): Promise<Page>;
}

export interface Table extends TableReader {
  /**
   * Applies transactions in order, each whole or not at all, and stops at the first whose condition does not hold.
   * What is reported as applied is durable. Calls whose first operation is in one partition are applied in the order
   * of the calls, so the next may be made before the one that it stands on is answered. Throws `too_large` (nothing applied), `storage_full`, `read_only`,
   * `unavailable`, `corrupt`.
   */
  transact(transactions: readonly (readonly Op[])[]): Promise<Outcome>;
  /**
   * Runs `read` on all that is stored at one moment, whoever writes meanwhile and however long it takes: nobody waits
   * for it. Absent where the engine keeps no moment to read.
   */
  atRest?<T>(read: (from: TableReader) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

const ITEMS_A_PAGE = 500;

/** All items that a query asks for, read in pages of `limit`: memory is bounded by what the caller keeps. */
export async function* everyItem(
  reader: TableReader,
  pk: string,
  { limit = ITEMS_A_PAGE, ...options }: Pick<QueryOptions, 'prefix' | 'reverse' | 'limit'> = {},
): AsyncGenerator<Item> {
  const turns = new Turns();
  let after: string | undefined;
  do {
    if (turns.isOver) await turns.next();
    const page = await reader.query(pk, { ...options, after, limit });
    yield* page.items;
    after = page.next;
  } while (after !== undefined);
}

/** A key as one text, for maps. */
export function nameOf({ pk, sk }: Key): string {
  return `${pk}\n${sk}`;
}

export function keyOf(op: Op): Key {
  return 'put' in op ? op.put : 'del' in op ? op.del : op.check;
}

/** Whether `condition` holds of the item found under its key. */
export function holds(
  condition: Condition | undefined,
  found: { readonly ver?: number | undefined } | undefined,
): boolean {
  if (condition === undefined) return true;
  if (condition === 'absent') return found === undefined;
  if (condition === 'exists') return found !== undefined;
  return found?.ver === condition.ver;
}
