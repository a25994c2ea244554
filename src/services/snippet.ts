import type { WordCutter } from '../linking/words.ts';

/** A stretch of a note around what was searched for. `highlights` are [start, end) in `text`, in UTF-16 units. */
export interface Snippet {
  readonly text: string;
  readonly highlights: readonly Place[];
}

type Place = readonly [start: number, end: number];

const BEFORE = 60;
const LENGTH = 200;
/** A found word further in is not looked for: one screen of a snippet is not worth reading a book. */
const SCAN_LIMIT = 100_000;
/** Most are found near the beginning: so much is looked through first, and eight times as much after each time in vain. */
const FIRST_LOOK = 400;
const LOOK_GROWS = 8;

/**
 * The stretch of `content` that begins a little before the first word of one of the keys; the start when none is there.
 * Words are those that the index finds, in whatever form they stand there, and whole.
 */
export function snippetOf(content: string, keys: readonly string[], cutter: WordCutter): Snippet {
  const searched = content.slice(0, outsidePair(content, SCAN_LIMIT));
  const places = firstPlaces(searched, new Set(keys), cutter);
  const start = outsidePair(searched, wordStart(searched, Math.max(0, (places[0]?.[0] ?? 0) - BEFORE)));
  const end = outsidePair(searched, start + LENGTH);
  return {
    text: searched.slice(start, end).replace(/\s/g, ' '),
    highlights: places
      .filter((place) => place[1] <= end)
      .map((place) => [place[0] - start, place[1] - start]),
  };
}

/** Where words of the keys stand in the stretch after the first of them. */
function firstPlaces(text: string, wanted: ReadonlySet<string>, cutter: WordCutter): readonly Place[] {
  for (let limit = FIRST_LOOK; limit < text.length; limit *= LOOK_GROWS) {
    const places = placesOf(text.slice(0, outsidePair(text, limit)), wanted, cutter);
    const [first] = places;
    if (first && first[0] + LENGTH < limit) return places;
  }
  return placesOf(text, wanted, cutter);
}

/** Where words of the keys stand; those that overlap, as pairs of Korean syllables do, as one. */
function placesOf(text: string, wanted: ReadonlySet<string>, cutter: WordCutter): readonly Place[] {
  const { count, numbers, starts, ends } = cutter.numberWanted(text, wanted);
  const places: [number, number][] = [];
  for (let at = 0; at < count; at++) {
    if (!wanted.has(cutter.keyOf(numbers[at]!))) continue;
    const [start, end] = [starts[at]!, ends[at]!];
    const last = places.at(-1);
    if (last && start < last[1]) last[1] = Math.max(last[1], end);
    else places.push([start, end]);
  }
  return places;
}

/** The place itself, or the one before it where it is between the two halves of a surrogate pair. */
function outsidePair(text: string, at: number): number {
  return (text.charCodeAt(at) & 0xfc00) === 0xdc00 ? at - 1 : at;
}

function wordStart(text: string, from: number): number {
  if (from === 0) return 0;
  const space = text.indexOf(' ', from);
  return space >= 0 && space - from < BEFORE / 2 ? space + 1 : from;
}
