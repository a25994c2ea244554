import { randomFillSync } from 'node:crypto';

const ID_RANDOM_BYTES = 8;
const IDS_A_REFILL = 128; // one call to the system's randomness serves this many ids

/**
 * Makes UUIDs of version 7 (RFC 9562, method 1): 48 bits of Unix milliseconds, a 12-bit counter, 62 random bits.
 * Ids of one generator sort in the order they were made, also within a millisecond and when the clock goes back.
 * With `atMs` the id is of that time instead, for a thing that was made then and comes in now.
 */
export function uuidv7Generator(nowMs: () => number): (atMs?: number) => string {
  const random = Buffer.alloc(ID_RANDOM_BYTES * IDS_A_REFILL);
  let tails: readonly string[] = [];
  let used = 0;
  let lastMs = 0;
  let lastHead = headOf(0);
  let counter = 0;
  return (atMs) => {
    const before = lastMs;
    const now = nowMs();
    if (now > lastMs) {
      lastMs = now;
      counter = 0;
    } else if (++counter > 0xfff) {
      lastMs += 1;
      counter = 0;
    }
    if (lastMs !== before) lastHead = headOf(lastMs);
    if (used === tails.length) {
      tails = tailsOf(randomFillSync(random));
      used = 0;
    }
    const head = atMs === undefined ? lastHead : headOf(atMs);
    return `${head}${counter.toString(16).padStart(3, '0')}-${tails[used++]}`;
  };
}

/** 48 bits and the version as they are written; a time before 1970 counts as 1970. */
function headOf(ms: number): string {
  const time = Math.min(Math.max(0, Math.floor(ms)), 2 ** 48 - 1)
    .toString(16)
    .padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7`;
}

/** The variant of RFC 9562 and 62 random bits each, as they are written. */
function tailsOf(random: Buffer): readonly string[] {
  for (let at = 0; at < random.length; at += ID_RANDOM_BYTES) random[at] = ((random[at] ?? 0) & 0x3f) | 0x80;
  const hex = random.toString('hex');
  return Array.from({ length: IDS_A_REFILL }, (_, id) => {
    const at = id * ID_RANDOM_BYTES * 2;
    return `${hex.slice(at, at + 4)}-${hex.slice(at + 4, at + ID_RANDOM_BYTES * 2)}`;
  });
}
