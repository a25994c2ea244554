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
import type { Head } from '../storage/log.ts';
import { Allowance } from './allowance.ts';
import type { Channel, Log } from './channel.ts';
import type { Deadlines } from './deadlines.ts';
import type { Facets } from './filter.ts';
import { LogReader, type ReaderHost, type ReaderPeer } from './log-reader.ts';
import { parseFrame } from './parse-frame.ts';
import { isBlank, obstacle, obstacleIn } from './replay.ts';
import type { Socket } from './socket.ts';
import { Subscriptions } from './subscriptions.ts';

type Frame<A extends ClientFrame['action']> = Extract<ClientFrame, { action: A }>;

export interface Credentials {
  readonly ticket?: string | undefined;
  readonly token?: string | undefined;
}

/** What all sessions of a process share. */
export interface SessionHost extends ReaderHost {
  readonly log: Log;
  readonly deadlines: Deadlines<Session>;
  readonly newId: () => string;
  /** Undefined for a credential that is refused. */
  readonly identify: (credentials: Credentials) => Promise<Principal | undefined>;
  /** Whether the credential was not taken back since. */
  readonly stands: (principal: Principal) => Promise<boolean>;
  /** The channel of the owner, with one more listener; undefined when the owner has too many. */
  readonly enter: (session: Session, principal: Principal) => Channel | undefined;
  /** The session goes on with another credential of the same owner. */
  readonly renew: (session: Session, from: Principal, to: Principal) => void;
  readonly onClosed: (session: Session) => void;
}

/** Where a session begins, and what it hears. */
export interface Opening {
  readonly resume?: Position | undefined;
  /** Absent: everything; null: nothing until a subscription. */
  readonly filter?: Frame<'hello'>['filter'] | undefined;
}

/** Said to those whose token was taken back. */
export const REVOKED = 'the token was revoked';
const NEVER = Infinity;
const SNAPSHOT_URL = '/api/v2/graph';
/** Clients of a server that stops come back spread over this time. */
const SHUTDOWN_SPREAD_MS = 2_000;

/**
 * One connection of one owner, over any transport: who it is, what it asked for, and that it is alive. What it is
 * sent of the log is the work of its LogReader. The machine is in `docs/spec/realtime.md`.
 */
export class Session implements ReaderPeer {
  readonly id: string;
  readonly socket: Socket;
  readonly #host: SessionHost;
  /** Whether the peer answers pings: a stream of server-sent events does not. */
  readonly #isTwoWay: boolean;
  readonly #subscriptions = new Subscriptions();
  readonly #frames: Allowance;
  #principal: Principal | undefined;
  /** There from the welcome on. */
  #reader: LogReader | undefined;
  #channel: Channel | undefined;
  /** Raised whenever it is to go on from another position: of two that overlap the last counts. */
  #beginnings = 0;
  #errors = 0;
  #isIdentifying = false;
  #isClosed = false;
  // When something is to happen, in Unix milliseconds: no hello, the next ping, no pong, the credential's end.
  #helloByMs = NEVER;
  #pingAtMs = NEVER;
  #pongByMs = NEVER;
  #authAtMs = NEVER;
  #isEndAnnounced = false;
  /** The first of them: the session stands under it among the deadlines. */
  #dueMs = NEVER;

  constructor(host: SessionHost, socket: Socket, options: { readonly isTwoWay: boolean }) {
    const { clock, limits } = host;
    this.#host = host;
    this.socket = socket;
    this.#isTwoWay = options.isTwoWay;
    this.#frames = new Allowance(clock, limits.frames);
    this.id = host.newId();
    this.#helloByMs = clock.nowMs() + limits.helloMs;
    this.#schedule();
  }

  get principal(): Principal | undefined {
    return this.#principal;
  }

