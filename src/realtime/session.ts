import {
  CLOSE,
  FRAME_LIMITS,
  HELLO_SUBSCRIPTION,
  type ClientFrame,
  type ResyncReason,
  type ServerFrame,
} from '../api/realtime.ts';
import { isBrainError, toBrainError } from '../domain/error.ts';
import type { Position } from '../domain/values.ts';
import type { Principal } from '../services/principal.ts';
import type { Clock } from '../shared/clock.ts';
import type { Head } from '../storage/log.ts';
import { Allowance } from './allowance.ts';
import type { Channel, Log } from './channel.ts';
import type { Facets } from './filter.ts';
import type { RealtimeLimits } from './limits.ts';
import { LogReader } from './log-reader.ts';
import type { RealtimeMetrics } from './metrics.ts';
import { parseFrame } from './parse-frame.ts';
import { isBlank, obstacle, obstacleIn } from './replay.ts';
import type { Socket } from './socket.ts';
import { Subscriptions } from './subscriptions.ts';
import { Timers } from '../shared/timers.ts';

type Frame<A extends ClientFrame['action']> = Extract<ClientFrame, { action: A }>;

export interface Credentials {
  readonly ticket?: string | undefined;
  readonly token?: string | undefined;
}

export interface SessionNeeds {
  readonly socket: Socket;
  readonly log: Log;
  readonly clock: Clock;
  readonly limits: RealtimeLimits;
  readonly metrics: RealtimeMetrics;
  readonly turn: () => Promise<void>;
  readonly newId: () => string;
  /** Undefined for a credential that is refused. */
  readonly identify: (credentials: Credentials) => Promise<Principal | undefined>;
  /** The channel of the owner, with one more listener; undefined when the owner has too many. */
  readonly enter: (principal: Principal) => Channel | undefined;
  readonly onClosed: (session: Session) => void;
}

/** Where a session begins, and what it hears. */
export interface Opening {
  readonly resume?: Position | undefined;
  /** Absent: everything; null: nothing until a subscription. */
  readonly filter?: Frame<'hello'>['filter'] | undefined;
}

const SNAPSHOT_URL = '/api/v2/graph';
/** Clients of a server that stops come back spread over this time. */
const SHUTDOWN_SPREAD_MS = 2_000;

/**
 * One connection of one owner, over any transport: who it is, what it asked for, and that it is alive. What it is
 * sent of the log is the work of its LogReader. The machine is in `docs/spec/realtime.md`.
 */
export class Session {
  readonly id: string;
  readonly #needs: SessionNeeds;
  /** Whether the peer answers pings: a stream of server-sent events does not. */
  readonly #isTwoWay: boolean;
  readonly #subscriptions = new Subscriptions();
  readonly #frames: Allowance;
  readonly #timers: Timers<'hello' | 'ping' | 'pong' | 'auth'>;
  #principal: Principal | undefined;
  /** There from the welcome on. */
  #reader: LogReader | undefined;
  #channel: Channel | undefined;
  /** Raised whenever it is to go on from another position: of two that overlap the last counts. */
  #beginnings = 0;
  #errors = 0;
  #isIdentifying = false;
  #isClosed = false;

  constructor(needs: SessionNeeds, options: { readonly isTwoWay: boolean }) {
    const { clock, limits } = needs;
    this.#needs = needs;
    this.#isTwoWay = options.isTwoWay;
    this.#timers = new Timers(clock);
    this.#frames = new Allowance(clock, { atOnce: limits.framesAtOnce, aSecond: limits.framesASecond });
    this.id = needs.newId();
    this.#timers.set('hello', limits.helloMs, () => this.bye('helloTimeout', 'no hello came in time'));
  }

  get owner(): Principal['owner'] | undefined {
    return this.#principal?.owner;
  }

