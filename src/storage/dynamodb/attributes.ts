import { crc32 } from 'node:zlib';
import type { AttributeValue, TransactWriteItem } from '@aws-sdk/client-dynamodb';
import { BrainError } from '../../domain/error.ts';
import { placeOf } from '../keys.ts';
import type { Condition, Item, Key, Op } from '../table.ts';

/** An item or a key as DynamoDB has it. By hand: lib-dynamodb would only add a walk through every value. */
export type Attributes = Record<string, AttributeValue>;

/** The attribute that the table's time to live is set to. A reserved word, so expressions say `#ttl`. */
export const TTL_ATTRIBUTE = 'ttl';
const TTL_NAME = { '#ttl': TTL_ATTRIBUTE };
const IS_ALIVE = '(attribute_not_exists(#ttl) OR #ttl > :now)';

/** What `has` reads. */
export const KEY_AND_TTL = {
  ProjectionExpression: 'pk, sk, #ttl',
  ExpressionAttributeNames: TTL_NAME,
} as const;

export function keyAttributes({ pk, sk }: Key): Attributes {
  return { pk: { S: pk }, sk: { S: sk } };
}

export function toKey({ pk, sk }: Attributes): Key {
  return { pk: pk?.S ?? '', sk: sk?.S ?? '' };
}

export function toAttributes(item: Item): Attributes {
  return {
    ...keyAttributes(item),
    et: { S: item.et },
    ...(item.ver !== undefined && { ver: { N: String(item.ver) } }),
    ...(item.ttl !== undefined && { ttl: { N: String(item.ttl) } }),
    j: { S: item.j },
    sum: { N: String(checksum(item)) },
  };
}

/**
 * An item that is not what was written, as after a change by hand, is told to `onDamaged` and given as it is; without
 * it, it throws `corrupt`.
 */
export function toItem(attributes: Attributes, onDamaged?: (key: Key) => void): Item {
  const { et, ver, ttl, j, sum } = attributes;
  const item: Item = {
    ...toKey(attributes),
    et: et?.S ?? '',
    j: j?.S ?? '',
    ...(ver?.N !== undefined && { ver: Number(ver.N) }),
    ...(ttl?.N !== undefined && { ttl: Number(ttl.N) }),
  };
  if (String(checksum(item)) === sum?.N) return item;
  if (onDamaged) {
    onDamaged(toKey(attributes));
    return item;
  }
  throw new BrainError('corrupt', `the stored item ${placeOf(item)} is not what was written`, {
    operation: 'table.read',
  });
}

function checksum({ pk, sk, et, ver, ttl, j }: Item): number {
  return crc32(`${pk}\n${sk}\n${et}\n${ver ?? ''}\n${ttl ?? ''}\n${j}`);
}

/** DynamoDB removes an expired item within some days; until then it is there, and counts as absent. */
export function isAlive({ ttl }: Attributes, nowSeconds: number): boolean {
  return ttl?.N === undefined || Number(ttl.N) > nowSeconds;
}

export function toWrite(tableName: string, op: Op, nowSeconds: number): TransactWriteItem {
  const condition = op.if === undefined ? {} : conditionOf(op.if, nowSeconds);
  if ('put' in op) return { Put: { TableName: tableName, Item: toAttributes(op.put), ...condition } };
  if ('del' in op) return { Delete: { TableName: tableName, Key: keyAttributes(op.del), ...condition } };
  const check = conditionOf(op.if, nowSeconds);
  return { ConditionCheck: { TableName: tableName, Key: keyAttributes(op.check), ...check } };
}

function conditionOf(condition: Condition, nowSeconds: number) {
  const now = { ':now': { N: String(nowSeconds) } };
  const names = { ExpressionAttributeNames: TTL_NAME };
  if (condition === 'absent') {
    const ConditionExpression = 'attribute_not_exists(pk) OR #ttl <= :now';
    return { ...names, ConditionExpression, ExpressionAttributeValues: now };
  }
  if (condition === 'exists') {
    const ConditionExpression = `attribute_exists(pk) AND ${IS_ALIVE}`;
    return { ...names, ConditionExpression, ExpressionAttributeValues: now };
  }
  return {
    ...names,
    ConditionExpression: `ver = :ver AND ${IS_ALIVE}`,
    ExpressionAttributeValues: { ...now, ':ver': { N: String(condition.ver) } },
  };
}