  get isSingly(): boolean {
    return !this.#isTwoWay;
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
    if (!(await this.#stands(principal)) || this.#isClosed) return;
    const channel = this.#host.enter(this, principal);
    if (!channel) return this.bye('limit', 'there are too many connections of this owner');
    this.#principal = principal;
    this.#channel = channel;
    this.#helloByMs = NEVER;
    await this.#begin(channel, opening.resume);
    if (this.#isClosed) return;
    this.#lookAtEnd();
    this.#planPing();
    this.#schedule();
  }

  /** A deadline has come, or nearly so: whatever is due is done. */
  onDue(): void {
    if (this.#isClosed) return;
    this.#dueMs = NEVER;
    const now = this.#host.clock.nowMs();
    if (now >= this.#helloByMs) return this.bye('helloTimeout', 'no hello came in time');
    if (now >= this.#pongByMs && !this.#missPong(now)) return;
    if (now >= this.#authAtMs) this.#lookAtEnd();
    if (now >= this.#pingAtMs && !this.#isClosed) this.#ping(now);
    this.#schedule();
  }

  /** Something that is in no log. Whoever was not welcomed yet is not told. */
  tell(facets: Facets, frame: () => Uint8Array): void {
    this.#reader?.tell(facets, frame);
  }

  /** Says why, and ends. Nothing is sent after it. */
  bye(why: keyof typeof CLOSE, reason: string): void {
    if (this.#isClosed) return;
    const code = CLOSE[why];
    const retryAfterMs = why === 'shutdown' ? Math.round(this.#host.clock.random() * SHUTDOWN_SPREAD_MS) : 0;
    this.announce({ action: 'bye', code, reason, reconnect: code >= CLOSE.internal, retryAfterMs });
    this.gone(code);
    this.socket.close(code, reason);
  }

  /** The transport is gone, with this code. */
  gone(code: number): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#reader?.stop();
    this.#host.deadlines.remove(this.#dueMs, this);
    this.#host.metrics.closes.add(String(code));
    this.#host.onClosed(this);
  }

  #hello({ ticket, token, resume, filter }: Frame<'hello'>): void {
    if (this.#channel || this.#isIdentifying) return this.#refuse('too_late', 'there was a hello before');
    this.#identify({ ticket, token }, (principal) => this.open(principal, { resume, filter }));
  }

  #identify(credentials: Credentials, goOn: (principal: Principal) => Promise<void> | void): void {
    const identify = async (): Promise<void> => {
      this.#isIdentifying = true;
      try {
        const principal = await this.#host.identify(credentials);
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

  /** Says bye where not. */
  async #stands(principal: Principal): Promise<boolean> {
    try {
      if (await this.#host.stands(principal)) return true;
      this.bye('auth', REVOKED);
    } catch (error) {
      this.bye('internal', toBrainError(error).code);
    }
    return false;
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
        if (reader.phase === 'live') this.#host.metrics.gaps.add();
        if (this.#channel) void this.#begin(this.#channel, { epoch: frame.epoch, seq: frame.seq });
        return;
      case 'ack':
        return this.#host.metrics.unacknowledged.observe(Math.max(0, reader.position.seq - frame.seq));
      case 'ping':
        return this.announce({ action: 'pong', ...reader.beat() });
      case 'pong':
        this.#pongByMs = NEVER;
        return this.#schedule();
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
    if (reader.phase === 'live') this.onLive();
  }

  async #renew(principal: Principal): Promise<void> {
    if (!(await this.#stands(principal)) || this.#isClosed) return;
    const before = this.#principal;
    if (principal.owner !== before?.owner) return this.bye('forbidden', 'a connection stays with its owner');
    if (!principal.scopes.includes('read')) return this.bye('forbidden', 'the scope read is missing');
    this.#host.renew(this, before, principal);
    this.#principal = principal;
    this.#isEndAnnounced = false;
    this.#lookAtEnd();
    this.#schedule();
    this.announce({ action: 'auth.renewed', authExpiresAt: expiryOf(principal) });
  }

  /** Goes on from a position; from the head of the log where none is given. The first time it is the welcome. */
  async #begin(channel: Channel, from: Position | undefined): Promise<void> {
    this.#reader?.stop();
    const beginning = ++this.#beginnings;
    try {
      const head = await this.#host.log.head(channel.owner);
      if (this.#isClosed || beginning !== this.#beginnings) return;
      const reason = from && obstacle(from, head, this.#host.limits.replayEvents);
      if (!this.#reader) this.#welcome(head, from && !reason);
      const reader = (this.#reader ??= new LogReader(this.#host, this, channel));
      reader.want(this.#subscriptions.matcher);
      if (from && reason) {
        reader.strand(from);
        this.#resync(reason, head);
      } else if (from) reader.begin(isBlank(from) ? { epoch: head.epoch, seq: 0 } : from, head.seq);
      else reader.begin({ epoch: head.epoch, seq: head.seq });
    } catch (error) {
      this.bye('internal', toBrainError(error).code);
    }
  }

  /** The log cannot be read on from where the reader was: the peer is told why, and says where to go on. */
  async #strand(channel: Channel, error: unknown): Promise<void> {
    const reason = obstacleIn(error);
    if (!reason) return this.bye('internal', toBrainError(error).code);
    const beginning = ++this.#beginnings;
    try {
      const head = await this.#host.log.head(channel.owner);
      if (!this.#isClosed && beginning === this.#beginnings) this.#resync(reason, head);
    } catch (cause) {
      this.bye('internal', toBrainError(cause).code);
    }
  }

  #resync(reason: ResyncReason, { epoch, seq }: Head): void {
    this.#host.metrics.replays.add(reason);
    this.announce({ action: 'resync', reason, epoch, seq, snapshotUrl: SNAPSHOT_URL });
  }

  /** `resumed` is undefined where no position was given: then it stands where the welcome says. */
  #welcome({ epoch, seq, floorSeq }: Head, resumed: boolean | undefined): void {
    const frame: ServerFrame = {
      action: 'welcome',
      connectionId: this.id,
      epoch,
      seq,
      floorSeq,
      pingMs: this.#host.limits.pingMs,
      maxFrameBytes: FRAME_LIMITS.bytesIn,
      authExpiresAt: this.#principal ? expiryOf(this.#principal) : null,
      resumed: resumed === true,
    };
    this.announce(frame, resumed === undefined ? { epoch, seq } : undefined);
  }

  #planPing(): void {
    const { limits, clock } = this.#host;
    this.#pingAtMs = clock.nowMs() + limits.pingMs * (0.9 + clock.random() * 0.2);
  }

  #ping(now: number): void {
    this.#planPing();
    if (!this.#reader) return;
    this.announce({ action: 'ping', ...this.#reader.beat() });
    void this.#channel?.verify();
    if (this.#isTwoWay && this.#pongByMs === NEVER) this.#pongByMs = now + this.#host.limits.pongMs;
  }

  /** Whether it goes on all the same. */
  #missPong(now: number): boolean {
    // One that is known to be slow has not read the ping yet: how long it may be so is ruled elsewhere.
    const isLagging = this.#reader?.phase === 'lagging';
    if (isLagging) this.#pongByMs = now + this.#host.limits.pongMs;
    else this.bye('noPong', 'no pong came in time');
    return isLagging;
  }

  /** Announces the end of the credential, and keeps to it. */
  #lookAtEnd(): void {
    const { expiresAtMs = NEVER } = this.#principal ?? {};
    const { clock, limits } = this.#host;
    const leftMs = Math.max(0, expiresAtMs - clock.nowMs());
    if (leftMs === 0) return this.bye('auth', 'the credential has expired');
    if (leftMs <= limits.expiringMs && !this.#isEndAnnounced) {
      this.#isEndAnnounced = true;
      this.announce({ action: 'auth.expiring', inMs: Math.round(leftMs) });
    }
    this.#authAtMs = this.#isEndAnnounced ? expiresAtMs : expiresAtMs - limits.expiringMs;
  }

  #schedule(): void {
    if (this.#isClosed) return;
    const next = Math.min(this.#helloByMs, this.#pingAtMs, this.#pongByMs, this.#authAtMs);
    if (next === this.#dueMs) return;
    this.#host.deadlines.remove(this.#dueMs, this);
    this.#dueMs = next;
    if (next < NEVER) this.#host.deadlines.add(next, this);
  }

  #refuse(code: string, message: string): void {
    this.#errors += 1;
    this.announce({ action: 'error', code, message, retryable: false, correlationId: this.id });
    if (this.#errors >= this.#host.limits.errors) this.bye('badFrame', 'too many frames were refused');
  }

  // What its reader says to it.

  announce(frame: ServerFrame, standsAt?: Position): void {
    const { action } = frame;
    const moves = action === 'ping' || action === 'pong';
    const position = moves ? { epoch: frame.epoch, seq: frame.seq } : standsAt;
    this.socket.send(Buffer.from(JSON.stringify(frame)), { action, position });
  }

  onLive(): void {
    for (const answer of this.#subscriptions.pay()) this.announce(answer);
  }

  onSlow(): void {
    this.bye('slow', 'too much was waiting for too long');
  }

  onFailed(error: unknown): void {
    if (this.#channel) void this.#strand(this.#channel, error);
  }
}

function expiryOf({ expiresAtMs }: Principal): string | null {
  return expiresAtMs === undefined ? null : new Date(expiresAtMs).toISOString();
}
