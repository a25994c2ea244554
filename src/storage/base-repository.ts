import type { Decision } from '../domain/decision.ts';
import type { DomainEvent } from '../domain/event.ts';
import { BrainError } from '../domain/error.ts';
import type { OwnerId } from '../domain/values.ts';
import { placeOf } from './keys.ts';
import { everyItem, nameOf, type Item, type Key, type QueryOptions, type TableReader } from './table.ts';
import type { UnitOfWork } from './unit-of-work.ts';

/** How one kind of thing is stored: the only part that a repository of its own has to say. */
export interface Schema<T, Id> {
  /** Entity type, such as `node`. */
  readonly et: string;
  /** Version of the payload; raise it with an upcast from the one before. */
  readonly payloadVersion: number;
  readonly upcasts?: Readonly<Record<number, (payload: never) => unknown>>;
  readonly key: (owner: OwnerId, id: Id) => Key;
  readonly partition: (owner: OwnerId) => string;
  /** Only items of the partition whose sort key begins with this are whole entities. */
  readonly prefix?: string;
  readonly idOf: (entity: T) => Id;
  readonly version: (entity: T) => number | undefined;
  /** Unix seconds after which it counts as absent. */
  readonly ttl?: (entity: T) => number | undefined;
  /** The index items that go with the entity; those of the state before that are not among these are deleted. */
  readonly indexes?: (entity: T) => readonly Item[];
}

export interface EntityPage<T> {
  readonly items: readonly T[];
  readonly next?: string | undefined;
}

/**
 * Reads and writes one kind of entity of one owner, on any table. Repositories compose it; none writes CRUD again.
 * With a unit of work it can change; without one it only reads.
 */
export class BaseRepository<T, Id> {
  readonly schema: Schema<T, Id>;
  readonly owner: OwnerId;
  readonly #reader: TableReader;
  readonly #unit: UnitOfWork | undefined;

  constructor(schema: Schema<T, Id>, owner: OwnerId, reader: TableReader, unit?: UnitOfWork) {
    this.schema = schema;
    this.owner = owner;
    this.#reader = reader;
    this.#unit = unit;
  }

  async find(id: Id): Promise<T | undefined> {
    const item = await this.#reader.get(this.schema.key(this.owner, id));
    return item && this.decode(item);
  }

  /** Throws `not_found`. */
  async get(id: Id): Promise<T> {
    const item = await this.#reader.get(this.schema.key(this.owner, id));
    if (item === undefined) {
      throw new BrainError('not_found', `there is no ${this.schema.et} ${String(id)}`, {
        operation: `${this.schema.et}.get`,
      });
    }
    return this.decode(item);
  }

  /** Those of the ids that exist, in no order. Any number: the table splits and retries. */
  async batchGet(ids: readonly Id[]): Promise<readonly T[]> {
    const items = await this.#reader.batchGet(ids.map((id) => this.schema.key(this.owner, id)));
    return items.map((item) => this.decode(item));
  }

  /** Those of the ids that exist; for ids that mostly do not, cheaper than to get them. */
  async existing(ids: readonly Id[]): Promise<readonly Id[]> {
    const byKey = new Map(ids.map((id) => [this.schema.key(this.owner, id), id]));
    const found = new Set((await this.#reader.has([...byKey.keys()])).map((key) => key.sk));
    return [...byKey].flatMap(([key, id]) => (found.has(key.sk) ? [id] : []));
  }

  async list(options: QueryOptions = {}): Promise<EntityPage<T>> {
    const prefix = options.prefix ?? this.schema.prefix;
    const page = await this.#reader.query(this.schema.partition(this.owner), { ...options, prefix });
    return { items: page.items.map((item) => this.decode(item)), next: page.next };
  }

  /** All of the partition, or of a part of it, page by page. */
  async *all(prefix = this.schema.prefix): AsyncGenerator<T> {
    const { partition } = this.schema;
    for await (const item of everyItem(this.#reader, partition(this.owner), { prefix }))
      yield this.decode(item);
  }

  /** Stores what was decided, with its indexes and events: the one way in which anything changes. */
  apply(decision: Decision<T, DomainEvent>): void {
    if (decision.events.length === 0) return;
    const { before, after, events } = decision;
    const text = this.#write(before, after);
    this.#writable().record(events, text === undefined ? undefined : { state: after as object, text });
  }

  /** Writes `after` in the place of `before`, with the difference of their indexes; for what has no events. */
  replace(before: T | undefined, after: T | undefined): void {
    this.#write(before, after);
  }

  /** All that is stored for an entity: its own item first, then those of its indexes. */
  itemsOf(entity: T | undefined): readonly Item[] {
    if (entity === undefined) return [];
    const { schema } = this;
    const { pk, sk } = this.keyOf(entity);
    const whole: Item = {
      pk,
      sk,
      et: `${schema.et}.${schema.payloadVersion}`,
      ver: schema.version(entity),
      ttl: schema.ttl?.(entity),
      j: JSON.stringify(entity),
    };
    return [whole, ...(schema.indexes?.(entity) ?? [])];
  }

  keyOf(entity: T): Key {
    return this.schema.key(this.owner, this.schema.idOf(entity));
  }

  decode(item: Item): T {
    const [et, version] = item.et.split('.');
    if (et !== this.schema.et) throw corrupt(item, `a ${this.schema.et} was expected, not ${item.et}`);
    let payload: unknown;
    try {
      payload = JSON.parse(item.j);
    } catch (cause) {
      throw corrupt(item, 'its payload is not JSON', cause);
    }
    for (let from = Number(version); from < this.schema.payloadVersion; from++) {
      const upcast = this.schema.upcasts?.[from];
      if (!upcast) throw corrupt(item, `payload version ${from} is not known`);
      payload = upcast(payload as never);
    }
    return payload as T;
  }

  /** Gives the JSON of `after`. */
  #write(before: T | undefined, after: T | undefined): string | undefined {
    const unit = this.#writable();
    const items = this.itemsOf(after);
    if (before === undefined) {
      for (const item of items) unit.put(item);
      return items[0]?.j;
    }
    const stale = new Map(this.itemsOf(before).map((item) => [nameOf(item), item]));
    for (const item of items) {
      const name = nameOf(item);
      if (stale.get(name)?.j !== item.j) unit.put(item);
      stale.delete(name);
    }
    for (const item of stale.values()) unit.del(item);
    return items[0]?.j;
  }

  #writable(): UnitOfWork {
    if (!this.#unit)
      throw new BrainError('internal', `the ${this.schema.et} repository was opened for reading`);
    return this.#unit;
  }
}

function corrupt(key: Key, message: string, cause?: unknown): BrainError {
  return new BrainError('corrupt', `${placeOf(key)}: ${message}`, {
    operation: 'repository.decode',
    cause,
  });
}
