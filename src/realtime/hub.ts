import { setImmediate as turn } from 'node:timers/promises';
import type { Authenticate, Principal } from '../services/principal.ts';
import type { OwnerId } from '../domain/values.ts';
import { isBrainError } from '../domain/error.ts';
import { systemClock, type Clock } from '../shared/clock.ts';
import type { Commit } from '../storage/transaction.ts';
import { Channel, type Log } from './channel.ts';
import { REALTIME_LIMITS, type RealtimeLimits } from './limits.ts';
import { RealtimeMetrics } from './metrics.ts';
import { Session } from './session.ts';
import type { Socket } from './socket.ts';
import { Tickets } from './tickets.ts';

export interface HubNeeds {
  readonly log: Log;
  /** Has `log` tell what other processes commit to an owner's log, until what it gives is called. */
  readonly follow?: ((owner: OwnerId) => Promise<() => void>) | undefined;
  readonly authenticate: Authenticate;
  readonly newId: () => string;
  readonly clock?: Clock | undefined;
  readonly turn?: (() => Promise<void>) | undefined;
  readonly limits?: Partial<RealtimeLimits> | undefined;
}

/** The channel of an owner and how many sessions hold it. */
interface Held {
  readonly channel: Channel;
  readonly unfollow: Promise<() => void>;
  sessions: number;
}

/** All sessions of a process, by owner. */
export class Hub {
  readonly metrics = new RealtimeMetrics();
  readonly tickets: Tickets;
  readonly limits: RealtimeLimits;
  readonly #needs: HubNeeds;
  readonly #clock: Clock;
  readonly #turn: () => Promise<void>;
  readonly #channels = new Map<OwnerId, Held>();
  readonly #sessions = new Set<Session>();
  readonly #stopListening: () => void;
  #isClosed = false;

  constructor(needs: HubNeeds) {
    this.#needs = needs;
    this.#clock = needs.clock ?? systemClock;
    this.#turn = needs.turn ?? (() => turn());
    this.limits = { ...REALTIME_LIMITS, ...needs.limits };
    this.tickets = new Tickets(this.#clock);
    this.#stopListening = needs.log.onCommit((commit) => this.publish(commit.owner, commit));
  }

  /**
   * A connection that has just been made; undefined when there are too many, or this process is stopping. The host
   * hands it what the peer sends, and tells it when the peer is gone.
   */
  accept(socket: Socket, options: { readonly isTwoWay: boolean } = { isTwoWay: true }): Session | undefined {
    const reason = this.#isClosed
      ? 'shutdown'
      : this.#sessions.size >= this.limits.connections
        ? 'limit'
        : undefined;
    if (reason) {
      this.metrics.refused.add(reason);
      return undefined;
    }
    const session: Session = new Session(
      {
        socket,
        log: this.#needs.log,
        clock: this.#clock,
        limits: this.limits,
        metrics: this.metrics,
        turn: this.#turn,
        newId: this.#needs.newId,
        identify: (credentials) => this.#identify(credentials),
        enter: (principal) => this.#enter(principal),
        onClosed: (closed) => this.#leave(closed),
      },
      options,
    );
    this.#sessions.add(session);
    this.metrics.connections += 1;
    return session;
  }

  /** The one way in which anything is published: to the sessions of an owner, who is always named. */
  publish(owner: OwnerId, commit: Pick<Commit, 'to'>): void {
    this.#channels.get(owner)?.channel.heard(commit.to);
  }

  /** Says goodbye to everybody, and takes nobody more. */
  close(): void {
    this.#isClosed = true;
    this.#stopListening();
    for (const session of this.#sessions) session.bye('shutdown', 'the server is stopping');
  }

  /** A refusal that may pass by itself is thrown: it says nothing of the credential. */
  async #identify(credentials: {
    readonly ticket?: string | undefined;
    readonly token?: string | undefined;
  }): Promise<Principal | undefined> {
    const { ticket, token } = credentials;
    const redeemed = ticket === undefined ? undefined : this.tickets.redeem(ticket);
    if (redeemed)
      return redeemed.expiresAtMs !== undefined && redeemed.expiresAtMs <= this.#clock.nowMs()
        ? undefined
        : redeemed;
    if (ticket !== undefined && token === undefined) return undefined;
    try {
      return await this.#needs.authenticate(token);
    } catch (error) {
      if (isBrainError(error) && !error.retryable && error.code !== 'internal') return undefined;
      throw error;
    }
  }

  #enter({ owner }: Principal): Channel | undefined {
    let held = this.#channels.get(owner);
    if (!held) {
      const { log } = this.#needs;
      const channel = new Channel(owner, {
        log,
        clock: this.#clock,
        metrics: this.metrics,
        turn: this.#turn,
      });
      held = { channel, unfollow: this.#follow(owner), sessions: 0 };
      this.#channels.set(owner, held);
    }
    if (held.sessions >= this.limits.connectionsOfOwner) return undefined;
    held.sessions += 1;
    return held.channel;
  }

  /** Where it cannot be followed for now, the head in the next ping shows what was missed. */
  async #follow(owner: OwnerId): Promise<() => void> {
    try {
      return (await this.#needs.follow?.(owner)) ?? (() => {});
    } catch (error) {
      process.emitWarning(error instanceof Error ? error : new Error(String(error)));
      return () => {};
    }
  }

  #leave(session: Session): void {
    this.#sessions.delete(session);
    this.metrics.connections -= 1;
    const held = session.owner === undefined ? undefined : this.#channels.get(session.owner);
    if (!held) return;
    held.sessions -= 1;
    if (held.sessions > 0) return;
    held.channel.close();
    void held.unfollow.then((stop) => stop());
    this.#channels.delete(held.channel.owner);
  }
}
