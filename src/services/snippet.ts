/** A stretch of a note around what was searched for. `highlights` are [start, end) in `text`, in UTF-16 units. */
export interface Snippet {
  readonly text: string;
  readonly highlights: readonly (readonly [number, number])[];
}

const BEFORE = 60;
const LENGTH = 200;
/** A found term further in is not looked for: one screen of a snippet is not worth reading a book. */
const SCAN_LIMIT = 100_000;

/** The stretch of `content` that begins a little before the first of the terms; the start when none is there. */
export function snippetOf(content: string, terms: readonly string[]): Snippet {
  const searched = content.slice(0, outsidePair(content, SCAN_LIMIT));
  const lower = searched.toLowerCase();
  const folded = lower.length === searched.length ? lower : searched; // where lower case has another length, places would be off
  const wanted = terms.map((term) => term.toLowerCase()).filter((term) => term !== '');
  const places = wanted.map((term) => folded.indexOf(term)).filter((place) => place >= 0);
  const first = places.length === 0 ? 0 : Math.min(...places);
  const start = outsidePair(searched, wordStart(searched, Math.max(0, first - BEFORE)));
  const end = outsidePair(searched, start + LENGTH);
  const text = searched.slice(start, end).replace(/\s/g, ' ');
  return { text, highlights: highlightsIn(folded.slice(start, end), wanted) };
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

function highlightsIn(text: string, terms: readonly string[]): readonly (readonly [number, number])[] {
  const found: [number, number][] = [];
  for (const term of terms) {
    for (let at = text.indexOf(term); at >= 0; at = text.indexOf(term, at + term.length)) {
      found.push([at, at + term.length]);
    }
  }
  found.sort((a, b) => a[0] - b[0] || b[1] - a[1]);
  return found.filter(([start], index) => index === 0 || start >= (found[index - 1]?.[1] ?? 0));
}
