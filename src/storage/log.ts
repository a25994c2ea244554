import { randomInt } from 'node:crypto';
import { BrainError } from '../domain/error.ts';
import type { DomainEvent } from '../domain/event.ts';
import type { Instant, OwnerId, Position } from '../domain/values.ts';
import type { JsonText } from './json-text.ts';
import { keys, pks, seqKey } from './keys.ts';
import type { Item, Op, Table, TableReader } from './table.ts';

/** The state of an owner's whole partition. Every write checks and changes `version`, so writers cannot cross. */
export interface Head {
  /** Names this log; a restored or rebuilt one has another. */
  readonly epoch: string;
  /** The last event's number; 0 before the first. */
  readonly seq: number;
  /** The number of the oldest event kept, less one: positions from here on can be read on from. */
  readonly floorSeq: number;
  readonly counts: { readonly nodes: number; readonly edges: number; readonly categories: number };
  /**
   * Names this state, as no other writer names one: a round may be sent before the one that it stands on is answered,
   * and must not be taken for one that stands on what somebody else wrote meanwhile. 0 before the first write.
   */
  readonly version: number;
}

/** An event as it stands in the log. */
export interface LoggedEvent {
  readonly seq: number;
  readonly at: Instant;
  readonly correlationId: string;
  readonly event: DomainEvent;
}

export interface Changes {
  readonly epoch: string;
  readonly events: readonly LoggedEvent[];
  /** The position to go on from: of the last event given, or where the reader already was. */
  readonly position: Position;
  readonly hasMore: boolean;
}

export const emptyHead = (epoch: string): Head => ({
  epoch,
  seq: 0,
  floorSeq: 0,
  counts: { nodes: 0, edges: 0, categories: 0 },
  version: 0,
});

export async function readHead(table: TableReader, owner: OwnerId): Promise<Head | undefined> {
  const item = await table.get(keys.head(owner));
  return item && (JSON.parse(item.j) as Head);
}

export function headItem(owner: OwnerId, head: Head): Item {
  return { ...keys.head(owner), et: 'head.1', ver: head.version, j: JSON.stringify(head) };
}

/** Any of 2^48, by chance: counted up, two writers would give one number to two states. */
function newVersion(): number {
  return randomInt(1, 2 ** 48 - 1);
}

const COUNTED = { node: 'nodes', edge: 'edges', category: 'categories' } as const;

/** The head after these events. */
export function advance(head: Head, events: readonly DomainEvent[]): Head {
  const counts = { ...head.counts };
  for (const { type } of events) {
    const [kind, change] = type.split('.') as [keyof typeof COUNTED, string];
    if (change === 'created') counts[COUNTED[kind]] += 1;
    else if (change === 'deleted') counts[COUNTED[kind]] -= 1;
  }
  return { ...head, seq: head.seq + events.length, counts, version: newVersion() };
}

/** A `LoggedEvent` as JSON; `event` is that of its own. */
export function logText(
  seq: number,
  made: { readonly now: Instant; readonly correlationId: string },
  event: JsonText,
): JsonText {
  const about = `{"seq":${seq},"at":"${made.now}","correlationId":${JSON.stringify(made.correlationId)},"event":`;
  return { text: `${about}${event.text}}`, bytes: Buffer.byteLength(about) + event.bytes + 1 };
}

/** One log item holds the events of one transaction, under the number of its last. `bodies` are their JSON texts. */
export function logItem(owner: OwnerId, lastSeq: number, bodies: readonly string[]): Item {
  return { ...keys.logEntry(owner, lastSeq), et: 'log.1', j: `{"events":[${bodies.join(',')}]}` };
}

/**
 * The events after `after`, in order, at least one transaction's and about `limit` at most: a transaction is never
 * cut, so a reader at `position` has each change whole. Throws `position_gone` for another epoch, a position that
 * was trimmed, or one that lies ahead of the log.
 */
