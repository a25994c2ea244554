import { setImmediate as nextTurn } from 'node:timers/promises';
import { BrainError } from '../../src/domain/error.ts';
import { checkLimits } from '../../src/storage/check-limits.ts';
import { holds, keyOf, type Item, type Key, type Op, type Outcome } from '../../src/storage/table.ts';
import type { Page, QueryOptions, Table } from '../../src/storage/table.ts';

/** The table contract at its simplest: what an engine is compared with. Nothing in it is fast, and nothing lasts. */
export class MemoryTable implements Table {
  readonly #partitions = new Map<string, Map<string, Item>>();
  #closed = false;

  async get(key: Key): Promise<Item | undefined> {
    this.#assertOpen();
    return this.#find(key);
  }

  async batchGet(keys: readonly Key[]): Promise<readonly Item[]> {
    this.#assertOpen();
    return [...new Set(keys.flatMap((key) => this.#find(key) ?? []))];
  }

  async has(keys: readonly Key[]): Promise<readonly Key[]> {
    this.#assertOpen();
    return keys.filter((key) => this.#find(key) !== undefined);
  }

  async query(pk: string, { prefix = '', after, reverse, limit }: QueryOptions = {}): Promise<Page> {
    this.#assertOpen();
    const direction = reverse ? -1 : 1;
    const order = (a: string, b: string): number =>
      direction * Buffer.compare(Buffer.from(a), Buffer.from(b));
    const found = [...(this.#partitions.get(pk)?.values() ?? [])]
      .filter((item) => isAlive(item) && item.sk.startsWith(prefix))
      .filter((item) => after === undefined || order(item.sk, after) > 0)
      .sort((a, b) => order(a.sk, b.sk));
    const items = found.slice(0, limit);
    return items.length < found.length ? { items, next: items.at(-1)?.sk } : { items };
  }

  async transact(transactions: readonly (readonly Op[])[]): Promise<Outcome> {
    checkLimits(transactions);
    await nextTurn(); // as in an engine, others may come between a call and its commit
    this.#assertOpen();
    for (const [applied, ops] of transactions.entries()) {
      const refused = ops.find((op) => !holds(op.if, this.#find(keyOf(op))));
      if (refused) return { applied, refused: { op: refused } };
      for (const op of ops) this.#apply(op);
    }
    return { applied: transactions.length };
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  #find({ pk, sk }: Key): Item | undefined {
    const item = this.#partitions.get(pk)?.get(sk);
    return item && isAlive(item) ? item : undefined;
  }

  #apply(op: Op): void {
    const { pk, sk } = keyOf(op);
    const partition = this.#partitions.get(pk) ?? new Map<string, Item>();
    this.#partitions.set(pk, partition);
    if ('put' in op) partition.set(sk, structuredClone(op.put));
    else if ('del' in op) partition.delete(sk);
  }

  #assertOpen(): void {
    if (this.#closed) throw new BrainError('unavailable', 'the table is closed', { operation: 'table.read' });
  }
}

function isAlive({ ttl }: Item): boolean {
  return ttl === undefined || ttl > Date.now() / 1000;
}
