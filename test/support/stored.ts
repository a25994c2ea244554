import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { PutItemCommand, paginateScan, type AttributeValue } from '@aws-sdk/client-dynamodb';
import { openEngine } from '../../src/server/engines.ts';
import { dynamoClient } from '../../src/storage/dynamodb/dynamo-client.ts';
import type { Item, Table } from '../../src/storage/table.ts';
import { settingsOf, STORE } from './place.ts';

type Row = Pick<Item, 'pk' | 'sk' | 'j'>;

/** Works on the table of a folder that nothing serves. */
export async function onTable(dataDir: string, work: (table: Table) => Promise<void>): Promise<void> {
  const nowSeconds = (): number => Math.floor(Date.now() / 1000);
  const { table, home } = await openEngine(settingsOf(dataDir), { nowSeconds });
  try {
    await work(table);
  } finally {
    await table.close();
    home.release();
  }
}

/** Every item that is stored in the place of a folder, whoever's it is. */
export async function storedRows(dataDir: string): Promise<readonly Row[]> {
  if (STORE === 'sqlite') {
    const database = databaseOf(dataDir);
    const rows = database.prepare('SELECT pk, sk, j FROM item').all();
    database.close();
    return rows as unknown as readonly Row[];
  }
  return (await attributesOf(dataDir)).map(({ pk, sk, j }) => ({
    pk: pk?.S ?? '',
    sk: sk?.S ?? '',
    j: j?.S ?? '',
  }));
}

/**
 * Changes every stored item but the heads behind the back of its checksum, adds one that is no JSON and has these
 * words, and writes them over the stored indexes.
 */
export async function damageStored(dataDir: string, words: string): Promise<void> {
  const none = { pk: 'local#P', sk: 'x', et: 'pending.1', j: `{"${words}` };
  if (STORE === 'sqlite') {
    const database = databaseOf(dataDir);
    const insert = database.prepare('INSERT INTO item (pk, sk, et, j, sum) VALUES (?, ?, ?, ?, 1)');
    insert.run(none.pk, none.sk, none.et, none.j);
    database.exec("UPDATE item SET sum = sum + 1 WHERE sk <> 'META'");
    database.close();
  } else {
    const { table: TableName } = settingsOf(dataDir);
    const all = await attributesOf(dataDir);
    // Without the key that all servers share none starts; on SQLite it lies in the folder.
    const damaged = all.filter(({ pk, sk }) => sk?.S !== 'META' && pk?.S !== '#KEYS');
    const texts = Object.entries(none).map(([name, S]) => [name, { S }] as const);
    const client = dynamoClient(process.env);
    for (const item of [...damaged, Object.fromEntries(texts)])
      await client.send(new PutItemCommand({ TableName, Item: { ...item, sum: { N: '1' } } }));
    client.destroy();
  }
  for (const file of readdirSync(dataDir, { recursive: true, encoding: 'utf8' }))
    if (/index.*\.\w+$|\.idx$/.test(file)) writeFileSync(join(dataDir, file), `${words} is no index`);
}

function databaseOf(dataDir: string): DatabaseSync {
  return new DatabaseSync(join(dataDir, 'brain2.sqlite'));
}

async function attributesOf(dataDir: string): Promise<readonly Record<string, AttributeValue>[]> {
  const client = dynamoClient(process.env);
  const { table: TableName } = settingsOf(dataDir);
  const pages = await Array.fromAsync(paginateScan({ client }, { TableName, ConsistentRead: true }));
  client.destroy();
  return pages.flatMap(({ Items = [] }) => Items);
}
