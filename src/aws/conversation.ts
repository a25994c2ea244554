import { FRAME_LIMITS, HELLO_SUBSCRIPTION } from '../api/realtime.ts';
import type { ClientFrame, Filter, ResyncReason } from '../api/realtime.ts';
import { isBrainError, toBrainError } from '../domain/error.ts';
import type { OwnerId, Position } from '../domain/values.ts';
import { matcherOf } from '../realtime/filter.ts';
import { REALTIME_LIMITS } from '../realtime/limits.ts';
import { parseFrame } from '../realtime/parse-frame.ts';
import { isBlank, obstacle } from '../realtime/replay.ts';
import type { SharedTickets } from '../realtime/shared-tickets.ts';
import type { Authenticate, Principal } from '../services/principal.ts';
import type { TokenService } from '../services/tokens.ts';
import { mapConcurrent } from '../shared/map-concurrent.ts';
import type { Arrival, Connection, Connections } from './connections.ts';
import { LEASE_MS, POSTS_AT_ONCE, type Delivery, type DeliveryNeeds } from './delivery.ts';

type Frame<A extends ClientFrame['action']> = Extract<ClientFrame, { action: A }>;
type Credentials = Pick<Frame<'hello'>, 'ticket' | 'token'>;
type Change = (connection: Connection) => Connection;

interface ConversationNeeds extends Pick<DeliveryNeeds, 'log' | 'nowMs'> {
  readonly connections: Connections;
  readonly delivery: Delivery;
  readonly tickets: SharedTickets;
  readonly authenticate: Authenticate;
  readonly stands: TokenService['stands'];
  /** Connections that one owner may have. */
  readonly mostOfOwner: number;
}

/**
 * How often the server's schedule pings a connection. A client takes a tenth more, and ten seconds, of silence for its
 * end; the gateway takes ten minutes for it.
 */
const PING_MS = 240_000;
/** The gateway's own limit: it ends a connection for a longer one. A message of several frames may have more. */
const FRAME_BYTES = 32 * 1024;
/** JSON of all filters of a connection: it is one item, which every delivery writes. */
const FILTERS_BYTES = 100_000;

/**
 * What a client says on a connection, frame by frame, each in an invocation of its own: `Session`, with its state in
 * the table. A frame that is delivered twice, or beside another, does no harm.
 */
export class Conversation {
  readonly #needs: ConversationNeeds;

  constructor(needs: ConversationNeeds) {
    this.#needs = needs;
  }

  async hear(id: string, messageId: string, text: string): Promise<void> {
    const { connections, delivery } = this.#needs;
    const arrival = await connections.arrival(id);
    if (!arrival) return delivery.bye({ id }, 'shutdown', 'this connection is not known any more');
    if (Buffer.byteLength(text) > FRAME_LIMITS.bytesIn)
      return delivery.bye(arrival, 'tooLarge', `a frame has at most ${FRAME_LIMITS.bytesIn} bytes`);
    const parsed = parseFrame(text);
    if (parsed.kind === 'refused') return this.#refuse(arrival, parsed.code, parsed.message);
    if (parsed.frame.action === 'hello') return this.#hello(arrival, messageId, parsed.frame);
    const connection = arrival.owner && (await connections.find(arrival.owner, id));
    if (!connection)
      return this.#refuse(arrival, 'too_early', 'the first frame is hello, and its answer is welcome');
    if (delivery.isExpired(connection)) return delivery.bye(connection, 'auth', 'the credential has expired');
    return this.#take(arrival, connection, messageId, parsed.frame);
  }

