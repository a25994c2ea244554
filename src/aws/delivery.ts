import { CLOSE, type ResyncReason, type ServerFrame } from '../api/realtime.ts';
import type { OwnerId, Position } from '../domain/values.ts';
import type { Log } from '../realtime/channel.ts';
import { anyOf, matcherOf, type Matcher } from '../realtime/filter.ts';
import { REALTIME_LIMITS } from '../realtime/limits.ts';
import { RealtimeMetrics } from '../realtime/metrics.ts';
import { obstacleIn } from '../realtime/replay.ts';
import { Run, type EventsFrame } from '../realtime/run.ts';
import { mapConcurrent } from '../shared/map-concurrent.ts';
import type { Connection, Connections, Phase } from './connections.ts';
import type { Gateway, Posted } from './gateway.ts';

export interface DeliveryNeeds {
  readonly log: Pick<Log, 'changes' | 'head'>;
  readonly connections: Connections;
  readonly gateway: Gateway;
  readonly nowMs: () => number;
}

const EVENTS_A_READ = 256;
/** Connections of one owner that are posted to at once. */
export const POSTS_AT_ONCE = 16;
/** Events that a filter left out are looked at again until there are so many: storing a position costs a write. */
const LEFT_OUT = 200;
/** A replay is its invocation's alone for so long after each stretch; then whoever comes goes on with it. */
export const LEASE_MS = 15_000;
/** By which the clocks of two functions may differ. */
const SKEW_MS = 5_000;
const SNAPSHOT_URL = '/api/v2/graph';

/** The stretches of one owner's log, each read once however many connections stand at it. */
type Stretches = (after: Position) => Promise<Run>;

/**
 * Posts to connections what of their owner's log they were not sent. Whoever is about to post a stretch stores first
 * that it was: the log and the filter as they were then go together, two who deliver at once do not send the same, and
 * what was stored and never arrived shows as a gap in the next frame or ping, which the client asks for.
 */
export class Delivery {
  readonly #needs: DeliveryNeeds;
  readonly #metrics = new RealtimeMetrics();

  constructor(needs: DeliveryNeeds) {
    this.#needs = needs;
  }