  /** A text frame of the client. */
  receive(text: string): void {
    if (this.#isClosed) return;
    if (Buffer.byteLength(text) > FRAME_LIMITS.bytesIn)
      return this.bye('tooLarge', `a frame has at most ${FRAME_LIMITS.bytesIn} bytes`);
    if (!this.#frames.take()) return this.bye('limit', 'too many frames in too short a time');
    const parsed = parseFrame(text);
    if (parsed.kind === 'refused') return this.#refuse(parsed.code, parsed.message);
    if (parsed.frame.action === 'hello') return this.#hello(parsed.frame);
    if (!this.#reader)
      return this.#refuse('too_early', 'the first frame is hello, and its answer is welcome');
    this.#take(parsed.frame, this.#reader);
  }

  /** What is no text frame at all. */
  receiveOther(what: string): void {
    this.bye('badFrame', `${what}: frames are JSON in text`);
  }

  /** Begins on behalf of somebody who is known, without a hello. */
  async open(principal: Principal, opening: Opening): Promise<void> {
    if (!principal.scopes.includes('read')) return this.bye('forbidden', 'the scope read is missing');
    if (opening.filter !== null && !this.#subscribe(HELLO_SUBSCRIPTION, opening.filter ?? {}))
      return this.bye('badFrame', 'the filter of the hello cannot be taken');
    const channel = this.#needs.enter(principal);
    if (!channel) return this.bye('limit', 'there are too many connections of this owner');
    this.#principal = principal;
    this.#channel = channel;
    this.#timers.clear('hello');
    await this.#begin(channel, opening.resume);
    if (this.#isClosed) return;
    this.#enforceExpiry(principal);
    this.#schedulePing();
  }

  /** Something that is in no log. Whoever was not welcomed yet is not told. */
  tell(facets: Facets, frame: () => Uint8Array): void {
    this.#reader?.tell(facets, frame);
  }

  /** Says why, and ends. Nothing is sent after it. */
  bye(why: keyof typeof CLOSE, reason: string): void {
    if (this.#isClosed) return;
    const code = CLOSE[why];
    const retryAfterMs = why === 'shutdown' ? Math.round(this.#needs.clock.random() * SHUTDOWN_SPREAD_MS) : 0;
    this.#send({ action: 'bye', code, reason, reconnect: code >= CLOSE.internal, retryAfterMs });
    this.gone(code);
    this.#needs.socket.close(code, reason);
  }

  /** The transport is gone, with this code. */
  gone(code: number): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#reader?.stop();
    this.#timers.clearAll();
    this.#needs.metrics.closes.add(String(code));
    this.#needs.onClosed(this);
  }

  #hello({ ticket, token, resume, filter }: Frame<'hello'>): void {
    if (this.#channel || this.#isIdentifying) return this.#refuse('too_late', 'there was a hello before');
    this.#identify({ ticket, token }, (principal) => this.open(principal, { resume, filter }));
  }

  #identify(credentials: Credentials, goOn: (principal: Principal) => Promise<void> | void): void {
    const identify = async (): Promise<void> => {
      this.#isIdentifying = true;
      try {
        const principal = await this.#needs.identify(credentials);
        if (this.#isClosed) return;
        if (principal) await goOn(principal);
        else this.bye('auth', 'the ticket or token is not good, or not any more');
      } catch (error) {
        this.bye('internal', toBrainError(error).code);
      } finally {
        this.#isIdentifying = false;
      }
    };
    void identify();
  }

  #take(frame: Exclude<ClientFrame, { action: 'hello' }>, reader: LogReader): void {
    switch (frame.action) {
      case 'subscribe':
        if (this.#subscribe(frame.id, frame.filter)) this.#confirm('subscribed', frame.id, reader);
        return;
      case 'unsubscribe':
        this.#subscriptions.remove(frame.id);
        return this.#confirm('unsubscribed', frame.id, reader);
      case 'resume':
        if (reader.phase === 'live') this.#needs.metrics.gaps.add();
        if (this.#channel) void this.#begin(this.#channel, { epoch: frame.epoch, seq: frame.seq });
        return;
      case 'ack':
        return this.#needs.metrics.unacknowledged.observe(Math.max(0, reader.position.seq - frame.seq));
      case 'ping':
        return this.#send({ action: 'pong', ...reader.beat() });
      case 'pong':
        return this.#timers.clear('pong');
      case 'auth':
        return this.#identify(frame, (principal) => this.#renew(principal));
    }
  }

  /** False for a filter that is refused, which the peer was told. */
  #subscribe(id: string, filter: NonNullable<Opening['filter']>): boolean {
    try {
      this.#subscriptions.set(id, filter);
      return true;
    } catch (error) {
      this.#refuse(isBrainError(error, 'invalid') ? 'invalid_filter' : 'limit', toBrainError(error).message);
      return false;
    }
  }

  /** Holds from the next event on; it is confirmed once events are live, and until then the answer waits. */
  #confirm(action: 'subscribed' | 'unsubscribed', id: string, reader: LogReader): void {
    reader.want(this.#subscriptions.matcher);
    this.#subscriptions.owe({ action, id, fromSeq: reader.position.seq });
    if (reader.phase === 'live') this.#payAnswers();
  }

  #payAnswers(): void {
    for (const answer of this.#subscriptions.pay()) this.#send(answer);
  }

  #renew(principal: Principal): void {
    if (principal.owner !== this.owner) return this.bye('forbidden', 'a connection stays with its owner');
    this.#principal = principal;
    this.#enforceExpiry(principal);
    this.#send({ action: 'auth.renewed', authExpiresAt: expiryOf(principal) });
  }

  /** Goes on from a position; from the head of the log where none is given. The first time it is the welcome. */
  async #begin(channel: Channel, from: Position | undefined): Promise<void> {
    this.#reader?.stop();
    const beginning = ++this.#beginnings;
    try {
      const head = await this.#needs.log.head(channel.owner);
      if (this.#isClosed || beginning !== this.#beginnings) return;
      const reason = from && obstacle(from, head, this.#needs.limits.replayEvents);
      if (!this.#reader) this.#welcome(head, from !== undefined && !reason);
      const reader = (this.#reader ??= this.#newReader(channel));
      reader.want(this.#subscriptions.matcher);
      if (reason) this.#resync(reason, head);
      else if (from) reader.begin(isBlank(from) ? { epoch: head.epoch, seq: 0 } : from, head.seq);
      else reader.begin({ epoch: head.epoch, seq: head.seq });
    } catch (error) {
      this.bye('internal', toBrainError(error).code);
    }
  }

  #newReader(channel: Channel): LogReader {
    const { socket, clock, limits, metrics, turn } = this.#needs;
    return new LogReader({
      channel,
      socket,
      clock,
      limits,
      metrics,
      turn,
      singly: !this.#isTwoWay,
      announce: (frame) => this.#send(frame),
      onLive: () => this.#payAnswers(),
      onSlow: () => this.bye('slow', 'too much was waiting for too long'),
      onFailed: (error) => void this.#strand(channel, error),
    });
  }

  /** The log cannot be read on from where the reader was: the peer is told why, and says where to go on. */
  async #strand(channel: Channel, error: unknown): Promise<void> {
    const reason = obstacleIn(error);
    if (!reason) return this.bye('internal', toBrainError(error).code);
    const beginning = ++this.#beginnings;
    try {
      const head = await this.#needs.log.head(channel.owner);
      if (!this.#isClosed && beginning === this.#beginnings) this.#resync(reason, head);
    } catch (cause) {
      this.bye('internal', toBrainError(cause).code);
    }
  }

  #resync(reason: ResyncReason, { epoch, seq }: Head): void {
    this.#needs.metrics.replays.add(reason);
    this.#send({ action: 'resync', reason, epoch, seq, snapshotUrl: SNAPSHOT_URL });
  }

  #welcome({ epoch, seq, floorSeq }: Head, resumed: boolean): void {
    this.#send({
      action: 'welcome',
      connectionId: this.id,
      epoch,
      seq,
      floorSeq,
      pingMs: this.#needs.limits.pingMs,
      maxFrameBytes: FRAME_LIMITS.bytesIn,
      authExpiresAt: this.#principal ? expiryOf(this.#principal) : null,
      resumed,
    });
  }

  #schedulePing(): void {
    const { limits, clock } = this.#needs;
    this.#timers.set('ping', limits.pingMs * (0.9 + clock.random() * 0.2), () => {
      this.#schedulePing();
      if (!this.#reader) return;
      this.#send({ action: 'ping', ...this.#reader.beat() });
      void this.#channel?.verify();
      if (this.#isTwoWay && !this.#timers.has('pong')) this.#awaitPong();
    });
  }

  #awaitPong(): void {
    this.#timers.set('pong', this.#needs.limits.pongMs, () => {
      // One that is known to be slow has not read the ping yet: how long it may be so is ruled elsewhere.
      if (this.#reader?.phase === 'lagging') this.#awaitPong();
      else this.bye('noPong', 'no pong came in time');
    });
  }

  #enforceExpiry({ expiresAtMs }: Principal): void {
    this.#timers.clear('auth');
    if (expiresAtMs === undefined) return;
    const { clock, limits } = this.#needs;
    const leftMs = (): number => Math.max(0, expiresAtMs - clock.nowMs());
    let isAnnounced = false;
    // Looked at again each time, for the end may be further away than a timer reaches.
    const look = (): void => {
      if (leftMs() === 0) return this.bye('auth', 'the credential has expired');
      if (leftMs() <= limits.expiringMs && !isAnnounced) {
        isAnnounced = true;
        this.#send({ action: 'auth.expiring', inMs: Math.round(leftMs()) });
      }
      this.#timers.set('auth', isAnnounced ? leftMs() : leftMs() - limits.expiringMs, look);
    };
    look();
  }

  #refuse(code: string, message: string): void {
    this.#errors += 1;
    this.#send({ action: 'error', code, message, retryable: false, correlationId: this.id });
    if (this.#errors >= this.#needs.limits.errors) this.bye('badFrame', 'too many frames were refused');
  }

  #send(frame: ServerFrame): void {
    const moves = frame.action === 'ping' || frame.action === 'pong';
    this.#needs.socket.send(Buffer.from(JSON.stringify(frame)), {
      action: frame.action,
      ...(moves && { position: { epoch: frame.epoch, seq: frame.seq } }),
    });
  }
}

function expiryOf({ expiresAtMs }: Principal): string | null {
  return expiresAtMs === undefined ? null : new Date(expiresAtMs).toISOString();
}
