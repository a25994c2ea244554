import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { dynamoClient } from '../storage/dynamodb/dynamo-client.ts';
import { refuseUnfinished } from '../storage/copy-table.ts';
import { DynamoTable } from '../storage/dynamodb/dynamo-table.ts';
import { DynamoWhole } from '../storage/dynamodb/dynamo-whole.ts';
import { checkTable } from '../storage/dynamodb/table-admin.ts';
import { tableBlobs } from '../storage/table-blobs.ts';
import { sharedKey } from '../storage/shared-key.ts';
import type { Engine } from './engine.ts';
import { indexFolder } from './index-folder.ts';
import type { Settings } from './settings.ts';

/** Nothing of the data folder is held: it only keeps copies of indexes, and any number of servers may share it. */
export async function openDynamo(
  { table: tableName, dataDir, pollMs }: Settings,
  nowSeconds: () => number,
): Promise<Engine> {
  const client = dynamoClient(process.env);
  const table = new DynamoTable({ client, tableName, nowSeconds });
  try {
    await checkTable(client, tableName);
    await refuseUnfinished(table);
    const { key, isNew } = await sharedKey(table, 'cursor');
    await mkdir(dataDir, { recursive: true });
    const { load, save } = indexFolder(join(dataDir, 'tables', tableName));
    return {
      table,
      home: {
        path: dataDir,
        isNew,
        key,
        operatorKey: randomBytes(32), // of the commands of this process alone
        announce: () => {}, // commands go to the table themselves
        loadIndex: load,
        saveIndex: save,
        release: () => {},
      },
      blobs: tableBlobs(table, nowSeconds),
      canWrite: () => true, // each write is a request of its own
      sweep: async () => 0, // DynamoDB does it by itself
      facts: { engine: 'dynamodb', table: tableName },
      pollMs,
    };
  } catch (error) {
    await table.close();
    throw error;
  }
}

/** The table and all that it holds, for moving it. Closing the table ends both. */
export async function openWholeDynamo(
  tableName: string,
): Promise<{ readonly table: DynamoTable; readonly whole: DynamoWhole }> {
  const client = dynamoClient(process.env);
  const table = new DynamoTable({ client, tableName });
  try {
    await checkTable(client, tableName);
    return { table, whole: new DynamoWhole({ client, tableName }) };
  } catch (error) {
    await table.close();
    throw error;
  }
}
