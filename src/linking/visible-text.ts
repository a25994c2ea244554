/**
 * The next place of a needle, remembered, so that asking from growing positions costs one pass over the
 * text however often it is asked: what keeps every scanner here linear on hostile input.
 */
class NextPlace {
  readonly #text: string;
  readonly #needle: string;
  #askedFrom = -1;
  #found = -1;

  constructor(text: string, needle: string) {
    this.#text = text;
    this.#needle = needle;
  }

  /** The first place at or after `from`, or the length of the text when there is none. */
  after(from: number): number {
    if (this.#askedFrom >= 0 && from >= this.#askedFrom && from <= this.#found) return this.#found;
    const found = this.#text.indexOf(this.#needle, from);
    this.#askedFrom = from;
    return (this.#found = found < 0 ? this.#text.length : found);
  }
}

const TICK = 96;
const TILDE = 126;
const OPEN_PAREN = 40;
const CLOSE_BRACKET = 93;
const MAX_TAG_LENGTH = 2_000;
const MAX_ENTITY_LENGTH = 32;
const MAX_COMPARABLE_TICKS = 3;

const SPECIAL = new Uint8Array(128);
for (const character of '<%[]`:&\n') SPECIAL[character.charCodeAt(0)] = 1;
const URL_END = new Uint8Array(128);
for (const character of ' \t\r\n<>"\'`|)]}\\') URL_END[character.charCodeAt(0)] = 1;

function isAsciiLetter(unit: number): boolean {
  return (unit | 32) >= 97 && (unit | 32) <= 122;
}

function isSpace(unit: number): boolean {
  return unit === 32 || unit === 9;
}

class Scanner {
  readonly #text: string;
  readonly #ranges: number[] = [];
  readonly #tagEnd: NextPlace;
  readonly #commentEnd: NextPlace;
  readonly #percents: NextPlace;
  readonly #wikiEnd: NextPlace;
  readonly #newline: NextPlace;
  readonly #closingParen: NextPlace;
  readonly #noCloserBefore = [0, 0, 0, 0];
  #visibleFrom = 0;

  constructor(text: string) {
    this.#text = text;
    this.#tagEnd = new NextPlace(text, '>');
    this.#commentEnd = new NextPlace(text, '-->');
    this.#percents = new NextPlace(text, '%%');
    this.#wikiEnd = new NextPlace(text, ']]');
    this.#newline = new NextPlace(text, '\n');
    this.#closingParen = new NextPlace(text, ')');
  }

  run(): readonly number[] {
    const text = this.#text;
    let at = this.#lineStart(0);
    while (at < text.length) {
      const unit = text.charCodeAt(at);
      at = unit < 128 && SPECIAL[unit] === 1 ? this.#special(unit, at) : at + 1;
    }
    this.#drop(text.length, text.length);
    return this.#ranges;
  }

  #drop(from: number, to: number): number {
    if (from > this.#visibleFrom) this.#ranges.push(this.#visibleFrom, from);
    this.#visibleFrom = Math.max(this.#visibleFrom, to);
    return Math.max(from, to);
  }

  #special(unit: number, at: number): number {
    switch (unit) {
      case 60:
        return this.#angle(at);
      case 37:
        return this.#percent(at);
      case 91:
        return this.#bracket(at);
      case CLOSE_BRACKET:
        return this.#destination(at);
      case TICK:
        return this.#inlineCode(at);
      case 58:
        return this.#url(at);
      case 38:
        return this.#entity(at);
      default:
        return this.#lineStart(at + 1);
    }
  }

  #angle(at: number): number {
    const text = this.#text;
    if (text.startsWith('<!--', at)) {
      const end = this.#commentEnd.after(at + 4);
      return end < text.length ? this.#drop(at, end + 3) : at + 4;
    }
    const next = text.charCodeAt(at + 1);
    if (!isAsciiLetter(next) && next !== 47) return at + 1;
    const end = this.#tagEnd.after(at + 1);
    return end < text.length && end - at <= MAX_TAG_LENGTH ? this.#drop(at, end + 1) : at + 1;
  }

  #percent(at: number): number {
    if (this.#text.charCodeAt(at + 1) !== 37) return at + 1;
    const end = this.#percents.after(at + 2);
    return end < this.#text.length ? this.#drop(at, end + 2) : at + 2;
  }

