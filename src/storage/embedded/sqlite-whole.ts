import type { DatabaseSync } from 'node:sqlite';
import { piecesOf } from '../../shared/pieces.ts';
import { openConnection } from './sqlite-connection.ts';
import { storageError } from './sqlite-error.ts';
import { SqliteReader } from './sqlite-reader.ts';
import type { SqliteTable } from './sqlite-table.ts';
import { TABLE_LIMITS, type Item, type Key, type Op } from '../table.ts';
import type { Change, ScanPage, WholeTable } from '../whole-table.ts';

const ITEMS_A_PAGE = 1_000;
/** Characters of payload after which a page ends: the log has items of hundreds of kilobytes. */
const PAGE_CHARACTERS = 4_000_000;
/** So that a hundred of the largest items are below what a transaction takes. */
const OPS_OF_ANY_SIZE = Math.floor(TABLE_LIMITS.transactionBytes / TABLE_LIMITS.itemBytes);

/** All of a file, in the order of its keys. Reads by a connection of its own; writes as the table does, each page one sync. */
export class SqliteWhole implements WholeTable {
  readonly #table: SqliteTable;
  readonly #database: DatabaseSync;
  readonly #reader: SqliteReader;

  constructor(table: SqliteTable, path: string) {
    this.#table = table;
    this.#database = openConnection({ path });
    this.#reader = new SqliteReader(this.#database, { nowSeconds: () => 0 });
  }

  async scan(after: Key = { pk: '', sk: '' }): Promise<ScanPage> {
    try {
      const items: Item[] = [];
      let characters = 0;
      for (const item of this.#reader.scan(after)) {
        items.push(item);
        characters += item.j.length;
        if (items.length >= ITEMS_A_PAGE || characters >= PAGE_CHARACTERS) break;
      }
      const last = items.at(-1);
      const isLast = !last || (items.length < ITEMS_A_PAGE && characters < PAGE_CHARACTERS);
      return isLast ? { items } : { items, next: { pk: last.pk, sk: last.sk } };
    } catch (error) {
      throw storageError(error, 'table.read');
    }
  }

  async write(changes: readonly Change[]): Promise<void> {
    const transactions: (readonly Op[])[] = piecesOf(changes, OPS_OF_ANY_SIZE).map((piece) => [...piece]);
    if (transactions.length > 0) await this.#table.transact(transactions);
  }

  async estimate(): Promise<number> {
    return Number(this.#database.prepare('SELECT count(*) AS items FROM item').get()?.['items']);
  }

  close(): void {
    this.#database.close();
  }
}
