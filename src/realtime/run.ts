import { FRAME_LIMITS } from '../api/realtime.ts';
import { partsOf } from '../domain/event.ts';
import type { Position } from '../domain/values.ts';
import type { Changes, LoggedEvent } from '../storage/log.ts';
import { facetsOf, type Facets, type Matcher } from './filter.ts';
import type { RealtimeMetrics } from './metrics.ts';

/** A frame of events, ready to be sent to any number of sockets. */
export interface EventsFrame {
  readonly bytes: Uint8Array;
  readonly action: 'event' | 'batch';
  /** Of its last event: where a reader stands once it has the frame. */
  readonly position: Position;
  readonly events: number;
}

/** How somebody wants a run told. */
export interface Reading {
  /** Events up to here are left out. */
  readonly covered: number;
  /** What the first frame names as `prev`. */
  readonly told: number;
  readonly matcher: Matcher;
  readonly replayed: boolean;
  /** One event a frame, for transports that give each an id. */
  readonly isSingly: boolean;
}

/** An event of the log on its way out. It is made into JSON when the first reader wants it, and then kept so. */
class Outgoing {
  readonly seq: number;
  readonly facets: Facets;
  #logged: LoggedEvent | undefined;
  #body = '';
  #bytes = 0;

  constructor(logged: LoggedEvent) {
    this.seq = logged.seq;
    this.facets = facetsOf(logged.event);
    this.#logged = logged;
  }

  /** The members that are the same for every reader, with the closing brace. */
  body(epoch: string, metrics: RealtimeMetrics): string {
    if (this.#logged) {
      metrics.serialised.add();
      this.#body = bodyOf(this.#logged, epoch);
      this.#bytes = Buffer.byteLength(this.#body);
      this.#logged = undefined; // the text is what is needed from here on
    }
    return this.#body;
  }

  get bytes(): number {
    return this.#bytes;
  }
}

function bodyOf({ seq, at, correlationId, event }: LoggedEvent, epoch: string): string {
  const { type, version, ids, data } = partsOf(event);
  const rest = { version, timestamp: at, seq, epoch, correlationId };
  const whole = JSON.stringify({ type, ...ids, data, ...rest }).slice(1);
  if (Buffer.byteLength(whole) <= FRAME_LIMITS.dataBytes) return whole;
  const ref = `/api/v2/changes?after=${seq - 1}&epoch=${encodeURIComponent(epoch)}&limit=1`;
  return JSON.stringify({ type, ...ids, data: null, ref, ...rest }).slice(1);
}

/**
 * So many ways of telling a run are kept: more than that, by readers who each want something else, are made again each
 * time, for a run may be a megabyte and is kept for a while.
 */
const KEPT_TELLINGS = 8;

/** `prev` of a frame has at most this many bytes around the body. */
const ENVELOPE_BYTES = 64;

/** A stretch of an owner's log, read once and told to many. */
export class Run {
  readonly epoch: string;
  /** It holds every event with a number above `after`, up to `to`. */
  readonly after: number;
  readonly to: number;
  readonly hasMore: boolean;
  readonly #events: readonly Outgoing[];
  readonly #metrics: RealtimeMetrics;
  /** Frames by what was asked: sockets that want the same get the same bytes. */
  readonly #frames = new Map<string, readonly EventsFrame[]>();

  constructor(after: number, changes: Changes, metrics: RealtimeMetrics) {
    this.epoch = changes.epoch;
    this.after = after;
    this.to = changes.position.seq;
    this.hasMore = changes.hasMore;
    this.#events = changes.events.map((logged) => new Outgoing(logged));
    this.#metrics = metrics;
  }

  frames(reading: Reading): readonly EventsFrame[] {
    const { covered, told, matcher, replayed, isSingly } = reading;
    const key = `${Math.max(covered, this.after)} ${told} ${replayed} ${isSingly} ${matcher.key}`;
    let frames = this.#frames.get(key);
    if (!frames) {
      frames = this.#build(reading);
      if (this.#frames.size >= KEPT_TELLINGS) this.#frames.clear();
      this.#frames.set(key, frames);
    }
    return frames;
  }

  #build({ covered, told, matcher, replayed, isSingly }: Reading): readonly EventsFrame[] {
    const frames: EventsFrame[] = [];
    const most = isSingly ? 1 : FRAME_LIMITS.batchEvents;
    const mark = replayed ? '"replayed":true,' : '';
    let prev = told;
    let texts: string[] = [];
    let bytes = 0;
    const flush = (): void => {
      if (texts.length === 0) return;
      frames.push(frameOf(texts, { epoch: this.epoch, seq: prev }));
      texts = [];
      bytes = 0;
    };
    for (const event of this.#events) {
      if (event.seq <= covered || !matcher.passes(event.facets)) continue;
      const body = event.body(this.epoch, this.#metrics);
      if (texts.length === most || bytes + event.bytes + ENVELOPE_BYTES > FRAME_LIMITS.batchBytes) flush();
      texts.push(`{"action":"event",${mark}"prev":${prev},${body}`);
      bytes += event.bytes + ENVELOPE_BYTES;
      prev = event.seq;
    }
    flush();
    return frames;
  }
}

function frameOf(texts: readonly string[], position: Position): EventsFrame {
  const [only = ''] = texts;
  const single = texts.length === 1;
  return {
    bytes: Buffer.from(single ? only : `{"action":"batch","events":[${texts.join(',')}]}`),
    action: single ? 'event' : 'batch',
    position,
    events: texts.length,
  };
}
