import { stringHash } from './lexicon.ts';
import { eachCount, openingWords } from './note-words.ts';
import type { NoteWords } from './note-words.ts';

const BITS = 64;
/** Texts whose features have a cosine of 0.83 differ in 12 of 64 bits on average: angle / pi of them. */
const MATERIAL_DISTANCE = 12;
const SECOND_SEED = 0x9e3779b9;

/** A 64-bit simhash of what a note is linked by, in 16 hexadecimal digits; equal texts have equal ones. */
export function fingerprintOf(words: NoteWords): string {
  const counts = new Map<string, number>();
  const parts = {
    title: words.title.keys,
    aliases: words.aliases.map(({ keys }) => keys),
    tags: words.tags.map(({ key, words: { keys } }) => ({ tag: key, words: keys })),
    body: words.body.keys,
    opening: openingWords(words.body.starts, words.body.starts.length),
  };
  eachCount(parts, (key, count) => counts.set(key, (counts.get(key) ?? 0) + count));
  const lean = new Float64Array(BITS);
  for (const [key, count] of counts) {
    const weight = Math.log2(1 + count);
    const [low, high] = [stringHash(key), stringHash(key, SECOND_SEED)];
    for (let bit = 0; bit < 32; bit++) {
      lean[bit]! += (low >>> bit) & 1 ? weight : -weight;
      lean[32 + bit]! += (high >>> bit) & 1 ? weight : -weight;
    }
  }
  let digits = '';
  for (let nibble = 0; nibble < BITS / 4; nibble++) {
    let value = 0;
    for (let bit = 0; bit < 4; bit++) if (lean[nibble * 4 + bit]! > 0) value |= 1 << bit;
    digits += value.toString(16);
  }
  return digits;
}

/**
 * Whether two fingerprints are of texts that differ enough for their links to be made anew: a cosine of
 * their features below about 0.85. Throws a plain `Error` on what is no fingerprint.
 */
export function materiallyChanged(fingerprintA: string, fingerprintB: string): boolean {
  if (fingerprintA === fingerprintB) return false;
  let distance = 0;
  for (let at = 0; at < BITS / 4; at++) {
    let difference = nibbleAt(fingerprintA, at) ^ nibbleAt(fingerprintB, at);
    for (; difference > 0; difference >>= 1) distance += difference & 1;
  }
  return distance >= MATERIAL_DISTANCE;
}

function nibbleAt(fingerprint: string, at: number): number {
  const nibble = Number.parseInt(fingerprint[at] ?? '', 16);
  if (fingerprint.length !== BITS / 4 || Number.isNaN(nibble))
    throw new Error(`"${fingerprint}" is no fingerprint`);
  return nibble;
}
