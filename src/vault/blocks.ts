/** Where the lines of a note forbid what the characters alone would allow. Offsets count UTF-16 units. */
export interface Blocks {
  /** Stretches outside of fenced code, in order. No comment, code span or link reaches from one into the next. */
  readonly segments: readonly { readonly start: number; readonly end: number }[];
  /** Where a code span that is open is open no more: blank lines, headings, list items. Ascending. */
  readonly breaks: readonly number[];
  /** Link reference definitions by normalised label; the first of a label wins, as in CommonMark. */
  readonly definitions: ReadonlyMap<string, string>;
}

interface Fence {
  readonly mark: string;
  readonly length: number;
  /** Column of the list item that holds the fence, which ends with the item. */
  readonly column: number;
  readonly quoted: boolean;
}

const FENCE_OPEN = /^((?:[ \t]*(?:>|[-*+][ \t]|\d{1,9}[.)][ \t]))*[ \t]*)(`{3,}|~{3,})(.*)$/;
const BREAK = /^[ \t>]*(?:$|#{1,6}(?:[ \t]|$)|[-*+][ \t]|\d{1,9}[.)][ \t])/;
const DEFINITION =
  /^ {0,3}\[([^\]\n]{1,999})\]:[ \t]*(<[^>\n]*>|[^\s<]\S*)(?:[ \t]+(?:"[^"]*"|'[^']*'|\([^)]*\)))?[ \t]*$/;

/** One pass over the lines. Fences are known in lists and quotes; indented code is not told from continued lists. */
export function scanBlocks(text: string): Blocks {
  const segments: { start: number; end: number }[] = [];
  const breaks: number[] = [];
  const definitions = new Map<string, string>();
  let fence: Fence | undefined;
  let segmentStart = 0;
  for (let at = 0; at < text.length;) {
    const newline = text.indexOf('\n', at);
    const end = newline === -1 ? text.length : newline;
    const next = newline === -1 ? text.length : newline + 1;
    const first = firstVisible(text, at, end);
    const code = text.charCodeAt(first);
    if (fence) {
      const line = text.slice(at, end);
      if (closes(line, fence)) {
        fence = undefined;
        segmentStart = next;
      } else if (outgrown(line, fence)) {
        fence = undefined;
        segmentStart = at;
        continue; // the line itself is ordinary text, perhaps another fence
      }
    } else if (first === end) breaks.push(at);
    else if (mayMatter(code)) {
      const line = text.slice(at, end);
      fence = opens(line);
      if (fence) segments.push({ start: segmentStart, end: at });
      else if (code === 0x5b) define(definitions, line);
      else if (BREAK.test(line)) breaks.push(at, ...(code === 0x23 ? [next] : []));
    }
    at = next;
  }
  if (!fence) segments.push({ start: segmentStart, end: text.length });
  return { segments, breaks, definitions };
}

function firstVisible(text: string, from: number, end: number): number {
  let at = from;
  while (at < end && (text.charCodeAt(at) === 0x20 || text.charCodeAt(at) === 9)) at++;
  return at;
}

/** Whether a line that starts so may be a fence, a list item, a heading, a quote or a definition. */
function mayMatter(code: number): boolean {
  return (
    code === 0x60 || // `
    code === 0x7e || // ~
    code === 0x5b || // [
    code === 0x23 || // #
    code === 0x3e || // >
    code === 0x2d || // -
    code === 0x2a || // *
    code === 0x2b || // +
    (code >= 0x30 && code <= 0x39)
  );
}

function opens(line: string): Fence | undefined {
  if (!line.includes('```') && !line.includes('~~~')) return undefined;
  const match = FENCE_OPEN.exec(line);
  const [, prefix = '', run = '', info = ''] = match ?? [];
  // "```code```" on one line is a code span, not a fence
  if (!match || (run.startsWith('`') && info.includes('`'))) return undefined;
  const quoted = prefix.includes('>');
  const inItem = /[-*+.)]/.test(prefix);
  return { mark: run.charAt(0), length: run.length, column: inItem && !quoted ? prefix.length : 0, quoted };
}

function closes(line: string, fence: Fence): boolean {
  const text = (fence.quoted ? line.replace(/^[ \t>]+/, '') : line).trim();
  return text.length >= fence.length && text === fence.mark.repeat(text.length);
}

function outgrown(line: string, fence: Fence): boolean {
  if (fence.quoted) return !/^[ \t]*>/.test(line);
  if (fence.column === 0 || line.trim() === '') return false;
  return firstVisible(line, 0, line.length) < Math.min(2, fence.column);
}

function define(definitions: Map<string, string>, line: string): void {
  const match = DEFINITION.exec(line);
  if (!match) return;
  const label = normaliseLabel(match[1] ?? '');
  if (label !== '' && !definitions.has(label)) definitions.set(label, match[2] ?? '');
}

/** Labels are compared without case and with runs of white space as one. */
export function normaliseLabel(label: string): string {
  return label.normalize('NFC').toLowerCase().trim().replace(/\s+/g, ' ');
}
