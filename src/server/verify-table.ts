import { join } from 'node:path';
import { dynamoClient } from '../storage/dynamodb/dynamo-client.ts';
import { dynamoVerifySource } from '../storage/dynamodb/dynamo-verify-source.ts';
import { checkTable } from '../storage/dynamodb/table-admin.ts';
import { indexFolder } from './index-folder.ts';
import type { Settings } from './settings.ts';

/** The table that the settings name, to be checked. Throws `not_found`, `conflict` (another program's). */
export async function tableToVerify({ table: tableName, dataDir }: Settings, nowSeconds: () => number) {
  const client = dynamoClient(process.env);
  try {
    await checkTable(client, tableName);
  } catch (error) {
    client.destroy();
    throw error;
  }
  return {
    name: tableName,
    source: dynamoVerifySource({ client, tableName, nowSeconds }),
    loadIndex: indexFolder(join(dataDir, 'tables', tableName)).load,
  };
}
