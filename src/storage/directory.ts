import type { OwnerId, TokenId } from '../domain/values.ts';
import { keys, pks } from './keys.ts';
import { everyItem, type TableReader } from './table.ts';

/** What is looked up before an owner is known. */
export interface Directory {
  /** Whose the token of this hash is. */
  tokenAt(hash: string): Promise<{ readonly owner: OwnerId; readonly id: TokenId } | undefined>;
  /** Every owner there is. */
  owners(): AsyncGenerator<OwnerId>;
}

export function directory(table: TableReader): Directory {
  return {
    async tokenAt(hash) {
      const found = await table.get(keys.tokenByHash(hash));
      return found && (JSON.parse(found.j) as { owner: OwnerId; id: TokenId });
    },
    async *owners() {
      for await (const { sk } of everyItem(table, pks.owners())) yield sk as OwnerId;
    },
  };
}
