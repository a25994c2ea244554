import type { ServerFrame } from '../api/realtime.ts';
import type { Position } from '../domain/values.ts';
import type { Clock } from '../shared/clock.ts';
import type { Channel, Reader } from './channel.ts';
import { NOTHING, type Facets, type Matcher } from './filter.ts';
import type { RealtimeLimits } from './limits.ts';
import type { RealtimeMetrics } from './metrics.ts';
import { isBlank } from './replay.ts';
import type { Run } from './run.ts';
import type { Socket } from './socket.ts';

/** What all readers of a process share. */
export interface ReaderHost {
  readonly clock: Clock;
  readonly limits: RealtimeLimits;
  readonly metrics: RealtimeMetrics;
  /** Gives everything else its turn of the event loop. */
  readonly turn: () => Promise<void>;
}

/** For whom a log is read. */
export interface ReaderPeer {
  readonly socket: Socket;
  /** One event a frame. */
  readonly isSingly: boolean;
  announce(frame: Extract<ServerFrame, { action: 'replay.begin' | 'replay.end' }>): void;
  onLive(): void;
  onSlow(): void;
  /** The log cannot be read on; the reader has stopped. */
  onFailed(error: unknown): void;
}

type Phase = 'stopped' | 'reading' | 'live' | 'lagging';

/**
 * One socket's way through one owner's log. It has a position, and whatever it sends moves that forward: read from
 * the log until it has reached the channel, then taken from the channel, and back to the log whenever the channel is
 * ahead or the socket too slow. It keeps no events of its own, so a slow socket costs no memory.
 */
export class LogReader implements Reader {
  readonly #host: ReaderHost;
  readonly #peer: ReaderPeer;
  readonly #channel: Channel;
  #phase: Phase = 'stopped';
  #epoch = '';
  /** Every event up to here that is wanted was sent. */
  #covered = 0;
  /** The last number that a frame told the peer: what the next one names as `prev`. */
  #told = 0;
  #matcher: Matcher = NOTHING;
  /** The replay that was announced and has not ended yet. */
  #replay: { readonly from: number; count: number } | undefined;
  /** Raised whenever reading begins anew or stops: a loop that is not the last one ends. */
  #round = 0;
  #laggingSinceMs = 0;
  #endLagWatch: (() => void) | undefined;

  constructor(host: ReaderHost, peer: ReaderPeer, channel: Channel) {
    this.#host = host;
    this.#peer = peer;
    this.#channel = channel;
  }

  get position(): Position {
    return { epoch: this.#epoch, seq: this.#covered };
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** What is wanted of the events after `position`. */
  want(matcher: Matcher): void {
    this.#matcher = matcher;
  }

  /** Goes on from there. With `replayTo`, as a replay that is announced, with its end where it goes live. */
  begin(from: Position, replayTo?: number): void {
    this.#standAt(from);
    if (replayTo !== undefined) {
      this.#replay = { from: from.seq, count: 0 };
      this.#peer.announce({ action: 'replay.begin', from: from.seq, to: replayTo });
    }
    void this.#read();
  }

  /** The log cannot be read on from there; until it begins elsewhere, pings say that it stands where its peer does. */
  strand(at: Position): void {
    this.stop();
    this.#standAt(at);
  }

  stop(): void {
    this.#leave();
    this.#phase = 'stopped';
    this.#round += 1;
  }

  /** How far the peer is: what lies before and was not sent is not for it. */
  beat(): { readonly epoch: string; readonly prev: number; readonly seq: number } {
    const prev = this.#told;
    this.#told = this.#covered;
    return { epoch: this.#epoch, prev, seq: this.#covered };
  }

  /** Sends what has no place in the log, if it is wanted and the socket is not behind: else it is lost. */
  tell(facets: Facets, frame: () => Uint8Array): void {
    const { socket } = this.#peer;
    const { limits } = this.#host;
    if (!this.#matcher.passes(facets) || socket.bufferedAmount > limits.lagBytes) return;
    if (this.#phase === 'reading' || this.#phase === 'live') socket.send(frame(), { action: 'notice' });
  }

  deliver(run: Run): void {
    if (this.#phase !== 'live') return;
    if (run.after > this.#covered) void this.#read(); // something came between: the log has it
    else if (!this.#tell(run)) this.#lag();
  }

  fail(error: unknown): void {
    if (this.#phase === 'stopped') return;
    this.stop();
    this.#peer.onFailed(error);
  }

  #standAt({ epoch, seq }: Position): void {
    this.#epoch = epoch;
    this.#covered = this.#told = seq;
    this.#replay = undefined;
  }

  async #read(): Promise<void> {
    this.#leave();
    this.#phase = 'reading';
    const round = ++this.#round;
    const { turn } = this.#host;
    try {
      for (;;) {
        const run = await this.#channel.read(this.position);
        if (round !== this.#round) return;
        if (!this.#tell(run)) return this.#lag();
        if (!run.hasMore && this.#channel.join(this)) return this.#goLive();
        await turn();
        if (round !== this.#round) return;
      }
    } catch (error) {
      if (round === this.#round) this.fail(error);
    }
  }

  #goLive(): void {
    this.#phase = 'live';
    if (this.#replay) {
      const { from, count } = this.#replay;
      this.#replay = undefined;
      this.#host.metrics.replays.add('complete');
      this.#peer.announce({ action: 'replay.end', from, to: this.#covered, count });
    }
    this.#peer.onLive();
  }

  /** Sends what of a run is wanted and new. False when the socket takes no more: it stands where it came to. */
  #tell(run: Run): boolean {
    if (isBlank(this.position)) this.#epoch = run.epoch;
    const { limits, metrics } = this.#host;
    const { socket, isSingly } = this.#peer;
    const frames = run.frames({
      covered: this.#covered,
      told: this.#told,
      matcher: this.#matcher,
      replayed: this.#replay !== undefined,
      isSingly,
    });
    for (const frame of frames) {
      if (socket.bufferedAmount > limits.lagBytes) return false;
      this.#covered = this.#told = frame.position.seq;
      socket.send(frame.bytes, frame);
      metrics.sent.add('', frame.events);
      if (this.#replay) this.#replay.count += frame.events;
    }
    this.#covered = Math.max(this.#covered, run.to);
    return true;
  }

  /** Sends nothing more until what was sent is gone, then goes on from the log. */
  #lag(): void {
    const { metrics, clock } = this.#host;
    this.#leave();
    this.#phase = 'lagging';
    this.#round += 1;
    this.#laggingSinceMs = clock.nowMs();
    metrics.lagging += 1;
    metrics.lags.add();
    this.#watchLag();
  }

  #watchLag(): void {
    const { limits, clock } = this.#host;
    const { socket } = this.#peer;
    this.#endLagWatch = clock.after(limits.lagCheckMs, () => {
      if (socket.bufferedAmount <= limits.drainedBytes) void this.#read();
      else if (clock.nowMs() - this.#laggingSinceMs > limits.lagMs) this.#peer.onSlow();
      else this.#watchLag();
    });
  }

  #leave(): void {
    this.#channel.leave(this);
    this.#endLagWatch?.();
    this.#endLagWatch = undefined;
    if (this.#phase === 'lagging') this.#host.metrics.lagging -= 1;
  }
}