  async #take(
    arrival: Arrival,
    connection: Connection,
    messageId: string,
    frame: Exclude<ClientFrame, { action: 'hello' }>,
  ): Promise<void> {
    switch (frame.action) {
      case 'subscribe':
        return this.#subscribe(arrival, connection, frame);
      case 'unsubscribe':
        return this.#resubscribe(connection, 'unsubscribed', frame.id, (all) =>
          all.filter(([id]) => id !== frame.id),
        );
      case 'resume':
        return this.#begin(connection, { epoch: frame.epoch, seq: frame.seq });
      case 'ping':
        return this.#needs.delivery.beat(connection, 'pong');
      case 'auth':
        return this.#renew(arrival, connection, messageId, frame);
      case 'ack':
      case 'pong':
        return; // the gateway knows that the peer is there, and the next ping finds what it lacks
    }
  }

  async #hello(arrival: Arrival, helloId: string, frame: Frame<'hello'>): Promise<void> {
    const { connections, delivery } = this.#needs;
    if (arrival.owner !== undefined) {
      const greeted = await connections.find(arrival.owner, arrival.id);
      if (greeted?.helloId === helloId) return; // delivered again
      return this.#refuse(arrival, 'too_late', 'there was a hello before');
    }
    const principal = await this.#identify(arrival, frame, helloId);
    if (principal === 'unavailable') return delivery.bye(arrival, 'internal', principal);
    if (!principal) return delivery.bye(arrival, 'auth', 'the ticket or token is not good, or not any more');
    if (!principal.scopes.includes('read'))
      return delivery.bye(arrival, 'forbidden', 'the scope read is missing');
    if (frame.filter && !isFilterGood(frame.filter))
      return delivery.bye(arrival, 'badFrame', 'the filter of the hello cannot be taken');
    const { owner, expiresAtMs, tokenId } = principal;
    if (await this.#hasTooMany(owner, arrival.id))
      return delivery.bye(arrival, 'limit', 'there are too many connections of this owner');
    const { id } = arrival;
    const connection: Connection = {
      id,
      owner,
      principal,
      helloId,
      epoch: '',
      covered: 0,
      told: 0,
      ver: 1,
      subscriptions: frame.filter === null ? [] : [[HELLO_SUBSCRIPTION, frame.filter ?? {}]],
      // Nobody posts to it before its welcome.
      phase: { kind: 'replaying', from: 0, count: 0, untilMs: this.#needs.nowMs() + LEASE_MS },
    };
    if (await connections.greet({ ...arrival, owner, authExpiresAtMs: expiresAtMs, tokenId }, connection))
      return this.#welcome(connection, frame.resume);
    const now = await connections.arrival(id); // greeted, or another frame was refused meanwhile
    if (now) await this.#hello(now, helloId, frame);
  }

  /** Whether others have taken what an owner may have. Who ended without a word is found by a ping, and forgotten. */
  async #hasTooMany(owner: OwnerId, id: string): Promise<boolean> {
    const { connections, delivery, mostOfOwner } = this.#needs;
    const others = async () => (await connections.ofOwner(owner)).filter((other) => other.id !== id);
    const known = await others();
    if (known.length < mostOfOwner) return false;
    await mapConcurrent(known, { limit: POSTS_AT_ONCE }, (other) => delivery.beat(other, 'ping'));
    return (await others()).length >= mostOfOwner;
  }

  async #welcome(connection: Connection, resume: Frame<'hello'>['resume']): Promise<void> {
    const { delivery, log } = this.#needs;
    const { owner, id, principal } = connection;
    const head = await log.head(owner);
    const { epoch, seq, floorSeq } = head;
    const resumed = resume !== undefined && !obstacle(resume, head, REALTIME_LIMITS.replayEvents);
    await delivery.say(connection, {
      action: 'welcome',
      connectionId: id,
      epoch,
      seq,
      floorSeq,
      pingMs: PING_MS,
      resumed,
      maxFrameBytes: FRAME_BYTES,
      authExpiresAt: expiryOf(principal),
    });
    await this.#begin(connection, resume, head);
  }

  /** Goes on from a position; from the head as the welcome told it where none is given. */
  async #begin(connection: Connection, from: Position | undefined, told?: Position): Promise<void> {
    const { delivery, log, nowMs } = this.#needs;
    const head = await log.head(connection.owner);
    const reason = from && obstacle(from, head, REALTIME_LIMITS.replayEvents);
    if (from && reason) return this.#strand(connection, from, reason);
    const start = from && isBlank(from) ? { epoch: head.epoch, seq: 0 } : (from ?? told ?? head);
    const { epoch, seq } = start;
    const phase = from
      ? ({ kind: 'replaying', from: seq, count: 0, untilMs: nowMs() + LEASE_MS } as const)
      : ({ kind: 'live' } as const);
    const begun = await this.#change(connection, (now) => ({
      ...now,
      epoch,
      covered: seq,
      told: seq,
      phase,
    }));
    if (!begun) return;
    await (from ? delivery.replay(begun, head.seq) : delivery.bringUp(begun));
  }

  /** Stands where it asked to go on, which cannot be; nothing is sent until it has said something else. */
  async #strand(connection: Connection, { epoch, seq }: Position, reason: ResyncReason): Promise<void> {
    const stranded = await this.#change(connection, (now) => ({
      ...now,
      epoch,
      covered: seq,
      told: seq,
      phase: { kind: 'stranded' },
    }));
    if (stranded) await this.#needs.delivery.resync(stranded, reason);
  }

  async #subscribe(arrival: Arrival, connection: Connection, { id, filter }: Frame<'subscribe'>) {
    if (!isFilterGood(filter)) return this.#refuse(arrival, 'invalid_filter', reasonOf(filter));
    const others = connection.subscriptions.filter(([other]) => other !== id);
    const isTooMuch =
      others.length >= FRAME_LIMITS.subscriptions ||
      Buffer.byteLength(JSON.stringify([...others, [id, filter]])) > FILTERS_BYTES;
    if (isTooMuch) {
      const most = `at most ${FRAME_LIMITS.subscriptions} subscriptions, with ${FILTERS_BYTES} bytes of filters`;
      return this.#refuse(arrival, 'limit', `a connection has ${most}`);
    }
    return this.#resubscribe(connection, 'subscribed', id, (all) => [
      ...all.filter(([other]) => other !== id),
      [id, filter],
    ]);
  }

  /** What was committed before is told by the filters from before. */
  async #resubscribe(
    connection: Connection,
    action: 'subscribed' | 'unsubscribed',
    id: string,
    change: (subscriptions: Connection['subscriptions']) => Connection['subscriptions'],
  ): Promise<void> {
    const { connections, delivery } = this.#needs;
    for (let now: Connection | undefined = connection; now;) {
      const upToDate = await delivery.bringUp(now);
      if (!upToDate) return;
      const changed = await connections.save({
        ...upToDate,
        subscriptions: change(upToDate.subscriptions),
      });
      if (changed) return void (await delivery.say(changed, { action, id, fromSeq: changed.covered }));
      now = await connections.find(now.owner, now.id); // what was read may not be by the filters of now
    }
  }

  async #renew(arrival: Arrival, connection: Connection, messageId: string, frame: Frame<'auth'>) {
    const { delivery, connections } = this.#needs;
    const principal = await this.#identify(arrival, frame, messageId);
    if (principal === 'unavailable') return delivery.bye(connection, 'internal', principal);
    if (!principal)
      return delivery.bye(connection, 'auth', 'the ticket or token is not good, or not any more');
    if (principal.owner !== connection.owner)
      return delivery.bye(connection, 'forbidden', 'a connection stays with its owner');
    if (!principal.scopes.includes('read'))
      return delivery.bye(connection, 'forbidden', 'the scope read is missing');
    const changed = await this.#change(connection, (now) => ({ ...now, principal }));
    const { expiresAtMs: authExpiresAtMs, tokenId } = principal;
    let known: Arrival | undefined = arrival;
    while (known && !(await connections.saveArrival({ ...known, authExpiresAtMs, tokenId })))
      known = await connections.arrival(arrival.id); // another frame was refused meanwhile
    if (changed) await delivery.say(changed, { action: 'auth.renewed', authExpiresAt: expiryOf(principal) });
  }

  /** Undefined for a credential that is refused. The same message gets the same answer again. */
  async #identify(
    arrival: Arrival,
    credentials: Credentials,
    messageId: string,
  ): Promise<Principal | undefined | 'unavailable'> {
    const { stands, nowMs } = this.#needs;
    try {
      const principal = await this.#named(arrival, credentials, messageId);
      if (!principal || (principal.expiresAtMs ?? Infinity) <= nowMs()) return undefined;
      const { owner, tokenId } = principal;
      return tokenId === undefined || (await stands(owner, tokenId)) ? principal : undefined;
    } catch (error) {
      const passes = !isBrainError(error) || error.retryable || error.code === 'internal';
      return passes ? 'unavailable' : undefined;
    }
  }

  /** Whom a credential names, or the ticket that came with the connection itself where there is none. */
  async #named(
    arrival: Arrival,
    { ticket, token }: Credentials,
    messageId: string,
  ): Promise<Principal | undefined> {
    const { tickets, authenticate } = this.#needs;
    const known =
      ticket === undefined ? undefined : await tickets.redeem(ticket, `${arrival.id} ${messageId}`);
    if (known) return known;
    if (token !== undefined) return authenticate(token);
    return ticket === undefined ? arrival.principal : undefined;
  }

  /** Stores a change on top of whatever else changes meanwhile; undefined where the connection is gone. */
  async #change(connection: Connection | undefined, change: Change): Promise<Connection | undefined> {
    const { connections } = this.#needs;
    for (let now = connection; now;) {
      const saved = await connections.save(change(now));
      if (saved) return saved;
      now = await connections.find(now.owner, now.id);
    }
    return undefined;
  }

  async #refuse(arrival: Arrival, code: string, message: string): Promise<void> {
    const { connections, delivery } = this.#needs;
    const errors = arrival.errors + 1;
    await delivery.say(arrival, {
      action: 'error',
      code,
      message,
      retryable: false,
      correlationId: arrival.id,
    });
    if (errors >= REALTIME_LIMITS.errors)
      return delivery.bye(arrival, 'badFrame', 'too many frames were refused');
    await connections.saveArrival({ ...arrival, errors });
  }
}

function isFilterGood(filter: Filter): boolean {
  return reasonOf(filter) === '';
}

/** What is wrong with a filter; empty where nothing is. */
function reasonOf(filter: Filter): string {
  try {
    matcherOf(filter);
    return '';
  } catch (error) {
    return toBrainError(error).message;
  }
}

function expiryOf({ expiresAtMs }: Principal): string | null {
  return expiresAtMs === undefined ? null : new Date(expiresAtMs).toISOString();
}
