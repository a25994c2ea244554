import {
  CLOSE,
  HELLO_SUBSCRIPTION,
  SUBPROTOCOL,
  type ClientFrame,
  type EventFrame,
  type Filter,
  type Position,
  type ResyncReason,
  type ServerFrame,
} from '../api/realtime.ts';
import { systemClock, type Clock } from '../shared/clock.ts';
import { Timers } from '../shared/timers.ts';
import { Audience } from './audience.ts';
import { Backoff } from './backoff.ts';
import { ApiError } from './http-client.ts';
import type { ItemQueue } from './item-queue.ts';
import { judge } from './position.ts';
import {
  RealtimeError,
  type RealtimeItem,
  type RealtimeListener,
  type RealtimeOptions,
  type RealtimeState,
  type WebSocketLike,
} from './realtime-options.ts';
import { WantedFilter } from './wanted-filter.ts';

const OPEN = 1;
const WELCOME_MS = 10_000;
/** A server answers within ten seconds; what was asked over a network that is gone is never answered. */
const TICKET_MS = 30_000;
/** The answer to a resume is a replay or a resync. Through a gateway it may be lost, as the resume may. */
const ANSWER_MS = 10_000;
/** After this time live a connection counts as good: the next failure begins with a short wait again. */
const STEADY_MS = 10_000;
/** The close after a bye; through a gateway that is in trouble it may not come. */
const CLOSE_MS = 5_000;
/** Added to the server's interval of pings before silence counts as the end. */
const SILENCE_MS = 10_000;
/** The loop breaker: resumes from one position on one connection, snapshots that did not help, refused credentials. */
const MOST_RESUMES = 3;
const MOST_RESYNCS = 5;
const MOST_REFUSALS = 3;
/** A close of ours, because the connection is of no use. */
const GIVEN_UP = 4000;
const FATAL: ReadonlySet<number> = new Set([
  CLOSE.badFrame,
  CLOSE.forbidden,
  CLOSE.subprotocol,
  CLOSE.tooLarge,
]);

/**
 * The reader's side of `brain2.v1`: every event after a position, each once and in order, over as many connections as
 * it takes. The one thing that it knows is its position; a frame that does not follow it is not taken, and what is
 * missing is asked for. The machine is in `docs/spec/realtime.md`.
 */
export class RealtimeClient<S extends Position = Position> implements AsyncIterable<RealtimeItem<S>> {
  readonly #options: RealtimeOptions<S>;
  readonly #clock: Clock;
  readonly #backoff: Backoff;
  readonly #audience: Audience<S>;
  readonly #timers: Timers<'ticket' | 'welcome' | 'resume' | 'filter' | 'steady' | 'silence' | 'retry'>;
  readonly #filter: WantedFilter;
  #position: Position | undefined;
  #state: RealtimeState = 'stopped';
  #socket: WebSocketLike | undefined;
  /** Raised with each attempt to connect: a ticket that comes for one before is of no use. */
  #attempts = 0;
  /** Set while frames of events are not for us: until the server begins anew from our position. */
  #isAwaitingReplay = false;
  #retryAfterMs = 0;
  /** Why the server ends the connection: where a gateway holds the socket, the close has a code of the gateway's own. */
  #byeCode: number | undefined;
  #resumes = 0;
  #resyncs = 0;
  #refusals = 0;
  #heardAtMs = 0;
  #error: RealtimeError | undefined;

