import { crc32 } from 'node:zlib';
import { BrainError } from '../domain/error.ts';
import type { Item } from './table.ts';

/** Of everything that an item says; kept beside it, so that a change by anyone but the table is noticed. */
export function itemChecksum({ pk, sk, et, ver, ttl, j }: Item): number {
  return crc32(`${pk}\n${sk}\n${et}\n${ver ?? ''}\n${ttl ?? ''}\n${j}`);
}

/** The item, if it is what was written under this checksum; throws `corrupt` otherwise. */
export function intact(item: Item, checksum: number): Item {
  if (itemChecksum(item) === checksum) return item;
  throw new BrainError('corrupt', `the stored item ${item.pk} ${item.sk} is not what was written`, {
    operation: 'table.read',
  });
}
