/** What is known for a while. Bounded: where there is no room the oldest entry goes. */
export class ExpiringCache<V> {
  readonly #limit: number;
  readonly #nowMs: () => number;
  readonly #entries = new Map<string, { readonly value: V; readonly untilMs: number }>();

  constructor(options: { readonly limit: number; readonly nowMs: () => number }) {
    this.#limit = options.limit;
    this.#nowMs = options.nowMs;
  }

  get(key: string): V | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    if (this.#nowMs() < entry.untilMs) return entry.value;
    this.#entries.delete(key);
    return undefined;
  }

  set(key: string, value: V, untilMs: number): void {
    this.#entries.delete(key); // so that it becomes the youngest
    this.#entries.set(key, { value, untilMs });
    if (this.#entries.size <= this.#limit) return;
    const [oldest] = this.#entries.keys();
    if (oldest !== undefined) this.#entries.delete(oldest);
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }
}
