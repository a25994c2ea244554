import { setImmediate as turn } from 'node:timers/promises';
import type { Authenticate, Principal } from '../services/principal.ts';
import type { OwnerId } from '../domain/values.ts';
import type { Notice } from '../domain/notice.ts';
import { isBrainError } from '../domain/error.ts';
import { systemClock, type Clock } from '../shared/clock.ts';
import type { Commit } from '../storage/transaction.ts';
import { Channel, type Log } from './channel.ts';
import { Deadlines } from './deadlines.ts';
import { REALTIME_LIMITS, type RealtimeLimits } from './limits.ts';
import { RealtimeMetrics } from './metrics.ts';
import { Notices } from './notices.ts';
import { Revocations, type RevocableTokens } from './revocations.ts';
import { Session, type SessionHost } from './session.ts';
import type { Socket } from './socket.ts';
import { OwnTickets, type Tickets } from './tickets.ts';

export interface HubNeeds {
  readonly log: Log;
  /** Has `log` tell what other processes commit to an owner's log, until what it gives is called. */
  readonly follow?: ((owner: OwnerId) => Promise<() => void>) | undefined;
  readonly authenticate: Authenticate;
  readonly newId: () => string;
  /** Where other processes serve the same graphs, theirs and ours. */
  readonly tickets?: Tickets | undefined;
  readonly clock?: Clock | undefined;
  readonly turn?: (() => Promise<void>) | undefined;
  readonly limits?: Partial<RealtimeLimits> | undefined;
  /** Absent where no credential can be taken back. */
  readonly tokens?: RevocableTokens | undefined;
}

/** What there is of an owner while somebody listens. */
interface Held {
  readonly channel: Channel;
  readonly notices: Notices;
  readonly unfollow: Promise<() => void>;
  readonly sessions: Set<Session>;
}

/** All sessions of a process, by owner. */
export class Hub {
  readonly metrics = new RealtimeMetrics();
  readonly tickets: Tickets;
  readonly limits: RealtimeLimits;
  readonly #needs: HubNeeds;
  readonly #clock: Clock;
  readonly #turn: () => Promise<void>;
  readonly #held = new Map<OwnerId, Held>();
  readonly #sessions = new Set<Session>();
  readonly #stopListening: () => void;
  readonly #revocations: Revocations | undefined;
  readonly #host: SessionHost;
  #isClosed = false;

  constructor(needs: HubNeeds) {
    this.#needs = needs;
    this.#clock = needs.clock ?? systemClock;
    this.#turn = needs.turn ?? (() => turn());
    this.limits = { ...REALTIME_LIMITS, ...needs.limits };
    this.tickets = needs.tickets ?? new OwnTickets(this.#clock);
    this.#stopListening = needs.log.onCommit((commit) => this.publish(commit.owner, commit));
    const { tokens } = needs;
    const everyMs = this.limits.revocationMs;
    this.#revocations = tokens && new Revocations({ clock: this.#clock, everyMs, tokens });
    this.#host = {
      log: needs.log,
      clock: this.#clock,
      limits: this.limits,
      metrics: this.metrics,
      turn: this.#turn,
      deadlines: new Deadlines(this.#clock, (session) => session.onDue()),
      newId: needs.newId,
      identify: (credentials) => this.#identify(credentials),
      stands: async ({ owner, tokenId }) => tokenId === undefined || !tokens || tokens.stands(owner, tokenId),
      enter: (session, principal) => this.#enter(session, principal),
      renew: (session, from, to) => {
        this.#revocations?.leave(session, from);
        this.#revocations?.enter(session, to);
      },
      onClosed: (session) => this.#leave(session),
    };
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
    const session = new Session(this.#host, socket, options);
    this.#sessions.add(session);
    this.metrics.connections += 1;
    return session;
  }

  /**
   * Tells the sessions of an owner what is in no log, as it happens: the progress of a job. It may be called as often
   * as there is progress; the first word of a job leaves at once, and of what follows the last one, four times a
   * second. Costs nothing when nobody listens, never throws, keeps nobody waiting. A reader that is too slow or away
   * is not told, so what a notice says must be readable too. `correlationId` is that of the context of the call.
   */
  tell(owner: OwnerId, notice: Notice): void {
    this.#held.get(owner)?.notices.take(notice);
  }

  /** The one way in which the log is published: to the sessions of an owner, who is always named. */
  publish(owner: OwnerId, commit: Pick<Commit, 'to'>): void {
    this.#held.get(owner)?.channel.heard(commit.to);
  }

  /** Says goodbye to everybody, and takes nobody more. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#stopListening();
    this.#revocations?.close();
    for (const session of this.#sessions) session.bye('shutdown', 'the server is stopping');
  }

  /** A refusal that may pass by itself is thrown: it says nothing of the credential. */
  async #identify(credentials: {
    readonly ticket?: string | undefined;
    readonly token?: string | undefined;
  }): Promise<Principal | undefined> {
    const { ticket, token } = credentials;
    const redeemed = ticket === undefined ? undefined : await this.tickets.redeem(ticket);
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

  #enter(session: Session, principal: Principal): Channel | undefined {
    const { owner } = principal;
    let held = this.#held.get(owner);
    if (!held) {
      const { log } = this.#needs;
      const channel = new Channel(owner, {
        log,
        clock: this.#clock,
        metrics: this.metrics,
        turn: this.#turn,
      });
      const sessions = new Set<Session>();
      const notices = new Notices(this.#clock, (facets, frame) => {
        for (const one of sessions) one.tell(facets, frame);
      });
      held = { channel, notices, unfollow: this.#follow(owner, channel), sessions };
      this.#held.set(owner, held);
    }
    if (held.sessions.size >= this.limits.connectionsOfOwner) return undefined;
    held.sessions.add(session);
    this.#revocations?.enter(session, principal);
    return held.channel;
  }

  /** Where it cannot be followed for now, the head in the next ping shows what was missed. */
  async #follow(owner: OwnerId, channel: Channel): Promise<() => void> {
    try {
      const stop = await this.#needs.follow?.(owner);
      if (stop) void channel.verify(); // of what others committed until now nobody is told
      return stop ?? (() => {});
    } catch (error) {
      process.emitWarning(error instanceof Error ? error : new Error(String(error)));
      return () => {};
    }
  }

  #leave(session: Session): void {
    this.#sessions.delete(session);
    this.metrics.connections -= 1;
    const { principal } = session;
    const held = principal && this.#held.get(principal.owner);
    if (!held) return;
    this.#revocations?.leave(session, principal);
    held.sessions.delete(session);
    if (held.sessions.size > 0) return;
    held.channel.close();
    held.notices.close();
    void held.unfollow.then((stop) => stop());
    this.#held.delete(held.channel.owner);
  }
}
