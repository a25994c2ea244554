import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { dynamoClient } from '../storage/dynamodb/dynamo-client.ts';
import { createTable, getTableStatus, type TableStatus } from '../storage/dynamodb/table-admin.ts';
import type { Settings } from './settings.ts';

/** Makes the table that the settings name, or makes good what one that is there lacks. */
export function createTableOf({ table }: Settings): Promise<TableStatus> {
  return withClient((client) => createTable(client, table));
}

/** Throws `not_found`, `conflict` (it is another program's), `unavailable`. */
export function tableStatusOf({ table }: Settings): Promise<TableStatus> {
  return withClient((client) => getTableStatus(client, table));
}

async function withClient<T>(work: (client: DynamoDBClient) => Promise<T>): Promise<T> {
  const client = dynamoClient(process.env);
  try {
    return await work(client);
  } finally {
    client.destroy();
  }
}
