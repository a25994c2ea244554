import type { DomainEvent } from '../domain/event.ts';
import type { Item, Key, Op, Page, QueryOptions, TableReader } from './table.ts';

/**
 * The changes of one round of writes, over the table as it stands: reads see what earlier work of the round did.
 * `seal` or `rollback` ends each piece of work; work that throws leaves nothing behind.
 */
export class UnitOfWork implements TableReader {
  readonly #base: TableReader;
  /** What the round did so far: pk to sk to the item, or to null where it was deleted. */
  readonly #changed = new Map<string, Map<string, Item | null>>();
  #undo: (() => void)[] = [];
  #ops = new Map<string, Op>();
  #events: DomainEvent[] = [];

  constructor(base: TableReader) {
    this.#base = base;
  }

  put(item: Item): void {
    this.#set(item, item);
    this.#ops.set(`${item.pk}\n${item.sk}`, { put: item });
  }

  del(key: Key): void {
    this.#set(key, null);
    this.#ops.set(`${key.pk}\n${key.sk}`, { del: { pk: key.pk, sk: key.sk } });
  }

  record(events: readonly DomainEvent[]): void {
    this.#events.push(...events);
  }

  /** What the piece of work under way did. */
  changes(): { readonly ops: readonly Op[]; readonly events: readonly DomainEvent[] } {
    return { ops: [...this.#ops.values()], events: this.#events };
  }

  /** Ends a piece of work that went well. */
  seal(): void {
    this.#undo = [];
    this.#ops = new Map();
    this.#events = [];
  }

  /** Ends a piece of work that threw: nothing of it remains. */
  rollback(): void {
    for (const undo of this.#undo.reverse()) undo();
    this.seal();
  }

  async get(key: Key): Promise<Item | undefined> {
    const changed = this.#changed.get(key.pk)?.get(key.sk);
    return changed === undefined ? this.#base.get(key) : (changed ?? undefined);
  }

  async batchGet(keys: readonly Key[]): Promise<readonly Item[]> {
    const found: Item[] = [];
    const rest: Key[] = [];
    for (const key of keys) {
      const changed = this.#changed.get(key.pk)?.get(key.sk);
      if (changed === undefined) rest.push(key);
      else if (changed !== null) found.push(changed);
    }
    return rest.length === 0 ? found : [...found, ...(await this.#base.batchGet(rest))];
  }

  async query(pk: string, options: QueryOptions = {}): Promise<Page> {
    const changed = this.#changed.get(pk);
    if (!changed) return this.#base.query(pk, options);
    const inRange = [...changed.keys()].filter((sk) => isInRange(sk, options));
    if (inRange.length === 0) return this.#base.query(pk, options);
    const { limit } = options;
    // Enough of the base that, however many of them were deleted here, `limit` remain.
    const page = await this.#base.query(pk, {
      ...options,
      ...(limit !== undefined && { limit: limit + inRange.length }),
    });
    const kept = page.items.filter((item) => !changed.has(item.sk));
    const added = inRange.flatMap((sk) => changed.get(sk) ?? []);
    // Past the end of the base page the base may hold items that sort before ours.
    const end = page.next;
    const reach = end === undefined ? added : added.filter((item) => compareSortKeys(item.sk, end, options) <= 0);
    const merged = [...kept, ...reach].sort((a, b) => compareSortKeys(a.sk, b.sk, options));
    const items = limit === undefined ? merged : merged.slice(0, limit);
    const more = end !== undefined || items.length < merged.length;
    const next = items.length < merged.length ? items.at(-1)?.sk : end;
    return more && next !== undefined ? { items, next } : { items };
  }

  #set(key: Key, value: Item | null): void {
    let partition = this.#changed.get(key.pk);
    if (!partition) this.#changed.set(key.pk, (partition = new Map()));
    const before = partition.get(key.sk);
    const of = partition;
    this.#undo.push(() => (before === undefined ? of.delete(key.sk) : of.set(key.sk, before)));
    partition.set(key.sk, value);
  }
}

/** Whether a sort key is one that the query asks for. */
export function isInRange(sk: string, { prefix, after, reverse }: QueryOptions): boolean {
  if (prefix !== undefined && !sk.startsWith(prefix)) return false;
  return after === undefined || compareSortKeys(sk, after, { reverse }) > 0;
}

/** Byte order of UTF-8, in which code points sort; JavaScript's own `<` sorts UTF-16 units. */
export function compareSortKeys(a: string, b: string, { reverse }: QueryOptions): number {
  const order = a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b));
  return reverse ? -order : order;
}