export async function readChanges(
  table: TableReader,
  owner: OwnerId,
  after: { readonly epoch?: string | undefined; readonly seq: number },
  limit: number,
): Promise<Changes> {
  const head = await readHead(table, owner);
  const epoch = head?.epoch ?? after.epoch ?? '';
  const reason =
    after.epoch !== undefined && after.epoch !== epoch && !(after.epoch === '' && after.seq === 0)
      ? 'epoch_changed'
      : after.seq < (head?.floorSeq ?? 0)
        ? 'trimmed'
        : after.seq > (head?.seq ?? 0)
          ? 'invalid'
          : undefined;
  if (reason) throw positionGone(reason, after.seq, head);
  const events: LoggedEvent[] = [];
  let { seq } = after;
  let sk: string | undefined = seqKey(seq);
  while (sk !== undefined && events.length < limit) {
    // Read in small pages: one transaction may hold a few hundred kilobytes.
    const page = await table.query(pks.log(owner), { after: sk, limit: Math.min(limit, 50) });
    sk = page.next;
    for (const item of page.items) {
      const logged = (JSON.parse(item.j) as { events: LoggedEvent[] }).events.filter(
        (e) => e.seq > after.seq,
      );
      // Trimmed between the look at the head, or the page before, and here: a hole is never passed over.
      const isWhole = logged[0] === undefined || logged[0].seq === seq + 1;
      if (!isWhole && events.length === 0) throw positionGone('trimmed', seq, await readHead(table, owner));
      if (!isWhole) return { epoch, events, position: { epoch, seq }, hasMore: true };
      events.push(...logged);
      seq = logged.at(-1)?.seq ?? seq;
      if (events.length >= limit) {
        sk = page.items.at(-1) === item ? page.next : item.sk;
        break;
      }
    }
  }
  if (events.length === 0 && seq < (head?.seq ?? 0))
    throw positionGone('trimmed', seq, await readHead(table, owner));
  return { epoch, events, position: { epoch, seq }, hasMore: sk !== undefined };
}

function positionGone(
  reason: 'epoch_changed' | 'trimmed' | 'invalid',
  seq: number,
  head: Head | undefined,
): BrainError {
  return new BrainError('position_gone', `position ${seq} cannot be read on from: ${reason}`, {
    operation: 'log.read',
    details: { reason, epoch: head?.epoch ?? '', seq: head?.seq ?? 0, floorSeq: head?.floorSeq ?? 0 },
  });
}

/** How much of a log is kept: the younger of the two bounds counts, and transactions are kept whole. */
export interface Retention {
  readonly events: number;
  /** Of this instant or later. */
  readonly since: Instant;
}

/** Log items that one transaction deletes. Each may hold a few hundred kilobytes, and is read for its time. */
const ITEMS_A_TRIM = 20;

/**
 * Deletes the oldest items that are not to be kept, a transaction's worth of them, and raises the floor in the same
 * transaction. Gives how many events went: 0 when there was nothing to do, or another writer was first.
 */
export async function trimLog(table: Table, owner: OwnerId, keep: Retention): Promise<number> {
  const head = await readHead(table, owner);
  if (!head) return 0;
  const { items } = await table.query(pks.log(owner), { limit: ITEMS_A_TRIM });
  const gone: Item[] = [];
  let floorSeq = head.floorSeq;
  for (const item of items) {
    const last = (JSON.parse(item.j) as { events: LoggedEvent[] }).events.at(-1);
    if (!last || (last.seq > head.seq - keep.events && last.at >= keep.since)) break;
    gone.push(item);
    floorSeq = last.seq;
  }
  if (gone.length === 0) return 0;
  const raised: Head = { ...head, floorSeq, version: newVersion() };
  const ops: Op[] = gone.map(({ pk, sk }) => ({ del: { pk, sk } }));
  const outcome = await table.transact([
    [{ put: headItem(owner, raised), if: { ver: head.version } }, ...ops],
  ]);
  return outcome.applied === 1 ? floorSeq - head.floorSeq : 0;
}
