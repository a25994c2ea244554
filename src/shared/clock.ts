/** Time and chance, handed in so that a test can rule them. */
export interface Clock {
  /** Unix milliseconds. */
  nowMs(): number;
  /** Runs `work` once, not before `delayMs` have passed. Gives the way to call it off. */
  after(delayMs: number, work: () => void): () => void;
  /** A number in [0, 1). */
  random(): number;
}

/** Longer delays overflow the timers of every runtime, and would run at once. */
const LONGEST_MS = 2_147_483_647;

export const systemClock: Clock = {
  nowMs: Date.now,
  after(delayMs, work) {
    const timer = setTimeout(work, Math.min(Math.max(0, delayMs), LONGEST_MS));
    return () => clearTimeout(timer);
  },
  random: Math.random,
};
