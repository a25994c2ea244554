import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import type { Log } from '../shared/log.ts';
import { refuseUnfinished } from '../storage/copy-table.ts';
import { dynamoClient } from '../storage/dynamodb/dynamo-client.ts';
import { DynamoTable } from '../storage/dynamodb/dynamo-table.ts';
import { sharedKey } from '../storage/shared-key.ts';
import { tableBlobs } from '../storage/table-blobs.ts';
import type { Engine } from '../server/engine.ts';
import type { FunctionSettings } from './settings.ts';

/** Nobody follows what others write from a function: each of its answers looks at the log. */
const NO_POLLING_MS = 3_600_000;

/**
 * What a Brain2 in a function stands on: the table, and a bucket that keeps the indexes. Throws `conflict` for a table
 * that a migration has not filled yet.
 */
export async function openFunctionEngine(
  { settings, snapshotBucket: bucket, log }: FunctionSettings & { readonly log: Log },
  nowMs: () => number,
): Promise<Engine> {
  const nowSeconds = () => Math.floor(nowMs() / 1000);
  const table = new DynamoTable({ client: dynamoClient(process.env), tableName: settings.table, nowSeconds });
  await refuseUnfinished(table); // first: the key is written where there is none
  const snapshots = async () => {
    const { snapshotBucket } = await import('./snapshot-bucket.ts'); // most requests need no index, and no bucket
    return snapshotBucket(bucket, endpointOf(process.env));
  };
  const opened = lazily(snapshots);
  return {
    table,
    home: {
      path: tmpdir(),
      isNew: false,
      key: (await sharedKey(table, 'cursor')).key,
      operatorKey: randomBytes(32),
      announce: () => {},
      async loadIndex(owner) {
        try {
          return await (await opened()).load(owner);
        } catch (err) {
          log.warn({ err, owner }, 'the stored index cannot be had; it is made anew from the notes');
          return undefined;
        }
      },
      saveIndex: async (owner, parts) => (await opened()).save(owner, parts),
      release: () => {},
    },
    blobs: tableBlobs(table, nowSeconds),
    canWrite: () => true,
    sweep: async () => 0, // DynamoDB does it by itself
    facts: { engine: 'dynamodb', table: settings.table },
    pollMs: NO_POLLING_MS,
    isFrozenBetween: true,
  };
}

function endpointOf(environment: NodeJS.ProcessEnv): { readonly endpoint?: string } {
  const endpoint = environment['AWS_ENDPOINT_URL_S3'];
  return endpoint === undefined ? {} : { endpoint };
}

function lazily<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}
