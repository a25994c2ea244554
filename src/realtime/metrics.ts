/** How often something happened, by a label; one without labels counts under ''. */
class Counter {
  readonly #byLabel = new Map<string, number>();

  add(label = '', count = 1): void {
    this.#byLabel.set(label, this.get(label) + count);
  }

  get(label = ''): number {
    return this.#byLabel.get(label) ?? 0;
  }

  get all(): ReadonlyMap<string, number> {
    return this.#byLabel;
  }
}

/** How values lie: for each bound how many did not exceed it and exceeded the one before; the last are above all. */
class Histogram {
  readonly bounds: readonly number[];
  readonly counts: number[];
  sum = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = Array.from({ length: bounds.length + 1 }, () => 0);
  }

  observe(value: number): void {
    const at = this.bounds.findIndex((bound) => value <= bound);
    const bucket = at < 0 ? this.bounds.length : at;
    this.counts[bucket] = (this.counts[bucket] ?? 0) + 1;
    this.sum += value;
  }
}

/** What the real-time side tells of itself. Plain numbers: whoever exports them reads them when asked. */
export class RealtimeMetrics {
  /** Open now, greeted or not. */
  connections = 0;
  /** Readers that are too slow for what is sent to them, now. */
  lagging = 0;
  /** From the commit until its events are handed to the sockets, once a dispatch. */
  readonly commitToSocketMs = new Histogram([1, 2, 5, 10, 20, 50, 100, 250, 500, 1_000]);
  /** By result: `complete`, or the reason why none was possible. */
  readonly replays = new Counter();
  /** Holes that clients found and had filled. */
  readonly gaps = new Counter();
  /** Times that a reader became lagging. */
  readonly lags = new Counter();
  /** Events that a reader has not acknowledged yet, seen at each acknowledgement. */
  readonly unacknowledged = new Histogram([0, 1, 5, 20, 100, 500, 2_000, 10_000]);
  /** By close code. */
  readonly closes = new Counter();
  /** Upgrades and streams that were refused before they were a connection, by reason. */
  readonly refused = new Counter();
  /** Events made into JSON, and events sent: the first stays small however many listen. */
  readonly serialised = new Counter();
  readonly sent = new Counter();
}
