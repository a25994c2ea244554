import { randomUUID } from 'node:crypto';
import { BatchWriteItemCommand, paginateScan, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Attributes } from '../../src/storage/dynamodb/attributes.ts';
import { dynamoClient } from '../../src/storage/dynamodb/dynamo-client.ts';
import { DynamoTable, type DynamoTableOptions } from '../../src/storage/dynamodb/dynamo-table.ts';
import { createTable } from '../../src/storage/dynamodb/table-admin.ts';
import { startEmulator, type EmulatorName } from './emulator.ts';

interface OpenOptions extends Partial<DynamoTableOptions> {
  /** Of something in front of it. */
  readonly endpoint?: string;
}

/** The DynamoDB that the tests of one file run on. */
export interface TestDynamo {
  readonly kind: EmulatorName | 'aws';
  /** Undefined for AWS itself. */
  readonly endpoint: string | undefined;
  /** The name of an empty table. At AWS there is one only, and its tests write to partitions of their own. */
  newTable(): Promise<string>;
  open(tableName: string, options?: OpenOptions): DynamoTable;
  stop(): Promise<void>;
}

const DELETES_IN_BATCH = 25;

/**
 * The table at AWS that `BRAIN2_TEST_TABLE` names, which must be empty and is left so; without one an emulator:
 * `BRAIN2_TEST_EMULATOR`, or dynoxide.
 */
export async function startDynamo(): Promise<TestDynamo> {
  const { BRAIN2_TEST_TABLE: realTable, BRAIN2_TEST_EMULATOR: emulator } = process.env;
  if (realTable) return atAws(realTable);
  const kind = emulator === 'dynamodb-local' ? emulator : 'dynoxide';
  const { endpoint, stop } = await startEmulator(kind);
  const environment = { AWS_ENDPOINT_URL_DYNAMODB: endpoint };
  return {
    kind,
    endpoint,
    stop,
    async newTable() {
      const client = dynamoClient(environment);
      const name = `test-${randomUUID()}`;
      await createTable(client, name);
      client.destroy();
      return name;
    },
    open(tableName, { endpoint: before = endpoint, ...options } = {}) {
      const client = dynamoClient({ AWS_ENDPOINT_URL_DYNAMODB: before });
      return new DynamoTable({ client, tableName, ...options });
    },
  };
}

async function atAws(name: string): Promise<TestDynamo> {
  const client = dynamoClient(process.env);
  if ((await keysOf(client, name)).length > 0) {
    throw new Error(
      `the table ${name} is not empty: name one in BRAIN2_TEST_TABLE that may be written to and emptied`,
    );
  }
  return {
    kind: 'aws',
    endpoint: undefined,
    newTable: async () => name,
    open: (tableName, options) =>
      new DynamoTable({ client: dynamoClient(process.env), tableName, ...options }),
    async stop() {
      const keys = await keysOf(client, name);
      while (keys.length > 0) {
        const deletes = keys.splice(0, DELETES_IN_BATCH).map((Key) => ({ DeleteRequest: { Key } }));
        const { UnprocessedItems } = await client.send(
          new BatchWriteItemCommand({ RequestItems: { [name]: deletes } }),
        );
        for (const { DeleteRequest } of UnprocessedItems?.[name] ?? []) {
          if (DeleteRequest?.Key) keys.push(DeleteRequest.Key);
        }
      }
      client.destroy();
    },
  };
}

async function keysOf(client: DynamoDBClient, name: string): Promise<Attributes[]> {
  const scan = { TableName: name, ProjectionExpression: 'pk, sk', ConsistentRead: true };
  const pages = await Array.fromAsync(paginateScan({ client }, scan));
  return pages.flatMap((page) => page.Items ?? []);
}