  constructor(options: RealtimeOptions<S>) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#timers = new Timers(this.#clock);
    this.#audience = new Audience(options.mostWaiting, () => {
      if (this.#state === 'paused') void this.#connect();
    });
    this.#backoff = new Backoff(() => this.#clock.random());
    this.#filter = new WantedFilter(options.filter, (filter) => this.#subscribe(filter));
    this.#position = options.from;
  }

  /** Where it stands; undefined before the first welcome, when no position was given. */
  get position(): Position | undefined {
    return this.#position;
  }

  get state(): RealtimeState {
    return this.#state;
  }

  /** Why it has stopped, if it was not asked to. */
  get error(): RealtimeError | undefined {
    return this.#error;
  }

  start(): this {
    if (this.#state !== 'stopped') return this;
    this.#error = undefined;
    this.#refusals = 0;
    this.#resyncs = 0;
    void this.#connect();
    return this;
  }

  /** Ends everything; iterations end too. */
  stop(error?: RealtimeError): void {
    this.#error = error;
    this.#drop(1000);
    this.#enter('stopped');
    this.#audience.end(error);
  }

  /** Calls back from now on. Gives the way to end that. */
  on(listener: RealtimeListener<S>): () => void {
    return this.#audience.add(listener);
  }

  /** Hears something else from the next event on; `subscribed` among the frames tells from which. */
  setFilter(filter: Filter): void {
    this.#filter.set(filter);
    if (this.#socket && this.#state !== 'connecting') this.#filter.ask(); // else the next hello, or its welcome, does
  }

  /** All items from now on, for as long as it runs; it is started if need be. Throws what ended it for good. */
  [Symbol.asyncIterator](): ItemQueue<RealtimeItem<S>> {
    const queue = this.#audience.queue();
    this.start();
    return queue;
  }

  async #connect(): Promise<void> {
    this.#drop(1000);
    const attempt = ++this.#attempts;
    this.#timers.set('ticket', TICKET_MS, () => this.#giveUp('no ticket'));
    this.#enter('connecting');
    let ticket: string | undefined;
    try {
      ticket = await this.#options.ticket?.();
    } catch (error) {
      if (this.#state !== 'connecting' || attempt !== this.#attempts) return;
      this.#timers.clear('ticket');
      if (error instanceof ApiError && [401, 403].includes(error.problem.status)) this.#refused();
      else this.#retry();
      return;
    }
    if (this.#state !== 'connecting' || attempt !== this.#attempts) return;
    let socket: WebSocketLike;
    try {
      socket = this.#newSocket();
    } catch (error) {
      // An address that is none, or a runtime without sockets: trying again is of no use.
      return this.stop(new RealtimeError(0, `no socket can be made to ${this.#options.url}`, error));
    }
    this.#socket = socket;
    this.#retryAfterMs = 0;
    this.#byeCode = undefined;
    this.#resumes = 0;
    this.#isAwaitingReplay = false;
    this.#timers.clear('ticket');
    this.#timers.set('welcome', WELCOME_MS, () => this.#giveUp('no welcome'));
    socket.addEventListener('open', () => this.#hello(socket, ticket));
    socket.addEventListener('error', () => undefined); // a close follows
    socket.addEventListener('message', ({ data }) => {
      if (socket === this.#socket) this.#receive(JSON.parse(String(data)) as ServerFrame);
    });
    socket.addEventListener('close', ({ code }) => {
      if (socket === this.#socket) this.#closed(this.#byeCode ?? code);
    });
  }

  #newSocket(): WebSocketLike {
    const url = new URL('/ws', this.#options.url);
    url.protocol = url.protocol.replace('http', 'ws');
    return new (this.#options.WebSocket ?? globalThis.WebSocket)(url.href, SUBPROTOCOL);
  }

  #hello(socket: WebSocketLike, ticket: string | undefined): void {
    if (socket !== this.#socket) return;
    const filter = this.#filter.greet();
    this.#send({
      action: 'hello',
      client: 'brain2-client',
      ...(ticket !== undefined && { ticket }),
      ...(this.#position && { resume: this.#position }),
      ...(filter && { filter }),
    });
  }

  #receive(frame: ServerFrame): void {
    this.#heardAtMs = this.#clock.nowMs();
    this.#audience.tell((listener) => listener.frame?.(frame));
    switch (frame.action) {
      case 'welcome':
        return this.#welcomed(frame);
      case 'event':
        return this.#take(frame);
      case 'batch':
        return frame.events.forEach((event) => this.#take(event));
      case 'notice':
        return this.#audience.tell((listener) => listener.notice?.(frame));
      case 'ping':
        this.#heed(frame);
        return this.#send({ action: 'pong', seq: this.#position?.seq ?? 0 });
      case 'pong':
        return this.#heed(frame);
      case 'replay.begin':
        if (frame.from === this.#position?.seq) this.#answered();
        return this.#enter('replaying');
      case 'replay.end':
        return this.#live();
      case 'resync':
        return void this.#resync(frame.reason, frame);
      case 'auth.expiring':
        return void this.#renew();
      case 'bye':
        this.#retryAfterMs = frame.retryAfterMs;
        this.#byeCode = frame.code;
        return this.#timers.set('silence', CLOSE_MS, () => this.#closed(frame.code));
      case 'subscribed':
      case 'error':
        this.#timers.clear('filter');
        return this.#filter.answered();
      case 'unsubscribed':
      case 'auth.renewed':
        return;
    }
  }

  #welcomed({ epoch, seq, pingMs }: Extract<ServerFrame, { action: 'welcome' }>): void {
    this.#timers.clear('welcome');
    this.#refusals = 0;
    this.#watchSilence(pingMs * 1.1 + SILENCE_MS);
    if (this.#position) this.#enter('replaying'); // or a resync follows
    else this.#position = { epoch, seq };
    if (this.#state === 'connecting') this.#live();
    this.#filter.ask();
  }

  #live(): void {
    this.#resyncs = 0; // the log was read on: a snapshot did help
    this.#enter('live');
    this.#timers.set('steady', STEADY_MS, () => this.#backoff.reset());
  }

  #take(event: EventFrame): void {
    // Within a batch a listener may have ended it, or a queue be full: what was not taken is asked for again.
    if (!this.#socket || !this.#follows(event)) return;
    this.#backoff.reset();
    this.#give({ kind: 'event', event, position: { epoch: event.epoch, seq: event.seq } });
  }

  /** A ping moves the position as an event does: up to there, nothing that was asked for is left. */
  #heed(frame: Position & { readonly prev: number }): void {
    if (this.#follows(frame)) this.#position = { epoch: frame.epoch, seq: frame.seq };
  }

  /** Whether the frame is the next one. Where something is missing before it, that is asked for. */
  #follows(frame: Position & { readonly prev: number }): boolean {
    const last = this.#position;
    if (!last || this.#isAwaitingReplay) return false;
    const verdict = judge(last, frame);
    if (verdict === 'gap') this.#resume(last);
    return verdict === 'accept';
  }

  #resume({ epoch, seq }: Position): void {
    this.#isAwaitingReplay = true;
    this.#resumes += 1;
    if (this.#resumes > MOST_RESUMES) return this.#giveUp('the same hole again and again');
    this.#timers.set('resume', ANSWER_MS, () => this.#giveUp('no replay'));
    this.#send({ action: 'resume', epoch, seq });
  }

  /** Its answer may be lost on the way, or wait for the end of a replay: what is wanted since waits no longer. */
  #subscribe(filter: Filter): void {
    this.#timers.set('filter', ANSWER_MS, () => this.#filter.answered());
    this.#send({ action: 'subscribe', id: HELLO_SUBSCRIPTION, filter });
  }

  /** The replay that was asked for begins. */
  #answered(): void {
    this.#isAwaitingReplay = false;
    this.#timers.clear('resume');
  }

  async #resync(reason: ResyncReason, { epoch, seq }: Position): Promise<void> {
    this.#isAwaitingReplay = true;
    this.#timers.clear('resume');
    this.#enter('resyncing');
    this.#resyncs += 1;
    if (this.#resyncs > MOST_RESYNCS)
      return this.stop(new RealtimeError(0, `reading everything anew did not help: ${reason}`));
    const socket = this.#socket;
    try {
      const snapshot = await this.#options.snapshot?.();
      if (socket !== this.#socket) return; // the next connection finds the same, and does this again
      const position = snapshot ? { epoch: snapshot.epoch, seq: snapshot.seq } : { epoch, seq };
      this.#give(
        snapshot ? { kind: 'snapshot', reason, snapshot, position } : { kind: 'reset', reason, position },
      );
      if (socket === this.#socket) this.#resume(position);
    } catch {
      if (socket === this.#socket) this.#giveUp('the snapshot cannot be read');
    }
  }

  async #renew(): Promise<void> {
    const socket = this.#socket;
    try {
      const ticket = await this.#options.ticket?.();
      if (ticket !== undefined && socket === this.#socket) this.#send({ action: 'auth', ticket });
    } catch {
      // The connection ends when its credential does, and the next one asks again.
    }
  }

  #give(item: RealtimeItem<S>): void {
    this.#position = item.position;
    this.#resumes = 0;
    this.#audience.give(item);
    if (!this.#audience.isFull) return;
    this.#drop(1000);
    this.#enter('paused');
  }

  #closed(code: number): void {
    this.#drop(GIVEN_UP);
    if (FATAL.has(code)) return this.stop(new RealtimeError(code, `the server refuses this client: ${code}`));
    if (code === CLOSE.auth) return this.#refused();
    this.#retry();
  }

  /** A ticket may have been too old; a token that makes none, or none that is taken, is not going to get better. */
  #refused(): void {
    this.#refusals += 1;
    if (this.#refusals < MOST_REFUSALS) return this.#retry();
    this.stop(new RealtimeError(CLOSE.auth, 'the server does not take the credentials'));
  }

  #giveUp(reason: string): void {
    this.#drop(GIVEN_UP, reason);
    this.#retry();
  }

  #retry(): void {
    this.#enter('waiting');
    this.#timers.set('retry', this.#backoff.nextMs(this.#retryAfterMs), () => void this.#connect());
  }

  #watchSilence(mostMs: number): void {
    this.#timers.set('silence', mostMs, () => {
      const silentMs = this.#clock.nowMs() - this.#heardAtMs;
      if (silentMs >= mostMs) this.#giveUp('silence');
      else this.#watchSilence(mostMs);
    });
  }

  /** Lets go of the connection, if there is one; from here on nothing that it says counts. */
  #drop(code?: number, reason?: string): void {
    this.#timers.clearAll();
    const socket = this.#socket;
    this.#socket = undefined;
    if (code !== undefined) socket?.close(code, reason);
  }

  #send(frame: ClientFrame): void {
    if (this.#socket?.readyState === OPEN) this.#socket.send(JSON.stringify(frame));
  }

  #enter(state: RealtimeState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#audience.tell((listener) => listener.state?.(state));
  }
}
