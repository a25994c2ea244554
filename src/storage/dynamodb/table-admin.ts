import {
  CreateTableCommand,
  DescribeContinuousBackupsCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  ResourceNotFoundException,
  UpdateContinuousBackupsCommand,
  UpdateTableCommand,
  UpdateTimeToLiveCommand,
  waitUntilTableExists,
  type DynamoDBClient,
  type TableDescription,
} from '@aws-sdk/client-dynamodb';
import { BrainError } from '../../domain/error.ts';
import { TTL_ATTRIBUTE } from './attributes.ts';
import { dynamoError } from './dynamo-error.ts';
import { Patience, PATIENCE } from './patience.ts';

const READY_WITHIN_S = 120;
const LOOK_AGAIN_S = 2;
/** A table whose settings are being changed goes on as before. */
const USABLE: ReadonlySet<string> = new Set(['ACTIVE', 'UPDATING']);

/** `unknown`: the endpoint, which is an emulator, or the permissions do not tell. */
export type Setting = 'on' | 'off' | 'unknown';

/** What can be told of a table from outside. */
export interface TableStatus {
  readonly name: string;
  /** `ACTIVE` when it can be used. */
  readonly state: string;
  readonly billing: 'on demand' | 'provisioned';
  readonly ttl: Setting;
  readonly pointInTimeRecovery: Setting;
  readonly deletionProtection: Setting;
  /** As DynamoDB counted them, some hours ago. */
  readonly items: number;
  readonly sizeBytes: number;
}

/**
 * Makes the table, paid by use, with deletion protection, point-in-time recovery, and removal of what has expired. Of
 * one that is there already it makes those good. Throws `conflict` if that one has other keys.
 */
export async function createTable(client: DynamoDBClient, name: string): Promise<TableStatus> {
  if (!(await findTable(client, name))) {
    const command = new CreateTableCommand({
      TableName: name,
      AttributeDefinitions: [
        { AttributeName: 'pk', AttributeType: 'S' },
        { AttributeName: 'sk', AttributeType: 'S' },
      ],
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
      BillingMode: 'PAY_PER_REQUEST',
      DeletionProtectionEnabled: true,
    });
    await send('table.create', () => client.send(command));
  }
  await waitUntilTableExists(
    { client, maxWaitTime: READY_WITHIN_S, minDelay: LOOK_AGAIN_S, maxDelay: LOOK_AGAIN_S },
    { TableName: name },
  );
  const { ttl, pointInTimeRecovery, deletionProtection } = await getTableStatus(client, name);
  if (deletionProtection === 'off') {
    const command = new UpdateTableCommand({ TableName: name, DeletionProtectionEnabled: true });
    await send('table.create', () => client.send(command));
  }
  if (ttl === 'off') {
    const TimeToLiveSpecification = { AttributeName: TTL_ATTRIBUTE, Enabled: true };
    const command = new UpdateTimeToLiveCommand({ TableName: name, TimeToLiveSpecification });
    await send('table.create', () => client.send(command));
  }
  if (pointInTimeRecovery === 'off') {
    const PointInTimeRecoverySpecification = { PointInTimeRecoveryEnabled: true };
    const command = new UpdateContinuousBackupsCommand({ TableName: name, PointInTimeRecoverySpecification });
    await send('table.create', () => client.send(command));
  }
  return getTableStatus(client, name);
}

/** Throws `not_found`, and `conflict` if it is not a table of Brain2's. */
export async function getTableStatus(client: DynamoDBClient, name: string): Promise<TableStatus> {
  const table = await getTable(client, name);
  const [ttl, pointInTimeRecovery] = await Promise.all([ttlOf(client, name), recoveryOf(client, name)]);
  return {
    name,
    state: table.TableStatus ?? 'UNKNOWN',
    billing: table.BillingModeSummary?.BillingMode === 'PAY_PER_REQUEST' ? 'on demand' : 'provisioned',
    ttl,
    pointInTimeRecovery,
    deletionProtection: table.DeletionProtectionEnabled ? 'on' : 'off',
    items: table.ItemCount ?? 0,
    sizeBytes: table.TableSizeBytes ?? 0,
  };
}

/** That the table can be used. Throws `not_found`, `conflict` if its keys are others, `unavailable` if it is not ready. */
export async function checkTable(client: DynamoDBClient, name: string): Promise<void> {
  const { TableStatus: state = '' } = await getTable(client, name);
  if (USABLE.has(state)) return;
  throw new BrainError('unavailable', `the table ${name} is ${state}`, { operation: 'table.status' });
}

async function getTable(client: DynamoDBClient, name: string): Promise<TableDescription> {
  const table = await findTable(client, name);
  if (!table) {
    throw new BrainError('not_found', `there is no table ${name}; \`brain2 table create\` makes it`, {
      operation: 'table.status',
    });
  }
  const keys = (table.KeySchema ?? []).map((key) => `${key.AttributeName} ${key.KeyType}`).join(', ');
  if (keys !== 'pk HASH, sk RANGE') {
    throw new BrainError('conflict', `the table ${name} is not one of Brain2: its keys are ${keys}`, {
      operation: 'table.status',
    });
  }
  return table;
}

async function findTable(client: DynamoDBClient, name: string): Promise<TableDescription | undefined> {
  try {
    const command = new DescribeTableCommand({ TableName: name });
    return (await new Patience('table.status', PATIENCE).send((options) => client.send(command, options)))
      .Table;
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return undefined;
    throw dynamoError(error, 'table.status');
  }
}

async function ttlOf(client: DynamoDBClient, name: string): Promise<Setting> {
  try {
    const answer = await client.send(new DescribeTimeToLiveCommand({ TableName: name }));
    const { TimeToLiveStatus = '', AttributeName } = answer.TimeToLiveDescription ?? {};
    return TimeToLiveStatus.startsWith('ENABL') && AttributeName === TTL_ATTRIBUTE ? 'on' : 'off';
  } catch {
    return 'unknown';
  }
}

async function recoveryOf(client: DynamoDBClient, name: string): Promise<Setting> {
  try {
    const answer = await client.send(new DescribeContinuousBackupsCommand({ TableName: name }));
    const recovery = answer.ContinuousBackupsDescription?.PointInTimeRecoveryDescription;
    return recovery?.PointInTimeRecoveryStatus === 'ENABLED' ? 'on' : 'off';
  } catch {
    return 'unknown';
  }
}

async function send<T>(operation: string, request: () => Promise<T>): Promise<T> {
  try {
    return await new Patience(operation, PATIENCE).send(request);
  } catch (error) {
    throw dynamoError(error, operation);
  }
}
