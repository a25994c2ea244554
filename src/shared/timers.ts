import type { Clock } from './clock.ts';

/** Timers by name, each of which runs once; setting one again calls the one before off. */
export class Timers<Name extends string> {
  readonly #clock: Clock;
  readonly #running = new Map<Name, () => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  set(name: Name, delayMs: number, work: () => void): void {
    this.clear(name);
    const callOff = this.#clock.after(delayMs, () => {
      this.#running.delete(name);
      work();
    });
    this.#running.set(name, callOff);
  }

  has(name: Name): boolean {
    return this.#running.has(name);
  }

  clear(name: Name): void {
    this.#running.get(name)?.();
    this.#running.delete(name);
  }

  clearAll(): void {
    for (const callOff of this.#running.values()) callOff();
    this.#running.clear();
  }
}
