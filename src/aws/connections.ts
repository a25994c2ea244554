import { crc32 } from 'node:zlib';
import type { Filter } from '../api/realtime.ts';
import type { OwnerId } from '../domain/values.ts';
import type { Principal } from '../services/principal.ts';
import { keys, pks } from '../storage/keys.ts';
import { everyItem, type Item, type Op, type Table } from '../storage/table.ts';

/** A connection as the gateway knows it, from `$connect` on. */
export interface Arrival {
  readonly id: string;
  readonly connectedAtMs: number;
  /** Who it is, where a ticket came with the connection itself. */
  readonly principal?: Principal | undefined;
  /** Set by its hello. */
  readonly owner?: OwnerId | undefined;
  readonly authExpiresAtMs?: number | undefined;
  /** Of the token that may be revoked, where it is one. */
  readonly tokenId?: string | undefined;
  /** Frames that were refused. */
  readonly errors: number;
  readonly ver: number;
}

/**
 * What a greeted connection is at. `replaying`: one invocation alone serves it, until the lease is over, and whoever
 * comes then goes on with it; `stranded`: it hears nothing until it says where to go on.
 */
export type Phase =
  | { readonly kind: 'live' | 'stranded' }
  | { readonly kind: 'replaying'; readonly from: number; readonly count: number; readonly untilMs: number };

/** A greeted connection: what `Session` and `LogReader` keep in memory on a server. */
export interface Connection {
  readonly id: string;
  readonly owner: OwnerId;
  readonly principal: Principal;
  /** The message that greeted: delivered twice it is the same hello. */
  readonly helloId: string;
  readonly subscriptions: readonly (readonly [id: string, filter: Filter])[];
  readonly epoch: string;
  /** Every event up to here that is wanted was posted, or is about to be by whoever stored this. */
  readonly covered: number;
  /** The last number that a frame told the peer: what the next one names as `prev`. */
  readonly told: number;
  readonly phase: Phase;
  /** Since when the gateway takes nothing for it. */
  readonly laggingSinceMs?: number | undefined;
  readonly ver: number;
}

/** By which all arrivals are found, so that each minute's look at them reads few partitions and none is hot. */
export const SHARDS = 64;
/** The gateway cuts after two hours; what it did not tell of goes a little later. */
const KEPT_SECONDS = 2 * 3_600 + 600;

/** The connections of a gateway, as items: one with all others, and once greeted one with its owner's. */
export class Connections {
  readonly #table: Table;
  readonly #nowMs: () => number;

  constructor({ table, nowMs }: { readonly table: Table; readonly nowMs: () => number }) {
    this.#table = table;
    this.#nowMs = nowMs;
  }

  /** A second word of the same connection changes nothing. */
  async arrive(id: string, principal: Principal | undefined): Promise<void> {
    const arrival: Arrival = { id, connectedAtMs: this.#nowMs(), principal, errors: 0, ver: 1 };
    await this.#table.transact([[{ put: this.#arrivalItem(arrival), if: 'absent' }]]);
  }

  async arrival(id: string): Promise<Arrival | undefined> {
    const item = await this.#table.get(keys.arrival(shardOf(id), id));
    return item && arrivalOf(item);
  }

  /** Every connection there is. */
  async *arrivals(shard: number): AsyncGenerator<Arrival> {
    for await (const item of everyItem(this.#table, keys.arrival(shard, '').pk)) yield arrivalOf(item);
  }

  async find(owner: OwnerId, id: string): Promise<Connection | undefined> {
    const item = await this.#table.get(keys.connection(owner, id));
    return item && connectionOf(item);
  }

  async ofOwner(owner: OwnerId): Promise<readonly Connection[]> {
    return (await Array.fromAsync(everyItem(this.#table, pks.connections(owner)))).map(connectionOf);
  }

  /** Both are stored, or neither. False where one of them has changed meanwhile. */
  async greet(arrival: Arrival, connection: Connection): Promise<boolean> {
    return this.#apply([
      { put: this.#connectionItem(connection), if: 'absent' },
      { put: this.#arrivalItem({ ...arrival, ver: arrival.ver + 1 }), if: { ver: arrival.ver } },
    ]);
  }

  /** The connection as it is stored now; undefined where it has changed meanwhile, or is gone. */
  async save(connection: Connection): Promise<Connection | undefined> {
    const { ver } = connection;
    const next = { ...connection, ver: ver + 1 };
    const saved = await this.#apply([{ put: this.#connectionItem(next), if: { ver } }]);
    return saved ? next : undefined;
  }

  async saveArrival(arrival: Arrival): Promise<boolean> {
    const { ver } = arrival;
    return this.#apply([{ put: this.#arrivalItem({ ...arrival, ver: ver + 1 }), if: { ver } }]);
  }

  async remove(id: string, owner: OwnerId | undefined): Promise<void> {
    const gone: Op[] = [{ del: keys.arrival(shardOf(id), id) }];
    if (owner !== undefined) gone.push({ del: keys.connection(owner, id) });
    await this.#table.transact([gone]);
  }

  async #apply(ops: readonly Op[]): Promise<boolean> {
    return (await this.#table.transact([ops])).applied === 1;
  }

  #arrivalItem(arrival: Arrival): Item {
    const { id, ver, connectedAtMs } = arrival;
    const ttl = Math.ceil(connectedAtMs / 1_000) + KEPT_SECONDS;
    return { ...keys.arrival(shardOf(id), id), et: 'arrival.1', ver, ttl, j: JSON.stringify(arrival) };
  }

  #connectionItem(connection: Connection): Item {
    const { owner, id, ver } = connection;
    const ttl = Math.ceil(this.#nowMs() / 1_000) + KEPT_SECONDS;
    return { ...keys.connection(owner, id), et: 'connection.1', ver, ttl, j: JSON.stringify(connection) };
  }
}

function shardOf(id: string): number {
  return crc32(id) % SHARDS;
}

const arrivalOf = ({ j, ver = 0 }: Item): Arrival => ({ ...(JSON.parse(j) as Arrival), ver });
const connectionOf = ({ j, ver = 0 }: Item): Connection => ({ ...(JSON.parse(j) as Connection), ver });
