import { setTimeout as delay } from 'node:timers/promises';
import { EventBridgeClient, PutEventsCommand, type PutEventsRequestEntry } from '@aws-sdk/client-eventbridge';
import { BrainError, isBrainError } from '../domain/error.ts';
import type { OwnerId, Position } from '../domain/values.ts';
import { keys } from '../storage/keys.ts';
import type { Changes } from '../storage/log.ts';
import type { Store } from '../storage/store.ts';
import type { Table } from '../storage/table.ts';
import { answerWithin } from './answer-within.ts';
import { cloudEvent } from './cloud-event.ts';
import { EVENT_SOURCE } from './detail-types.ts';

/** The name of this consumer's positions. */
const CONSUMER = 'bus';
/** EventBridge's own limits of one call. */
const ENTRIES_A_CALL = 10;
const BYTES_A_CALL = 250_000;
const EVENTS_A_READ = 100;
const ANSWER_MS = 5_000;
const ATTEMPTS = 6;
const PAUSE_MS = 50;
/** Two who publish the same owner's events: one of them does the rest. */
const OTHERS_WERE_FIRST = 5;

interface OutboxNeeds {
  readonly table: Table;
  readonly store: Pick<Store, 'changes' | 'head'>;
  readonly bus: string;
  /** Events that were trimmed before they were put on the bus: nobody will be given them. */
  readonly onLost?: ((owner: OwnerId, from: Position, to: Position) => void) | undefined;
}

/** Where the consumer stands in an owner's log, as it is stored. */
interface Cursor extends Position {
  readonly ver: number;
}

/**
 * Every committed event onto the bus, at least once: a consumer of each owner's log with a position of its own. It
 * takes part in no commit; whoever hears of one calls it, and whoever did not hear is made good by the schedule.
 */
export class Outbox {
  readonly #needs: OutboxNeeds;
  readonly #client = new EventBridgeClient({ maxAttempts: 3, requestHandler: answerWithin(ANSWER_MS) });

  constructor(needs: OutboxNeeds) {
    this.#needs = needs;
  }

  /** Whether there are events that the bus was not given; two reads. */
  async isBehind(owner: OwnerId): Promise<boolean> {
    const [cursor, head] = await Promise.all([this.#cursor(owner), this.#needs.store.head(owner)]);
    return cursor.seq < head.seq || (cursor.epoch !== head.epoch && head.seq > 0);
  }

  /**
   * Puts the owner's events after the stored position on the bus, in their order, and stores it. Gives how many there
   * were. Throws `unavailable` when the bus does not take them; what it took stays taken.
   */
  async publish(owner: OwnerId): Promise<number> {
    let count = 0;
    let cursor = await this.#cursor(owner);
    for (let collisions = 0; collisions < OTHERS_WERE_FIRST;) {
      const changes = await this.#changes(owner, cursor);
      const { events, epoch, position, hasMore } = changes;
      await this.#put(
        events.map((event): PutEventsRequestEntry => {
          const detail = cloudEvent(owner, epoch, event);
          return {
            EventBusName: this.#needs.bus,
            Source: EVENT_SOURCE,
            DetailType: detail.type,
            Time: new Date(event.at),
            Detail: JSON.stringify(detail),
          };
        }),
      );
      count += events.length;
      if (position.seq === cursor.seq && epoch === cursor.epoch) return count;
      const moved = { ...position, ver: cursor.ver + 1 };
      if (await this.#save(owner, moved)) cursor = moved;
      else {
        collisions += 1; // the same events were put twice: consumers know them by their ids
        cursor = await this.#cursor(owner);
      }
      if (!hasMore && cursor === moved) return count;
    }
    return count; // others are at it
  }

  async #cursor(owner: OwnerId): Promise<Cursor> {
    const item = await this.#needs.table.get(keys.cursor(CONSUMER, owner));
    return item ? { ...(JSON.parse(item.j) as Position), ver: item.ver ?? 0 } : { epoch: '', seq: 0, ver: 0 };
  }

  async #save(owner: OwnerId, { epoch, seq, ver }: Cursor): Promise<boolean> {
    const put = { ...keys.cursor(CONSUMER, owner), et: 'cursor.1', ver, j: JSON.stringify({ epoch, seq }) };
    const condition = ver === 1 ? 'absent' : { ver: ver - 1 };
    return (await this.#needs.table.transact([[{ put, if: condition }]])).applied === 1;
  }

  /** From another log, or from where this one was trimmed to, it goes on with what there is. */
  async #changes(owner: OwnerId, from: Position): Promise<Changes> {
    const { store, onLost } = this.#needs;
    try {
      return await store.changes(owner, from, EVENTS_A_READ);
    } catch (error) {
      if (!isBrainError(error, 'position_gone')) throw error;
      const { epoch, floorSeq } = await store.head(owner);
      if (floorSeq > 0) onLost?.(owner, from, { epoch, seq: floorSeq });
      return store.changes(owner, { epoch, seq: floorSeq }, EVENTS_A_READ);
    }
  }

  async #put(entries: readonly PutEventsRequestEntry[]): Promise<void> {
    for (const batch of batches(entries)) {
      let rest = batch;
      for (let attempt = 1; rest.length > 0; attempt++) {
        const { Entries = [] } = await this.#client.send(new PutEventsCommand({ Entries: rest }));
        rest = rest.filter((_, at) => Entries[at]?.EventId === undefined);
        if (rest.length > 0 && attempt >= ATTEMPTS) throw refused(Entries.find((entry) => entry.ErrorCode));
        if (rest.length > 0) await delay(Math.random() * PAUSE_MS * 2 ** attempt);
      }
    }
  }
}

/** As many as fit into one call, in their order. */
function batches(entries: readonly PutEventsRequestEntry[]): PutEventsRequestEntry[][] {
  const all: PutEventsRequestEntry[][] = [];
  let bytes = Infinity;
  for (const entry of entries) {
    const size = Buffer.byteLength(entry.Detail ?? '') + 200;
    const last = all.at(-1);
    if (!last || last.length === ENTRIES_A_CALL || bytes + size > BYTES_A_CALL) {
      all.push([entry]);
      bytes = size;
    } else {
      last.push(entry);
      bytes += size;
    }
  }
  return all;
}

const refused = (entry: { readonly ErrorCode?: string | undefined } | undefined): BrainError =>
  new BrainError('unavailable', `the bus does not take an event: ${entry?.ErrorCode ?? 'unknown'}`, {
    operation: 'bus.put',
  });
