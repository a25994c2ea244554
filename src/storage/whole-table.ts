import type { Item, Key } from './table.ts';

/** A change of one item, whatever is there now. */
export type Change = { readonly put: Item } | { readonly del: Key };

export interface ScanPage {
  /** Also those past their `ttl`. */
  readonly items: readonly Item[];
  /** The key to go on `after`; absent on the last page, which a page without items need not be. */
  readonly next?: Key | undefined;
}

/**
 * All that an engine holds, whoever's it is: for moving it. Nothing here is atomic, so it is for a store that nobody
 * else writes to.
 */
export interface WholeTable {
  /** The items after a key, a few megabytes of them, in an order of the engine's own that stays the same. */
  scan(after?: Key): Promise<ScanPage>;
  /** Makes any number of changes to different items, in no order. They are durable when it resolves; it may be repeated. */
  write(changes: readonly Change[]): Promise<void>;
  /** About how many items there are. */
  estimate(): Promise<number>;
}
