import type { DomainEvent } from '../domain/event.ts';
import { jsonWith, type JsonText, type StateText } from './json-text.ts';
import { OpSet } from './op-set.ts';
import { Overlay } from './overlay.ts';
import { type Item, type Key, type Op, type Page, type QueryOptions, type TableReader } from './table.ts';

/** An event, and its JSON. */
export interface Recorded {
  readonly event: DomainEvent;
  readonly json: JsonText;
}

/** What a piece of work did. */
export interface WorkChanges {
  readonly ops: readonly Op[];
  readonly events: readonly Recorded[];
}

/**
 * The changes of one round of writes, over the table as it stands: reads see what earlier work of the round did.
 * `seal` or `rollback` ends each piece of work; work that throws leaves nothing behind.
 */
export class UnitOfWork implements TableReader {
  #base: TableReader;
  readonly #changed = new Overlay();
  /** What stood under each key that was changed, in the order of the changes. */
  #before: { readonly key: Key; readonly value: Item | null | undefined }[] = [];
  #ops: Op[] = [];
  /** Whether some key may be among `#ops` twice. */
  #mayRepeat = false;
  #events: Recorded[] = [];

  constructor(base: TableReader) {
    this.#base = base;
  }

  /** Lets go of the round below, whose changes are in the table now. */
  rebase(table: TableReader): void {
    this.#base = table;
  }

  put(item: Item): void {
    this.#set(item, item);
    this.#ops.push({ put: item });
  }

  del(key: Key): void {
    this.#set(key, null);
    this.#ops.push({ del: { pk: key.pk, sk: key.sk } });
  }

  /** `known`: the state that the events may hold. */
  record(events: readonly DomainEvent[], known?: StateText): void {
    for (const event of events) this.#events.push({ event, json: jsonWith(event, known) });
  }

  /** Whether the key was changed here or in the rounds below, which are not committed yet. */
  isUncommitted(key: Key): boolean {
    if (this.#changed.get(key) !== undefined) return true;
    return this.#base instanceof UnitOfWork && this.#base.isUncommitted(key);
  }

  /** What the piece of work under way did. */
  changes(): WorkChanges {
    return { ops: this.#mayRepeat ? new OpSet(this.#ops).list : this.#ops, events: this.#events };
  }

  /** Ends a piece of work that went well. */
  seal(): void {
    this.#before = [];
    this.#ops = [];
    this.#mayRepeat = false;
    this.#events = [];
  }

  /** Ends a piece of work that threw: nothing of it remains. */
  rollback(): void {
    for (const { key, value } of this.#before.reverse()) this.#changed.set(key, value);
    this.seal();
  }

  async get(key: Key): Promise<Item | undefined> {
    const changed = this.#changed.get(key);
    return changed === undefined ? this.#base.get(key) : (changed ?? undefined);
  }

  async batchGet(keys: readonly Key[]): Promise<readonly Item[]> {
    const changes = new Set<Item>(); // a key that is asked for twice gives its item once
    const rest: Key[] = [];
    for (const key of keys) {
      const changed = this.#changed.get(key);
      if (changed === undefined) rest.push(key);
      else if (changed !== null) changes.add(changed);
    }
    const found = [...changes];
    return rest.length === 0 ? found : [...found, ...(await this.#base.batchGet(rest))];
  }

  async has(keys: readonly Key[]): Promise<readonly Key[]> {
    const rest = keys.filter((key) => this.#changed.get(key) === undefined);
    const there = keys.filter((key) => this.#changed.get(key));
    return rest.length === 0 ? there : [...there, ...(await this.#base.has(rest))];
  }

  async query(pk: string, options: QueryOptions = {}): Promise<Page> {
    const inRange = this.#changed.withPrefix(pk, options.prefix ?? '').filter((sk) => isInRange(sk, options));
    if (options.uncommitted && !(this.#base instanceof UnitOfWork)) {
      return { items: inRange.flatMap((sk) => this.#changed.get({ pk, sk }) ?? []) };
    }
    if (inRange.length === 0) return this.#base.query(pk, options);
    const { limit } = options;
    // Enough of the base that, however many of them were deleted here, `limit` remain.
    const page = await this.#base.query(pk, {
      ...options,
      ...(limit !== undefined && { limit: limit + inRange.length }),
    });
    const kept = page.items.filter((item) => this.#changed.get(item) === undefined);
    const added = inRange.flatMap((sk) => this.#changed.get({ pk, sk }) ?? []);
    // Past the end of the base page the base may hold items that sort before ours.
    const end = page.next;
    const reach =
      end === undefined ? added : added.filter((item) => compareSortKeys(item.sk, end, options) <= 0);
    const merged = [...kept, ...reach].sort((a, b) => compareSortKeys(a.sk, b.sk, options));
    const items = limit === undefined ? merged : merged.slice(0, limit);
    const more = end !== undefined || items.length < merged.length;
    const next = items.length < merged.length ? items.at(-1)?.sk : end;
    return more && next !== undefined ? { items, next } : { items };
  }

  #set(key: Key, value: Item | null): void {
    const before = this.#changed.set(key, value);
    if (before !== undefined) this.#mayRepeat = true;
    this.#before.push({ key, value: before });
  }
}

/** Whether a sort key is one that the query asks for. */
function isInRange(sk: string, { prefix, after, reverse }: QueryOptions): boolean {
  if (prefix !== undefined && !sk.startsWith(prefix)) return false;
  return after === undefined || compareSortKeys(sk, after, { reverse }) > 0;
}

/** Byte order of UTF-8, which is the order of code points; JavaScript's own `<` is that of UTF-16 units. */
export function compareSortKeys(a: string, b: string, { reverse }: QueryOptions): number {
  let at = 0;
  while (at < a.length && a.charCodeAt(at) === b.charCodeAt(at)) at++;
  // Past the end charCodeAt is NaN: the shorter of the two comes first.
  const order = at === a.length || at === b.length ? a.length - b.length : rank(a, at) - rank(b, at);
  return reverse ? -order : order;
}

/** A UTF-16 unit in the order of code points: halves of surrogate pairs, U+D800 to U+DFFF, come after U+FFFF. */
function rank(text: string, at: number): number {
  const unit = text.charCodeAt(at);
  return unit < 0xd800 ? unit : unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}
