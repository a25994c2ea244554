/** How a character takes part in words. */
const SEPARATOR = 1;
/** Letters, digits and marks of scripts that put spaces between words. */
export const LETTER = 2;
/** Scripts written without spaces: a dictionary has to cut them into words. */
export const UNSPACED = 3;
/** Korean: spaced, but particles hang on the words, so syllable pairs match better than words. */
export const HANGUL = 4;

const WORD_PATTERN = /^[\p{L}\p{N}\p{M}]$/u;
const UNSPACED_PATTERN =
  /^[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}\p{scx=Thai}\p{scx=Laoo}\p{scx=Khmr}\p{scx=Mymr}]$/u;
const HANGUL_PATTERN = /^\p{sc=Hangul}$/u;

function classify(codePoint: number): number {
  if (codePoint >= 0xd800 && codePoint <= 0xdfff) return SEPARATOR;
  const character = String.fromCodePoint(codePoint);
  if (!WORD_PATTERN.test(character)) return SEPARATOR;
  if (HANGUL_PATTERN.test(character)) return HANGUL;
  return UNSPACED_PATTERN.test(character) ? UNSPACED : LETTER;
}

// Classifying all 65,536 units up front takes 20 ms; a text meets a few hundred of them.
const knownClasses = new Uint8Array(0x10000);

/** The class of a UTF-16 unit; a surrogate, which needs its other half, is a `SEPARATOR`. */
export function unitClass(unit: number): number {
  const known = knownClasses[unit]!;
  if (known !== 0) return known;
  return (knownClasses[unit] = classify(unit));
}

/** The class of a code point outside the basic plane. */
export function astralClass(codePoint: number): number {
  return classify(codePoint);
}

/** Whether a UTF-16 unit opens a surrogate pair. */
export function isHighSurrogate(unit: number): boolean {
  return (unit & 0xfc00) === 0xd800;
}

/** A copy that shares no memory with the string it was cut from, which V8 would otherwise keep alive. */
export function detached(text: string): string {
  // V8 copies slices below 13 characters by itself.
  if (text.length < 13) return text;
  let copy = '';
  for (let start = 0; start < text.length; start += 1024) {
    const units: number[] = [];
    for (let at = start; at < Math.min(text.length, start + 1024); at++) units.push(text.charCodeAt(at));
    copy += String.fromCharCode(...units);
  }
  return copy;
}