  #bracket(at: number): number {
    const text = this.#text;
    if (text.charCodeAt(at + 1) !== 91) return at + 1;
    const end = this.#wikiEnd.after(at + 2);
    if (end >= this.#newline.after(at + 2)) return at + 2;
    const bar = text.slice(at + 2, end).indexOf('|');
    if (bar >= 0) this.#drop(at, at + 2 + bar + 1);
    return end + 2;
  }

  /** `](address "title")` and `]: address`: the address is not what the reader sees. */
  #destination(at: number): number {
    const text = this.#text;
    const next = text.charCodeAt(at + 1);
    if (next === 58 && isSpace(text.charCodeAt(at + 2))) return this.#drop(at, this.#newline.after(at));
    if (next !== OPEN_PAREN) return at + 1;
    let end = this.#closingParen.after(at + 2);
    if (end >= this.#newline.after(at + 2)) return at + 2;
    // One pair of parentheses inside an address, as in `Set_(mathematics)`.
    const nested = text.slice(at + 2, end).indexOf('(');
    if (nested >= 0) {
      const outer = text.indexOf(')', end + 1);
      if (outer === end + 1) end = outer;
    }
    return this.#drop(at, end + 1);
  }

  #inlineCode(at: number): number {
    const text = this.#text;
    let open = at;
    while (text.charCodeAt(open) === TICK) open++;
    const ticks = open - at;
    const lineEnd = this.#newline.after(open);
    if (ticks > MAX_COMPARABLE_TICKS || this.#noCloserBefore[ticks]! >= lineEnd) return open;
    for (let place = text.indexOf('`', open); place >= 0 && place < lineEnd;) {
      let close = place;
      while (text.charCodeAt(close) === TICK) close++;
      if (close - place === ticks) return close;
      place = text.indexOf('`', close);
    }
    this.#noCloserBefore[ticks] = lineEnd;
    return open;
  }

  #url(at: number): number {
    const text = this.#text;
    if (text.charCodeAt(at + 1) !== 47 || text.charCodeAt(at + 2) !== 47) return at + 1;
    let from = at;
    while (from > this.#visibleFrom && at - from < 12 && isAsciiLetter(text.charCodeAt(from - 1))) from--;
    let to = at + 3;
    for (; to < text.length; to++) {
      const unit = text.charCodeAt(to);
      if (unit < 128 && URL_END[unit] === 1) break;
    }
    return this.#drop(from, to);
  }

  #entity(at: number): number {
    const text = this.#text;
    let end = at + 1;
    if (text.charCodeAt(end) === 35) end++;
    while (end - at < MAX_ENTITY_LENGTH && isEntityUnit(text.charCodeAt(end))) end++;
    return text.charCodeAt(end) === 59 && end > at + 1 ? this.#drop(at, end + 1) : at + 1;
  }

  /** Passes over a whole code fence when the line opens one: its text stays, markup in it is text. */
  #lineStart(at: number): number {
    const text = this.#text;
    let mark = at;
    while (isSpace(text.charCodeAt(mark))) mark++;
    const unit = text.charCodeAt(mark);
    if ((unit !== TICK && unit !== TILDE) || runLength(text, mark, unit) < 3) return at;
    const length = runLength(text, mark, unit);
    let line = this.#newline.after(mark + length) + 1;
    while (line < text.length) {
      let closing = line;
      while (isSpace(text.charCodeAt(closing))) closing++;
      const lineEnd = this.#newline.after(line);
      const run = runLength(text, closing, unit);
      if (run >= length && text.slice(closing + run, lineEnd).trim() === '') return lineEnd;
      line = lineEnd + 1;
    }
    return text.length;
  }
}

function isEntityUnit(unit: number): boolean {
  return isAsciiLetter(unit) || (unit >= 48 && unit <= 57);
}

function runLength(text: string, at: number, unit: number): number {
  let end = at;
  while (text.charCodeAt(end) === unit) end++;
  return end - at;
}

/**
 * The parts of a Markdown text that a reader sees, as offsets `[start, end, start, end, ...]` into it.
 * Comments, tags, entities, addresses and link targets are left out; code stays. Time is linear in the
 * length for any input, so nothing here backtracks.
 */
export function visibleRanges(text: string): readonly number[] {
  return new Scanner(text).run();
}
