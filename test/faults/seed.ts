/** How many kills of each kind: three beside the other tests, twenty with `npm run test:faults`. */
export const KILLS = Number(process.env['BRAIN2_TEST_KILLS'] ?? 3);

/** Whether somebody asked for kills: then what is killed is as large as it may be, and takes minutes. */
export const IS_LONG = process.env['BRAIN2_TEST_KILLS'] !== undefined;

/** Every choice of these tests follows from it, but for how far the other process came meanwhile. */
export const SEED = Number(process.env['BRAIN2_TEST_SEED'] ?? 1);

export interface Random {
  /** A whole number from 0 to `below` - 1. */
  below(below: number): number;
  pick<T>(from: readonly T[]): T;
}

/** Mulberry32, https://gist.github.com/tommyettinger/46a874533244883189143505d203312c */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  const below = (limit: number): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  };
  return { below, pick: (from) => from[below(from.length)]! };
}
