import { onTestFinished, vi } from 'vitest';
import { DynamoTable } from '../../src/storage/dynamodb/dynamo-table.ts';
import { SqliteTable } from '../../src/storage/embedded/sqlite-table.ts';
import { STORE } from '../support/place.ts';

const METHODS = ['get', 'batchGet', 'has', 'query', 'transact'] as const;

/** Everything that is asked of the engine from now on, in its order: what a request makes it do is what it takes. */
export function tableCalls(): { readonly taken: () => readonly string[] } {
  const { prototype } = STORE === 'sqlite' ? SqliteTable : DynamoTable;
  let calls: string[] = [];
  for (const method of METHODS) {
    const real = prototype[method] as (this: unknown, ...args: readonly unknown[]) => Promise<never>;
    const spy = vi.spyOn(prototype, method).mockImplementation(function (this: unknown, ...args: unknown[]) {
      calls.push(`${method} ${JSON.stringify(args)}`);
      return real.apply(this, args);
    });
    onTestFinished(() => spy.mockRestore());
  }
  return {
    /** Those since the last time. */
    taken() {
      const taken = calls;
      calls = [];
      return taken;
    },
  };
}
