import type { OwnerId, Position } from '../domain/values.ts';
import type { Clock } from '../shared/clock.ts';
import type { Store } from '../storage/store.ts';
import type { RealtimeMetrics } from './metrics.ts';
import { Run } from './run.ts';

/** The log as its contract has it; nothing else of the storage is known here. */
export type Log = Pick<Store, 'changes' | 'head' | 'onCommit'>;

/** Who hears what is dispatched. */
export interface Reader {
  readonly position: Position;
  deliver(run: Run): void;
  /** The log cannot be read on from where the readers are. */
  fail(error: unknown): void;
}

export interface ChannelNeeds {
  readonly log: Log;
  readonly clock: Clock;
  readonly metrics: RealtimeMetrics;
  /** Gives everything else its turn of the event loop. */
  readonly turn: () => Promise<void>;
}

/**
 * RT5: dispatches are this far apart on the average. Each that comes later than that leaves its rest to those that
 * follow, up to `SAVED_WINDOWS` of them: events that come every 10 ms, give or take 5, leave each at once, and a busy
 * log leaves once a window all the same.
 */
const WINDOW_MS = 8;
const SAVED_WINDOWS = 4;
const EVENTS_A_READ = 64;
/** Runs kept for readers that ask for the same: after a cut all come back from one position, and within this time. */
const KEPT_RUNS = 4;
const KEPT_MS = 5_000;
/** Whether another process wrote is asked at most this often, however many readers there are. */
const VERIFY_MS = 1_000;

/**
 * The log of one owner as it goes out to those who listen. A commit wakes it; then it reads the log from where it is
 * and hands each stretch to every live reader. Nothing is taken from the commit itself, so what is sent is what is
 * stored, whoever wrote it.
 */
export class Channel {
  readonly owner: OwnerId;
  readonly #needs: ChannelNeeds;
  readonly #live = new Set<Reader>();
  readonly #runs = new Map<string, Run>();
  /** Up to here everything was handed to the live readers. Means nothing while there are none. */
  #position: Position = { epoch: '', seq: 0 };
  /** The last event that a commit told of, and when the first of those not dispatched yet did. */
  #heardSeq = 0;
  #heardAtMs: number | undefined;
  /** Up to when the windows of what was dispatched reach, laid end to end. */
  #pacedToMs = 0;
  #isDispatching = false;
  #isAsked = false;
  #endWindow: (() => void) | undefined;
  #endKeeping: (() => void) | undefined;
  #verifiedAtMs = 0;
  #isClosed = false;

  constructor(owner: OwnerId, needs: ChannelNeeds) {
    this.owner = owner;
    this.#needs = needs;
  }

  /** A commit reached the log. */
  heard(seq: number): void {
    this.#heardSeq = Math.max(this.#heardSeq, seq);
    if (this.#live.size === 0) return;
    this.#heardAtMs ??= this.#needs.clock.nowMs();
    this.#wake();
  }

  /**
   * Puts a reader that has everything up to its position among the live ones. False when more was dispatched
   * meanwhile: it reads that from the log first. Between the answer and the next dispatch there is no gap, for
   * dispatching goes on from a position that the reader has reached.
   */
  join(reader: Reader): boolean {
    if (this.#live.size === 0) this.#position = reader.position;
    else if (reader.position.seq < this.#position.seq) return false;
    this.#live.add(reader);
    if (this.#heardSeq > this.#position.seq) this.#wake();
    return true;
  }

  leave(reader: Reader): void {
    this.#live.delete(reader);
  }

  /** The stretch after a position: one transaction at least. Throws `position_gone`. */
  async read({ epoch, seq }: Position): Promise<Run> {
    const key = `${epoch} ${seq}`;
    const kept = this.#runs.get(key);
    if (kept) return kept;
    const { log, metrics } = this.#needs;
    const run = new Run(seq, await log.changes(this.owner, { epoch, seq }, EVENTS_A_READ), metrics);
    if (run.to > seq && !this.#isClosed) this.#keep(key, run);
    return run;
  }

  /** Looks whether the log went on without a word, as when another process wrote. */
  async verify(): Promise<void> {
    const now = this.#needs.clock.nowMs();
    if (now - this.#verifiedAtMs < VERIFY_MS || this.#live.size === 0) return;
    this.#verifiedAtMs = now;
    try {
      const { epoch, seq } = await this.#needs.log.head(this.owner);
      if (epoch !== this.#position.epoch || seq > this.#position.seq) this.#wake();
    } catch (error) {
      this.#fail(error);
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#endWindow?.();
    this.#endKeeping?.();
    this.#live.clear();
  }

  /** A stretch of a log never changes; only what comes after it does. */
  #keep(key: string, run: Run): void {
    this.#runs.set(key, run);
    const [oldest] = this.#runs.keys();
    if (this.#runs.size > KEPT_RUNS && oldest !== undefined) this.#runs.delete(oldest);
    this.#endKeeping ??= this.#needs.clock.after(KEPT_MS, () => {
      this.#endKeeping = undefined;
      this.#runs.clear(); // a run may be a megabyte, and an owner silent from here on
    });
  }

  #wake(): void {
    if (this.#live.size === 0) return;
    this.#isAsked = true;
    if (!this.#isDispatching && !this.#endWindow) void this.#dispatch();
  }

  async #dispatch(): Promise<void> {
    this.#isDispatching = true;
    this.#pace();
    try {
      for (let hasMore = true; hasMore && this.#live.size > 0;) {
        this.#isAsked = false; // a commit from here on may be in what is read or not: it asks again
        const run = await this.read(this.#position);
        this.#hand(run);
        // A run that was kept for another reader may be older than the commit that asked for it.
        hasMore = run.hasMore || (run.to > run.after && run.to < this.#heardSeq);
        if (hasMore) await this.#needs.turn();
      }
    } catch (error) {
      this.#fail(error);
    }
    this.#isDispatching = false;
    this.#openWindow();
  }

  #pace(): void {
    const now = this.#needs.clock.nowMs();
    const most = now + SAVED_WINDOWS * WINDOW_MS; // further ahead only when the clock was set back
    this.#pacedToMs = Math.min(Math.max(this.#pacedToMs, now), most) + WINDOW_MS;
  }

  #hand(run: Run): void {
    if (run.to <= this.#position.seq) return;
    this.#position = { epoch: run.epoch, seq: run.to };
    if (this.#heardAtMs !== undefined) {
      this.#needs.metrics.commitToSocketMs.observe(this.#needs.clock.nowMs() - this.#heardAtMs);
      this.#heardAtMs = undefined;
    }
    for (const reader of this.#live) reader.deliver(run);
  }

  /** Waits for the next turn to dispatch, where there is none left. */
  #openWindow(): void {
    if (this.#live.size === 0) return;
    const { clock } = this.#needs;
    const waitMs = Math.min(WINDOW_MS, this.#pacedToMs - SAVED_WINDOWS * WINDOW_MS - clock.nowMs());
    if (waitMs <= 0) {
      if (this.#isAsked) void this.#dispatch();
      return;
    }
    const callOff = clock.after(waitMs, () => {
      this.#endWindow = undefined;
      if (this.#isAsked) void this.#dispatch();
    });
    this.#endWindow = () => {
      this.#endWindow = undefined;
      callOff();
    };
  }

  #fail(error: unknown): void {
    const readers = [...this.#live];
    this.#live.clear();
    for (const reader of readers) reader.fail(error);
  }
}
