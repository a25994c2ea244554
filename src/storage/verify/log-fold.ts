import { isDeepStrictEqual } from 'node:util';
import type { DomainEvent } from '../../domain/event.ts';
import { keys, pks } from '../keys.ts';
import type { Head, LoggedEvent } from '../log.ts';
import type { OwnerId } from '../../domain/values.ts';
import { everyItem, type TableReader } from '../table.ts';
import { nameOf, type Findings } from './problem.ts';
import { entityOf, type Entity, type EntityName, type Kind, type Place } from './stored-rows.ts';

/** Log items read at once: each may hold a few hundred kilobytes. */
const ITEMS_A_PAGE = 20;
/** Entities whose state is read and compared at once. */
const COMPARED_AT_ONCE = 500;

/** A kind, and what of it is stored. */
export interface StoredKind {
  readonly kind: Kind;
  readonly places: ReadonlyMap<string, Place>;
}

/**
 * Folds a log, and holds what comes out against what is stored. Of an entity whose making was trimmed the fold starts
 * from what is stored: events set what they name, so those that are kept must leave it as it is. An entity is compared,
 * and its events let go, when the log has reached its version.
 */
export class LogFold {
  readonly #kinds: ReadonlyMap<EntityName, StoredKind>;
  readonly #reader: TableReader;
  readonly #head: Head;
  readonly #findings: Findings;
  /** The events so far of what is not compared yet, by kind and id. */
  readonly #open = new Map<string, DomainEvent[]>();
  /** Of each kind the ids that the log has led to what is stored. */
  readonly #reached: ReadonlyMap<EntityName, Set<string>>;
  #due: { readonly id: string; readonly events: readonly DomainEvent[]; readonly stored: StoredKind }[] = [];

  constructor(
    reader: TableReader,
    {
      head,
      kinds,
      findings,
    }: { readonly head: Head; readonly kinds: readonly StoredKind[]; readonly findings: Findings },
  ) {
    this.#reader = reader;
    this.#head = head;
    this.#findings = findings;
    this.#kinds = new Map(kinds.map((one) => [one.kind.name, one]));
    this.#reached = new Map(kinds.map(({ kind }) => [kind.name, new Set()]));
  }

  /** Reads the whole log. Gives how many events it has. */
  async run(owner: OwnerId, onProgress: (events: number) => void): Promise<number> {
    const { floorSeq, seq: headSeq } = this.#head;
    let last = floorSeq;
    let count = 0;
    for await (const item of everyItem(this.#reader, pks.log(owner), { limit: ITEMS_A_PAGE })) {
      const events = eventsIn(item.j);
      if (events.length === 0) this.#findings.add('row', item, 'holds no events that can be read');
      for (const { seq, event } of events) {
        if (seq !== last + 1) this.#findings.add('log', item, `the log goes from ${last} to ${seq}`);
        last = seq;
        this.#take(event, item);
      }
      if (events.length > 0 && item.sk !== keys.logEntry(owner, last).sk)
        this.#findings.add('log', item, `ends at event ${last}`);
      count += events.length;
      if (this.#due.length >= COMPARED_AT_ONCE) await this.#compareDue();
      onProgress(count);
    }
    if (last !== headSeq)
      this.#findings.add('log', keys.head(owner), `the head says ${headSeq} events, the log ends at ${last}`);
    await this.#compareDue();
    this.#tellUnreached();
    return count;
  }

  #take(event: DomainEvent, key: { readonly pk: string; readonly sk: string }): void {
    const { name, id } = entityOf(event);
    const stored = this.#kinds.get(name) as StoredKind;
    const place = stored.places.get(id);
    const events = this.#open.get(`${name} ${id}`) ?? [];
    const before = events.at(-1)?.version ?? this.#versionBefore(name, id, place);
    const from = event.type === `${name}.created` ? 0 : before;
    if (from !== undefined && (event.version !== from + 1 || from !== (before ?? from)))
      this.#findings.add('log', key, `${name} ${id} goes from version ${before ?? 0} to ${event.version}`);
    events.push(event);
    this.#open.set(`${name} ${id}`, events);
    const isGone = event.type === `${name}.deleted`;
    if (!isGone && place?.version !== event.version) return;
    this.#open.delete(`${name} ${id}`);
    if (!place) return;
    this.#reached.get(name)?.add(id);
    this.#due.push({ id, events, stored });
  }

  /** Before the first event that is kept, or after those that are compared; undefined where it was trimmed. */
  #versionBefore(name: EntityName, id: string, place: Place | undefined): number | undefined {
    if (this.#reached.get(name)?.has(id) === true) return place?.version;
    return this.#head.floorSeq === 0 ? 0 : undefined;
  }

  async #compareDue(): Promise<void> {
    const due = this.#due;
    this.#due = [];
    for (const { kind, places } of this.#kinds.values()) {
      const ofKind = due.filter(({ stored }) => stored.kind === kind);
      const { schema, owner } = kind.base;
      const pk = schema.partition(owner);
      const skOf = (id: string): string => places.get(id)?.sk ?? '';
      const items = await this.#reader.batchGet(ofKind.map(({ id }) => ({ pk, sk: skOf(id) })));
      const bySk = new Map(items.map((item) => [item.sk, kind.base.decode(item)]));
      for (const { id, events } of ofKind) {
        const found = bySk.get(skOf(id));
        if (found) this.#compare(kind, nameOf({ pk, sk: skOf(id) }), found, events);
      }
    }
  }

