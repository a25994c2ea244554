import { randomUUID } from 'node:crypto';
import {
  BatchGetItemCommand,
  GetItemCommand,
  QueryCommand,
  ScanCommand,
  TransactWriteItemsCommand,
  type DynamoDBClient,
} from '@aws-sdk/client-dynamodb';
import { BrainError, isBrainError } from '../../domain/error.ts';
import { eachConcurrent } from '../../shared/each-concurrent.ts';
import { piecesOf } from '../../shared/pieces.ts';
import { checkLimits } from '../check-limits.ts';
import { holds, keyOf, nameOf, type Item, type Key, type Op, type Outcome, type Page } from '../table.ts';
import type { QueryOptions, Table } from '../table.ts';
import { compareSortKeys } from '../unit-of-work.ts';
import {
  isAlive,
  KEY_AND_TTL,
  keyAttributes,
  toItem,
  toKey,
  toWrite,
  type Attributes,
} from './attributes.ts';
import { dynamoError, refusedAt } from './dynamo-error.ts';
import { Patience, PATIENCE, type PatienceLimits } from './patience.ts';

/** DynamoDB's own limit. */
const KEYS_IN_BATCH = 100;
/** Batches of one call under way at once: 8 × 100 items of 2 KB are read in about the time of one. */
const BATCHES_AT_ONCE = 8;

export interface DynamoTableOptions {
  /** Must not retry by itself (`maxAttempts: 1`). Destroyed with the table. */
  readonly client: DynamoDBClient;
  readonly tableName: string;
  /** For `ttl`. */
  readonly nowSeconds?: () => number;
  readonly patience?: PatienceLimits | undefined;
  /** Told of an item that is not what was written, which is then given as it is; without it reads throw `corrupt`. */
  readonly onDamaged?: ((key: Key) => void) | undefined;
}

/**
 * The table on DynamoDB. Every read is strongly consistent. A transaction of a series is one request, with a token:
 * sent again after its answer was lost it is recognised as the same, and not applied twice.
 */
export class DynamoTable implements Table {
  readonly #client: DynamoDBClient;
  readonly #tableName: string;
  readonly #nowSeconds: () => number;
  readonly #limits: PatienceLimits;
  readonly #toItem: (attributes: Attributes) => Item;
  /** By partition, the last call that writes there; for as long as there is one. */
  readonly #lastWrites = new Map<string, Promise<Outcome>>();
  #closed = false;

  constructor({ client, tableName, nowSeconds, patience = PATIENCE, onDamaged }: DynamoTableOptions) {
    this.#client = client;
    this.#tableName = tableName;
    this.#nowSeconds = nowSeconds ?? (() => Math.floor(Date.now() / 1000));
    this.#limits = patience;
    this.#toItem = (attributes) => toItem(attributes, onDamaged);
  }

