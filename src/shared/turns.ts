import { setImmediate } from 'node:timers/promises';

/** After this time others have a turn of the event loop. */
const TURN_MS = 4;

/**
 * For work that would hold the event loop for longer: between two of its steps it asks whether its turn is over, and
 * if so waits for the next one. What is asked in steps of an embedded store is answered within the turn, so waiting for
 * that alone lets nobody else in.
 */
export class Turns {
  #endMs = performance.now() + TURN_MS;

  get isOver(): boolean {
    return performance.now() >= this.#endMs;
  }

  /** Resolves when everybody else had a turn. */
  async next(): Promise<void> {
    await setImmediate();
    this.#endMs = performance.now() + TURN_MS;
  }
}
