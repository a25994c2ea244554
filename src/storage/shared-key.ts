import { randomBytes } from 'node:crypto';
import { BrainError } from '../domain/error.ts';
import type { Table } from './table.ts';

const KEY_BYTES = 32;
/** No owner's name begins with '#'. */
const PARTITION = '#KEYS';

/** A random key that all servers of one table share, made by whoever asks for it first. */
export async function sharedKey(
  table: Table,
  name: string,
): Promise<{ readonly key: Uint8Array; readonly isNew: boolean }> {
  const place = { pk: PARTITION, sk: name };
  const found = await table.get(place);
  if (found) return { key: toKey(found.j), isNew: false };
  const made = { ...place, et: 'key.1', j: JSON.stringify(randomBytes(KEY_BYTES).toString('base64')) };
  const { applied } = await table.transact([[{ put: made, if: 'absent' }]]);
  if (applied === 1) return { key: toKey(made.j), isNew: true };
  const others = await table.get(place);
  if (others) return { key: toKey(others.j), isNew: false };
  throw new BrainError('contended', `the key ${name} is being made and deleted`, { operation: 'store.open' });
}

function toKey(j: string): Uint8Array {
  return Buffer.from(JSON.parse(j) as string, 'base64');
}