  get(key: Key): Promise<Item | undefined> {
    return this.#read('table.get', async (patience) => {
      const command = new GetItemCommand({
        TableName: this.#tableName,
        Key: keyAttributes(key),
        ConsistentRead: true,
      });
      const { Item: found } = await patience.send((options) => this.#client.send(command, options));
      return found && this.#alive(found) ? this.#toItem(found) : undefined;
    });
  }

  async batchGet(keys: readonly Key[]): Promise<readonly Item[]> {
    return (await this.#batches(keys)).map(this.#toItem);
  }

  async has(keys: readonly Key[]): Promise<readonly Key[]> {
    const found = new Set((await this.#batches(keys, KEY_AND_TTL)).map((item) => nameOf(toKey(item))));
    return keys.filter((key) => found.has(nameOf(key)));
  }

  async query(pk: string, options: QueryOptions = {}): Promise<Page> {
    const { limit } = options;
    const start = startOf(options);
    if (start.kind === 'past the end') return { items: [] };
    const wanted = limit === undefined ? Infinity : limit + 1; // one more, which tells whether there is a next page
    const found: Attributes[] = [];
    let from = start.kind === 'after' ? keyAttributes({ pk, sk: start.sk }) : undefined;
    do {
      const page = await this.#page(pk, options, from, wanted - found.length);
      found.push(...page.items.filter((item) => this.#alive(item)));
      from = page.next;
    } while (from !== undefined && found.length < wanted);
    const items = found.slice(0, limit).map(this.#toItem);
    return items.length < found.length ? { items, next: items.at(-1)?.sk } : { items };
  }

  async transact(transactions: readonly (readonly Op[])[]): Promise<Outcome> {
    checkLimits(transactions);
    const first = transactions.find((ops) => ops.length > 0)?.[0];
    if (!first) return { applied: transactions.length };
    const { pk } = keyOf(first);
    const before = this.#lastWrites.get(pk);
    const apply = (): Promise<Outcome> => this.#applySeries(transactions);
    const outcome = before ? before.then(apply, apply) : apply();
    this.#lastWrites.set(pk, outcome);
    try {
      return await outcome;
    } finally {
      if (this.#lastWrites.get(pk) === outcome) this.#lastWrites.delete(pk);
    }
  }

  /** Every partition key there is, each once. It reads the whole table. */
  async *partitions(): AsyncGenerator<string> {
    const told = new Set<string>();
    let from: Attributes | undefined;
    do {
      const command = new ScanCommand({
        TableName: this.#tableName,
        ProjectionExpression: 'pk',
        ConsistentRead: true,
        ExclusiveStartKey: from,
      });
      const page = await this.#read('table.partitions', (patience) =>
        patience.send((options) => this.#client.send(command, options)),
      );
      for (const { pk } of page.Items ?? []) {
        if (pk?.S === undefined || told.has(pk.S)) continue;
        told.add(pk.S);
        yield pk.S;
      }
      from = page.LastEvaluatedKey;
    } while (from !== undefined);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#client.destroy();
  }

  async #applySeries(transactions: readonly (readonly Op[])[]): Promise<Outcome> {
    for (const [applied, ops] of transactions.entries()) {
      try {
        const refused = await this.#apply(ops);
        if (refused) return { applied, refused: { op: refused } };
      } catch (error) {
        // What came before is applied, and said to be. But if this one may be too, nobody must take it for undone.
        if (applied === 0 || isBrainError(error, 'timeout')) throw error;
        return { applied };
      }
    }
    return { applied: transactions.length };
  }

  /** The items under the keys, each once. */
  async #batches(keys: readonly Key[], projection: object = {}): Promise<Attributes[]> {
    this.#assertOpen('table.batchGet');
    const distinct = [...new Map(keys.map((key) => [nameOf(key), key])).values()];
    const batches = piecesOf(distinct, KEYS_IN_BATCH);
    const found = eachConcurrent(batches, { limit: BATCHES_AT_ONCE }, (batch) =>
      this.#batch(batch.map(keyAttributes), projection),
    );
    return (await Array.fromAsync(found)).flat().filter((item) => this.#alive(item));
  }

  /** One batch. DynamoDB may leave keys unread, for lack of capacity or beyond 16 MB: those are asked for again. */
  #batch(keys: Attributes[], projection: object): Promise<Attributes[]> {
    return this.#read('table.batchGet', async (patience) => {
      const found: Attributes[] = [];
      for (let rest = keys; rest.length > 0;) {
        const command = new BatchGetItemCommand({
          RequestItems: { [this.#tableName]: { Keys: rest, ConsistentRead: true, ...projection } },
        });
        const answer = await patience.send((options) => this.#client.send(command, options));
        const items = answer.Responses?.[this.#tableName] ?? [];
        found.push(...items);
        rest = answer.UnprocessedKeys?.[this.#tableName]?.Keys ?? [];
        if (items.length > 0) patience.progressed();
        if (rest.length > 0) await patience.pause(new Error(`${rest.length} keys were left unread`));
      }
      return found;
    });
  }

  #page(
    pk: string,
    { prefix = '', reverse = false }: QueryOptions,
    from: Attributes | undefined,
    wanted: number,
  ): Promise<{ readonly items: Attributes[]; readonly next: Attributes | undefined }> {
    return this.#read('table.query', async (patience) => {
      const command = new QueryCommand({
        TableName: this.#tableName,
        KeyConditionExpression: prefix === '' ? 'pk = :pk' : 'pk = :pk AND begins_with(sk, :prefix)',
        ExpressionAttributeValues: { ':pk': { S: pk }, ...(prefix !== '' && { ':prefix': { S: prefix } }) },
        ConsistentRead: true,
        ScanIndexForward: !reverse,
        ExclusiveStartKey: from,
        ...(wanted !== Infinity && { Limit: wanted }),
      });
      const answer = await patience.send((options) => this.#client.send(command, options));
      // Looked at again: the emulator of the tests compares prefixes as SQLite's LIKE does, whatever the case.
      const items = (answer.Items ?? []).filter((item) => toKey(item).sk.startsWith(prefix));
      return { items, next: answer.LastEvaluatedKey };
    });
  }

  /** Applies one transaction; gives the operation whose condition did not hold, if one did not. */
  async #apply(ops: readonly Op[]): Promise<Op | undefined> {
    this.#assertOpen('table.transact');
    const [first] = ops;
    if (first === undefined) return undefined;
    if (ops.length === 1 && 'check' in first) {
      // A lone check is a consistent read: a quarter of the price, and in no other transaction's way.
      return holds(first.if, await this.get(first.check)) ? undefined : first;
    }
    const nowSeconds = this.#nowSeconds();
    const command = new TransactWriteItemsCommand({
      ClientRequestToken: randomUUID(),
      TransactItems: ops.map((op) => toWrite(this.#tableName, op, nowSeconds)),
    });
    const patience = new Patience('table.transact', this.#limits);
    try {
      await patience.send((options) => this.#client.send(command, options));
      return undefined;
    } catch (error) {
      const at = refusedAt(error);
      if (at === undefined) throw dynamoError(error, 'table.transact');
      return ops[at];
    }
  }

  async #read<T>(operation: string, read: (patience: Patience) => Promise<T>): Promise<T> {
    this.#assertOpen(operation);
    try {
      return await read(new Patience(operation, this.#limits));
    } catch (error) {
      throw dynamoError(error, operation);
    }
  }

  #alive(item: Attributes): boolean {
    return isAlive(item, this.#nowSeconds());
  }

  #assertOpen(operation: string): void {
    if (this.#closed) throw new BrainError('unavailable', 'the store is closed', { operation });
  }
}

/** Where a query starts. */
type Start =
  | { readonly kind: 'first' }
  | { readonly kind: 'after'; readonly sk: string }
  | { readonly kind: 'past the end' };

/** DynamoDB takes a start only if it lies among the keys that are asked for: others are before or after all of them. */
function startOf({ prefix = '', after, reverse = false }: QueryOptions): Start {
  if (after === undefined) return { kind: 'first' };
  if (after !== '' && after.startsWith(prefix)) return { kind: 'after', sk: after };
  const isBefore = after === '' || compareSortKeys(after, prefix, {}) < 0;
  return isBefore === reverse ? { kind: 'past the end' } : { kind: 'first' };
}
