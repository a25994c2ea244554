import { setTimeout as delay } from 'node:timers/promises';
import { BrainError } from '../../domain/error.ts';
import { readHead } from '../log.ts';
import { nameOf, type Key } from '../table.ts';
import type { VerifySource } from '../verify/source.ts';
import { DynamoTable, type DynamoTableOptions } from './dynamo-table.ts';

const ATTEMPTS = 5;
const PAUSE_MS = 500;

/** A table as a check reads it. DynamoDB keeps no moment to read: an owner is read again where others wrote meanwhile. */
export function dynamoVerifySource(options: DynamoTableOptions): VerifySource {
  const damaged = new Map<string, Key>();
  const table = new DynamoTable({
    ...options,
    onDamaged: (key) => void damaged.set(nameOf(key), key),
  });
  return {
    checkEngine: () => [], // it checks what it keeps by itself
    partitions: () => table.partitions(),
    async atRest(owner, read) {
      for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
        damaged.clear();
        const before = await readHead(table, owner);
        const value = await read({ reader: table, damaged });
        const after = await readHead(table, owner);
        if (before?.version === after?.version) return value;
        await delay(PAUSE_MS);
      }
      throw new BrainError(
        'contended',
        `others kept writing for ${owner} while it was read; try again when they rest`,
        {
          operation: 'store.verify',
        },
      );
    },
    close: () => table.close(),
  };
}
