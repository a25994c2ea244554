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
  let used = random.length;
  let lastMs = 0;
  let counter = 0;
  return (atMs) => {
    const now = nowMs();
    if (now > lastMs) {
      lastMs = now;
      counter = 0;
    } else if (++counter > 0xfff) {
      lastMs += 1;
      counter = 0;
    }
    if (used === random.length) {
      randomFillSync(random);
      used = 0;
    }
    random[used] = ((random[used] ?? 0) & 0x3f) | 0x80; // the variant of RFC 9562
    const tail = random.toString('hex', used, used + ID_RANDOM_BYTES);
    used += ID_RANDOM_BYTES;
    const time = timeOf(atMs ?? lastMs);
    return `${time.slice(0, 8)}-${time.slice(8)}-7${counter.toString(16).padStart(3, '0')}-${tail.slice(0, 4)}-${tail.slice(4)}`;
  };
}

/** 48 bits as hexadecimal; a time before 1970 counts as 1970. */
function timeOf(ms: number): string {
  return Math.min(Math.max(0, Math.floor(ms)), 2 ** 48 - 1)
    .toString(16)
    .padStart(12, '0');
}
