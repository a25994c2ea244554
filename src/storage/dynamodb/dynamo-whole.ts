import {
  BatchWriteItemCommand,
  DescribeTableCommand,
  ScanCommand,
  type DynamoDBClient,
  type WriteRequest,
} from '@aws-sdk/client-dynamodb';
import { eachConcurrent } from '../../shared/each-concurrent.ts';
import { piecesOf } from '../../shared/pieces.ts';
import type { Key } from '../table.ts';
import type { Change, ScanPage, WholeTable } from '../whole-table.ts';
import { keyAttributes, toAttributes, toItem, toKey } from './attributes.ts';
import { dynamoError } from './dynamo-error.ts';
import { Patience, type PatienceLimits } from './patience.ts';

/** DynamoDB's own limit. */
const CHANGES_IN_BATCH = 25;
const BATCHES_AT_ONCE = 8;
/** A page is 1 MB at most, and this many items, so that a cut loses little. */
const ITEMS_A_PAGE = 1_000;

/** Nobody waits for an answer here: a table that is new, or a partition that gives what it has, is waited for. */
const BULK_PATIENCE: PatienceLimits = {
  deadlineMs: 120_000,
  attemptMs: 10_000,
  attempts: 60,
  pauseMs: 50,
  longestPauseMs: 5_000,
};

export interface DynamoWholeOptions {
  /** Must not retry by itself (`maxAttempts: 1`). */
  readonly client: DynamoDBClient;
  readonly tableName: string;
  readonly patience?: PatienceLimits | undefined;
}

/** All of a table, by scans and by batches of writes, which cost half of what transactions do. */
export class DynamoWhole implements WholeTable {
  readonly #client: DynamoDBClient;
  readonly #tableName: string;
  readonly #limits: PatienceLimits;

  constructor({ client, tableName, patience = BULK_PATIENCE }: DynamoWholeOptions) {
    this.#client = client;
    this.#tableName = tableName;
    this.#limits = patience;
  }

  scan(after?: Key): Promise<ScanPage> {
    return this.#asked('table.scan', async (patience) => {
      const command = new ScanCommand({
        TableName: this.#tableName,
        ConsistentRead: true,
        Limit: ITEMS_A_PAGE,
        ExclusiveStartKey: after && keyAttributes(after),
      });
      const { Items = [], LastEvaluatedKey: last } = await patience.send((options) =>
        this.#client.send(command, options),
      );
      return { items: Items.map((item) => toItem(item)), ...(last && { next: toKey(last) }) };
    });
  }

  async write(changes: readonly Change[]): Promise<void> {
    const batches = piecesOf(changes.map(toRequest), CHANGES_IN_BATCH);
    const written = eachConcurrent(batches, { limit: BATCHES_AT_ONCE }, (batch) => this.#batch(batch));
    for await (const _ of written);
  }

  estimate(): Promise<number> {
    return this.#asked('table.status', async (patience) => {
      const command = new DescribeTableCommand({ TableName: this.#tableName });
      const { Table } = await patience.send((options) => this.#client.send(command, options));
      return Table?.ItemCount ?? 0;
    });
  }

  /** One batch. DynamoDB may leave changes undone, for lack of capacity: those are asked for again. */
  #batch(batch: readonly WriteRequest[]): Promise<void> {
    return this.#asked('table.write', async (patience) => {
      for (let rest = [...batch]; rest.length > 0;) {
        const command = new BatchWriteItemCommand({ RequestItems: { [this.#tableName]: rest } });
        const { UnprocessedItems } = await patience.send((options) => this.#client.send(command, options));
        const undone = UnprocessedItems?.[this.#tableName] ?? [];
        if (undone.length < rest.length) patience.progressed();
        if (undone.length > 0) await patience.pause(new Error(`${undone.length} changes were left undone`));
        rest = undone;
      }
    });
  }

  async #asked<T>(operation: string, ask: (patience: Patience) => Promise<T>): Promise<T> {
    try {
      return await ask(new Patience(operation, this.#limits));
    } catch (error) {
      throw dynamoError(error, operation);
    }
  }
}

function toRequest(change: Change): WriteRequest {
  if ('put' in change) return { PutRequest: { Item: toAttributes(change.put) } };
  return { DeleteRequest: { Key: keyAttributes(change.del) } };
}