  #compare({ apply }: Kind, key: string, found: Entity, events: readonly DomainEvent[]): void {
    const isWhole = events[0]?.type.endsWith('.created') === true;
    const start = isWhole || this.#head.floorSeq === 0 ? undefined : found;
    const folded = events.reduce(apply, start);
    if (JSON.stringify(found) === JSON.stringify(folded) || isDeepStrictEqual(found, plain(folded))) return;
    this.#findings.add('state', key, differenceOf(found, folded));
  }

  /** What is stored and no event leads to, and what events lead to and is not stored. */
  #tellUnreached(): void {
    for (const [name, { kind, places }] of this.#kinds) {
      const pk = kind.base.schema.partition(kind.base.owner);
      for (const [id, { sk, version }] of places) {
        const last = this.#open.get(`${name} ${id}`)?.at(-1)?.version;
        if (last !== undefined)
          this.#findings.add('state', { pk, sk }, `stands at version ${version}, the log leads to ${last}`);
        else if (this.#head.floorSeq === 0 && this.#reached.get(name)?.has(id) !== true)
          this.#findings.add('state', { pk, sk }, 'the log does not know it');
      }
    }
    for (const events of this.#open.values()) {
      const last = events.at(-1) as DomainEvent;
      const { name, id } = entityOf(last);
      const { kind, places } = this.#kinds.get(name) as StoredKind;
      if (!places.has(id))
        this.#findings.add(
          'state',
          kind.nameOf(id),
          `is not there, the log leads to version ${last.version}`,
        );
    }
  }
}

function eventsIn(j: string): readonly LoggedEvent[] {
  try {
    return (JSON.parse(j) as { readonly events: readonly LoggedEvent[] }).events;
  } catch {
    return [];
  }
}

/** As it is stored: a field that is undefined is none. */
function plain(state: Entity | undefined): unknown {
  return state && JSON.parse(JSON.stringify(state));
}

/** The fields in which two states differ, and not what they say. */
function differenceOf(found: Entity, folded: Entity | undefined): string {
  if (!folded) return 'is there, and the log says that it is not';
  const [a, b] = [found, plain(folded)] as readonly Readonly<Record<string, unknown>>[];
  const fields = [...new Set([...Object.keys(a ?? {}), ...Object.keys(b ?? {})])];
  const other = fields.filter((field) => !isDeepStrictEqual(a?.[field], b?.[field]));
  return `is not what the log leads to: ${other.join(', ')}`;
}
