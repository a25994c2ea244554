import assert from 'node:assert/strict';
import type { Filter, ServerFrame } from '../../src/api/realtime.ts';
import type { RealtimeItem } from '../../src/client/realtime-options.ts';
import { facetsOf, matcherOf } from '../../src/realtime/filter.ts';
import type { LoggedEvent } from '../../src/storage/log.ts';

/** From the event after `from` on, this filter is in force. */
interface Stretch {
  readonly from: number;
  readonly filter: Filter;
}

/**
 * What one client must have been given, worked out from the log and from what it asked for: each event after the
 * first position that the filter of that moment lets pass, once and in order, but for what a snapshot stood for.
 */
export class Account {
  readonly #stretches: Stretch[] = [];
  /** Filters that were sent and not confirmed yet, and the one that the server has. */
  readonly #asked: Filter[] = [];
  #held: Filter;
  readonly #begun: Filter[] = [];
  readonly #given: number[] = [];
  /** Numbers that a snapshot or a reset passed over, first and last. */
  readonly #leaps: (readonly [number, number])[] = [];
  #start: number | undefined;
  #at = 0;

  constructor(filter: Filter) {
    this.#held = filter;
  }

  /** The client said hello, on a new connection. */
  greeted(filter: Filter): void {
    this.#asked.length = 0;
    this.#begun.length = 0;
    this.#held = filter;
    this.#begun.push(filter);
  }

  asked(filter: Filter): void {
    this.#held = filter;
    this.#asked.push(filter);
  }

  resumed(): void {
    this.#begun.push(this.#held);
  }

  saw(frame: ServerFrame): void {
    if (frame.action === 'welcome' && this.#start === undefined) {
      this.#start = this.#at = frame.seq;
      this.#enter(frame.seq, this.#begun.shift() ?? this.#held);
    }
    if (frame.action === 'replay.begin') this.#enter(frame.from, this.#begun.shift() ?? this.#held);
    if (frame.action === 'subscribed') this.#enter(frame.fromSeq, this.#asked.shift() ?? this.#held);
    if (frame.action === 'resync') this.#begun.shift();
  }

  took(item: RealtimeItem): void {
    if (item.kind === 'event') this.#given.push(item.event.seq);
    else this.#leaps.push([this.#at + 1, item.position.seq]);
    this.#at = item.position.seq;
  }

  /** `upTo`: the position that the client has reached, which must be the end of the log. */
  check(log: readonly LoggedEvent[], upTo: number | undefined): void {
    assert.equal(upTo, log.length);
    const wanted = log.filter(({ seq, event }) => {
      if (seq <= (this.#start ?? Infinity)) return false;
      if (this.#leaps.some(([first, last]) => seq >= first && seq <= last)) return false;
      const stretch = this.#stretches.findLast(({ from }) => from < seq);
      return stretch !== undefined && matcherOf(stretch.filter).passes(facetsOf(event));
    });
    assert.deepEqual(
      this.#given,
      wanted.map(({ seq }) => seq),
    );
  }

  get events(): number {
    return this.#given.length;
  }

  get leaps(): number {
    return this.#leaps.length;
  }

  /** What begins anew from a position is ruled by its filter alone. */
  #enter(from: number, filter: Filter): void {
    while ((this.#stretches.at(-1)?.from ?? -1) > from) this.#stretches.pop();
    this.#stretches.push({ from, filter });
  }
}