  /** The one way in which anything is published: to the connections of an owner, who is always named. */
  async toOwner(owner: OwnerId): Promise<void> {
    const connections = await this.#needs.connections.ofOwner(owner);
    const stretches = this.#stretches(owner);
    const outcomes = await mapConcurrent(connections, { limit: POSTS_AT_ONCE }, (each) =>
      this.bringUp(each, stretches),
    );
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed) throw failed.reason; // once all the others were served
  }

  /**
   * Posts until it has reached the log. Gives the connection as it is then, with a position that may not be stored
   * yet; undefined where it is gone. One that replays or is stranded stays as it is; a replay that was left off, as the
   * gateway took no more of it or its invocation ended, goes on.
   */
  async bringUp(
    connection: Connection,
    stretches = this.#stretches(connection.owner),
  ): Promise<Connection | undefined> {
    let current: Connection | undefined = connection;
    for (;;) {
      if (this.isExpired(current)) return this.bye(current, 'auth', 'the credential has expired');
      if (current.phase.kind === 'stranded' || this.isReplaying(current)) return current;
      if (current.phase.kind === 'replaying') return this.#replayOn(current, stretches);
      const stretch = await this.#read(current, stretches);
      if (!(stretch instanceof Run)) return this.#strand(current, stretch);
      const { next, frames } = this.#step(current, stretch, false);
      const isWorthStoring = frames.length > 0 || next.covered - connection.covered >= LEFT_OUT;
      if (!isWorthStoring && !stretch.hasMore) return next;
      const claimed = await this.#needs.connections.save(next);
      if (claimed) {
        const posted = await this.#post(claimed, frames, current);
        if (posted !== 'all') return posted;
      }
      current = claimed ?? (await this.#again(current));
      if (!current || (claimed && !stretch.hasMore)) return current;
    }
  }

  /** Sends what follows on the connection's position, as the replay that it has stored, and goes live. */
  async replay(connection: Connection, to: number): Promise<Connection | undefined> {
    await this.say(connection, { action: 'replay.begin', from: connection.covered, to });
    return this.#replayOn(connection, this.#stretches(connection.owner));
  }

  async #replayOn(connection: Connection, stretches: Stretches): Promise<Connection | undefined> {
    const { connections, nowMs } = this.#needs;
    let current = connection;
    for (;;) {
      const { phase } = current;
      if (phase.kind !== 'replaying') return current;
      const stretch = await this.#read(current, stretches);
      if (!(stretch instanceof Run)) return this.#strand(current, stretch);
      const { next, frames } = this.#step(current, stretch, true);
      const count = phase.count + frames.reduce((sum, { events }) => sum + events, 0);
      const goesLive = !stretch.hasMore;
      const untilMs = nowMs() + LEASE_MS;
      const claimed = await connections.save({
        ...next,
        phase: goesLive && frames.length === 0 ? { kind: 'live' } : { ...phase, count, untilMs },
      });
      if (!claimed) {
        const again = await this.#again(current);
        if (!again || !isSame(again.phase, phase)) return again; // another one has gone on from elsewhere
        current = again;
        continue;
      }
      if (claimed.phase.kind === 'live') {
        const end = { action: 'replay.end', from: phase.from, to: claimed.covered, count } as const;
        if ((await this.say(claimed, end)) === 'full') return this.#lag(claimed, current);
        return this.bringUp(claimed); // what was committed at the seam was left to us
      }
      const posted = await this.#post(claimed, frames, current);
      if (posted !== 'all') return posted;
      current = claimed;
    }
  }

  /** Up to where the peer has everything: a quiet link finds its hole by it. */
  async beat(connection: Connection, action: 'ping' | 'pong'): Promise<void> {
    let current = await this.bringUp(connection);
    while (current) {
      const { epoch, told, covered, phase } = current;
      if (phase.kind === 'replaying') {
        if (epoch === '') return; // it was not welcomed yet
        // What follows is on its way: to tell of it as sent would show a hole, and the replay would be asked for anew.
        const { from } = phase;
        return void (await this.say(current, { action, epoch, prev: from, seq: from }));
      }
      if (told === covered)
        return void (await this.say(current, { action, epoch, prev: told, seq: covered }));
      const claimed = await this.#needs.connections.save({ ...current, told: covered });
      if (claimed) return void (await this.say(claimed, { action, epoch, prev: told, seq: covered }));
      const again = await this.#again(current);
      current = again && (await this.bringUp(again));
    }
  }

  /** The log cannot be read on from where one that is stranded stands: it is told why, and says where to go on. */
  async resync(stranded: Connection, reason: ResyncReason): Promise<Connection | undefined> {
    const { epoch, seq } = await this.#needs.log.head(stranded.owner);
    const resync = { action: 'resync', reason, epoch, seq, snapshotUrl: SNAPSHOT_URL } as const;
    const posted = await this.say(stranded, resync);
    // Who was not told knows of nothing that it could ask for, so it is told again.
    return posted === 'full' ? this.#lag(stranded, stranded) : stranded;
  }

  /** Says why, and ends. */
  async bye(
    { id, owner }: { readonly id: string; readonly owner?: OwnerId | undefined },
    why: keyof typeof CLOSE,
    reason: string,
  ): Promise<undefined> {
    const code = CLOSE[why];
    await this.say(
      { id },
      { action: 'bye', code, reason, reconnect: code >= CLOSE.internal, retryAfterMs: 0 },
    );
    await this.#needs.connections.remove(id, owner);
    await this.#needs.gateway.close(id);
  }

  /** A connection that is gone is forgotten: the gateway may not have told of its end. */
  async say(
    { id, owner }: { readonly id: string; readonly owner?: OwnerId | undefined },
    frame: ServerFrame,
  ): Promise<Posted> {
    const posted = await this.#needs.gateway.post(id, Buffer.from(JSON.stringify(frame)));
    if (posted === 'gone') await this.#needs.connections.remove(id, owner);
    return posted;
  }

  isExpired({ principal: { expiresAtMs = Infinity } }: Connection): boolean {
    return expiresAtMs <= this.#needs.nowMs();
  }

  /** By whoever has its lease. One that has longer to go than a lease lasts is of a clock that is ahead of ours. */
  isReplaying({ phase }: Connection): boolean {
    if (phase.kind !== 'replaying') return false;
    const leftMs = phase.untilMs - this.#needs.nowMs();
    return leftMs > 0 && leftMs <= LEASE_MS + SKEW_MS;
  }

  #stretches(owner: OwnerId): Stretches {
    const read = new Map<string, Promise<Run>>();
    return ({ epoch, seq }) => {
      const key = `${epoch} ${seq}`;
      let run = read.get(key);
      if (!run) {
        run = this.#needs.log
          .changes(owner, { epoch, seq }, EVENTS_A_READ)
          .then((changes) => new Run(seq, changes, this.#metrics));
        read.set(key, run);
      }
      return run;
    };
  }

  async #read({ epoch, covered }: Connection, stretches: Stretches): Promise<Run | ResyncReason> {
    try {
      return await stretches({ epoch, seq: covered });
    } catch (error) {
      const reason = obstacleIn(error);
      if (!reason) throw error;
      return reason;
    }
  }

  #step(
    connection: Connection,
    run: Run,
    replayed: boolean,
  ): { readonly next: Connection; readonly frames: readonly EventsFrame[] } {
    const { covered, told } = connection;
    const frames = run.frames({ covered, told, matcher: matcherFor(connection), replayed, isSingly: false });
    const next = {
      ...connection,
      epoch: run.epoch,
      covered: Math.max(covered, run.to),
      told: frames.at(-1)?.position.seq ?? told,
      laggingSinceMs: undefined,
    };
    return { next, frames };
  }

  /** All of them, or the connection as it is after the gateway would take no more. */
  async #post(
    claimed: Connection,
    frames: readonly EventsFrame[],
    before: Connection,
  ): Promise<'all' | Connection | undefined> {
    let told = before.told;
    let count = 0;
    for (const { bytes, position, events } of frames) {
      const posted = await this.#needs.gateway.post(claimed.id, bytes);
      if (posted === 'gone') {
        await this.#needs.connections.remove(claimed.id, claimed.owner);
        return undefined;
      }
      if (posted === 'full') return this.#lag(claimed, before, { told, count });
      told = position.seq;
      count += events;
    }
    return 'all';
  }

  /**
   * It goes on from the log at the next event or ping, after what of the claim was posted, for as long as a lagging
   * reader is borne with.
   */
  async #lag(
    claimed: Connection,
    before: Connection,
    posted: { readonly told: number; readonly count: number } = { told: before.told, count: 0 },
  ): Promise<Connection | undefined> {
    const since = before.laggingSinceMs ?? this.#needs.nowMs();
    if (this.#needs.nowMs() - since > REALTIME_LIMITS.lagMs)
      return this.bye(claimed, 'slow', 'too much was waiting for too long');
    const { told, count } = posted;
    const covered = Math.max(told, before.covered);
    const phase = leftOff(before.phase, count);
    const lagging = { ...claimed, phase, covered, told, laggingSinceMs: since };
    return (await this.#needs.connections.save(lagging)) ?? this.#again(claimed);
  }

  async #strand(connection: Connection, reason: ResyncReason): Promise<Connection | undefined> {
    const stranded = await this.#needs.connections.save({ ...connection, phase: { kind: 'stranded' } });
    return stranded ? this.resync(stranded, reason) : this.#again(connection);
  }

  #again({ owner, id }: Connection): Promise<Connection | undefined> {
    return this.#needs.connections.find(owner, id);
  }
}

/** Whether nobody has sent or begun a replay since: each stretch is counted, and has a lease of its own. */
function isSame(now: Phase, before: Phase): boolean {
  return JSON.stringify(now) === JSON.stringify(before);
}

/** What whoever comes next goes on with; a replay is nobody's then. */
function leftOff(phase: Phase, count: number): Phase {
  return phase.kind === 'replaying' ? { ...phase, count: phase.count + count, untilMs: 0 } : { kind: 'live' };
}

function matcherFor({ subscriptions }: Connection): Matcher {
  return anyOf(subscriptions.map(([, filter]) => matcherOf(filter)));
}
