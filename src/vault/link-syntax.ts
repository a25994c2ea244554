/** A link as written, not resolved yet. */
export interface RawLink {
  readonly kind: 'wiki' | 'url' | 'ref';
  /** Of `wiki` all between the brackets, labels included; of `url` and Hugo's `ref` the destination. */
  readonly target: string;
  /** What a reader sees; `''` where only the target says. */
  readonly text: string;
  readonly offset: number;
  /** A second reading of characters that are another link already: counts if it resolves, is not broken if not. */
  readonly tentative?: boolean;
}

interface Found {
  readonly value: string;
  /** Offset after the syntax. */
  readonly end: number;
}

const MAX_NESTED_PARENS = 32; // CommonMark's own bound; it keeps the scan linear
const MAX_TEXT = 300;

/** Reads `[[...]]` at `at`, which holds the first bracket. The target has neither brackets nor line ends. */
export function readWiki(text: string, at: number, limit: number): Found | undefined {
  for (let i = at + 2; i < limit; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x0a || code === 0x5b) return undefined;
    if (code !== 0x5d) continue;
    if (i === at + 2 || text.charCodeAt(i + 1) !== 0x5d || i + 1 >= limit) return undefined;
    return { value: text.slice(at + 2, i), end: i + 2 };
  }
  return undefined;
}

/** Reads what follows `](`: a destination, bare or in `<>`, a title perhaps, and the closing parenthesis. */
export function readDestination(text: string, at: number, limit: number): Found | undefined {
  const start = skipSpace(text, at, limit);
  const destination = text[start] === '<' ? readAngle(text, start, limit) : readBare(text, start, limit);
  if (!destination) return readSpaced(text, start, limit);
  const after = skipSpace(text, destination.end, limit);
  if (text[after] === ')' && after < limit) return { value: destination.value, end: after + 1 };
  const title = after > destination.end ? skipTitle(text, after, limit) : undefined;
  const close = title === undefined ? limit : skipSpace(text, title, limit);
  if (close < limit && text[close] === ')') return { value: destination.value, end: close + 1 };
  return readSpaced(text, start, limit);
}

function readAngle(text: string, at: number, limit: number): Found | undefined {
  for (let i = at + 1; i < limit; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x3e) return { value: text.slice(at + 1, i), end: i + 1 };
    if (code === 0x0a || code === 0x3c) return undefined;
  }
  return undefined;
}

function readBare(text: string, at: number, limit: number): Found | undefined {
  let depth = 0;
  let i = at;
  for (; i < limit; i++) {
    const code = text.charCodeAt(i);
    if (isSpace(code)) break;
    if (code === 0x5c) i++;
    else if (code === 0x28 && ++depth > MAX_NESTED_PARENS) return undefined;
    else if (code === 0x29 && --depth < 0) break;
  }
  return depth > 0 || i > limit ? undefined : { value: text.slice(at, i), end: i };
}

/** `[t](My Note.md)` is not CommonMark, yet editors write it; taken where it can only mean a note. */
function readSpaced(text: string, at: number, limit: number): Found | undefined {
  for (let i = at; i < limit; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x0a || code === 0x28 || code === 0x5b) return undefined;
    if (code !== 0x29) continue;
    const value = text.slice(at, Math.min(i, at + 1000)).trim();
    return /\.(?:md|markdown)(?:#[^#]*)?$/i.test(value) ? { value, end: i + 1 } : undefined;
  }
  return undefined;
}

function skipTitle(text: string, at: number, limit: number): number | undefined {
  const open = text[at];
  if (open !== '"' && open !== "'" && open !== '(') return undefined;
  const close = open === '(' ? ')' : open;
  for (let i = at + 1; i < limit; i++) {
    const char = text[i];
    if (char === '\\') i++;
    else if (char === close) return i + 1;
    else if (open === '(' && char === '(') return undefined;
  }
  return undefined;
}

const SHORTCODE =
  /\{\{[<%]\s{0,8}(?:rel)?ref\s{1,8}(?:path\s{0,8}=\s{0,8})?(?:"([^"\n]+)"|`([^`\n]+)`|([^\s"`<>%}]+))/y;

/** Reads Hugo's `{{< ref "x" >}}` and `{{% relref x %}}` at `at`; `end` is after its braces. */
export function readShortcode(text: string, at: number, limit: number): Found | undefined {
  SHORTCODE.lastIndex = at;
  const match = SHORTCODE.exec(text);
  const value = match?.[1] ?? match?.[2] ?? match?.[3];
  if (!match || value === undefined) return undefined;
  const after = at + match[0].length;
  for (let i = after; i < Math.min(limit, after + MAX_TEXT); i++) {
    if (text.startsWith('}}', i)) return { value, end: i + 2 };
  }
  return undefined;
}

/** The visible words of a link's text, on one line. */
export function visibleText(text: string): string {
  return text
    .slice(0, MAX_TEXT)
    .replace(/!?\[([^[\]]*)\]\([^()\s]*\)/g, '$1')
    .replace(/\\([!-/:-@[-`{-~])/g, '$1')
    .replace(/(`+|\*\*|__)(.+?)\1/g, '$2')
    .replace(/\s+/g, ' ')
    .trim();
}

export function isSpace(code: number): boolean {
  return code === 0x20 || (code >= 9 && code <= 0x0d);
}

function skipSpace(text: string, at: number, limit: number): number {
  let i = at;
  while (i < limit && isSpace(text.charCodeAt(i))) i++;
  return i;
}
