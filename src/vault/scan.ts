import { normaliseLabel, scanBlocks } from './blocks.ts';
import type { Blocks } from './blocks.ts';
import { isSpace, readDestination, readShortcode, readWiki, visibleText } from './link-syntax.ts';
import type { RawLink } from './link-syntax.ts';

export interface Scan {
  readonly links: readonly RawLink[];
  /** Inline `#tags` without the mark, in order, repeated as they are. */
  readonly tags: readonly string[];
}

const MAX_LABEL = 999; // of a reference, by CommonMark
// a dot inside belongs to the tag, as in Dendron's #stage.seed; one at the end is the end of a sentence
const TAG = /[\p{L}\p{N}\p{M}\p{Extended_Pictographic}_/-]+(?:\.[\p{L}\p{N}][\p{L}\p{N}\p{M}_/-]*)*/uy;
const ESCAPABLE = /[!-/:-@[-`{-~]/;

const HASH = 0x23;
const SPECIAL = new Uint8Array(128);
for (const char of '\\`<%![]{#') SPECIAL[char.charCodeAt(0)] = 1;

/**
 * Finds the links and tags of a Markdown text, outside of code and comments, in one pass from left to right: each
 * character is looked at a bounded number of times, whatever the text, so that no input is slow.
 */
export function scanMarkdown(text: string): Scan {
  const scanner = new Scanner(text, scanBlocks(text));
  return scanner.run();
}

class Scanner {
  readonly #text: string;
  readonly #blocks: Blocks;
  readonly #links: RawLink[] = [];
  readonly #tags: string[] = [];
  readonly #nextOf = new Map<string, number>();
  #backticks: Map<number, { readonly at: number[]; used: number }> | undefined;
  #break = 0;
  #openers: number[] = [];
  #limit = 0;

  constructor(text: string, blocks: Blocks) {
    this.#text = text;
    this.#blocks = blocks;
  }

  run(): Scan {
    for (const { start, end } of this.#blocks.segments) {
      this.#openers = [];
      this.#limit = end;
      for (let at = start; at < end;) {
        const code = this.#text.charCodeAt(at);
        at = code < 128 && SPECIAL[code] === 1 ? this.#special(at, code) : at + 1;
      }
    }
    return { links: this.#links, tags: this.#tags };
  }

  /** Handles the character at `at` and gives the offset to go on from. */
  #special(at: number, code: number): number {
    const text = this.#text;
    switch (code) {
      case 0x5c: // \
        return ESCAPABLE.test(text.charAt(at + 1)) ? at + 2 : at + 1;
      case 0x60: // `
        return this.#codeSpan(at);
      case 0x3c: // <
        if (text.startsWith('<!--', at)) return this.#comment(at, 4, '-->');
        return text.startsWith('<http', at) ? this.#autolink(at) : at + 1;
      case 0x25: // %
        return text.startsWith('%%', at) ? this.#comment(at, 2, '%%') : at + 1;
      case 0x21: // !
        if (text.charCodeAt(at + 1) !== 0x5b || text.charCodeAt(at + 2) === 0x5b) return at + 1;
        this.#openers.push(-at - 2); // an image: its bracket is at + 1, marked by the sign
        return at + 2;
      case 0x5b: // [
        return this.#open(at);
      case 0x5d: // ]
        return this.#close(at);
      case 0x7b: // {
        return text.startsWith('{{', at) ? this.#shortcode(at) : at + 1;
      default:
        return code === HASH ? this.#tag(at) : at + 1;
    }
  }

  #open(at: number): number {
    const wiki = this.#text.charCodeAt(at + 1) === 0x5b ? readWiki(this.#text, at, this.#limit) : undefined;
    if (!wiki) {
      this.#openers.push(at);
      return at + 1;
    }
    // `[[1]](note.md)` is a link with the text "[1]", unless a note is called "1"
    const destination = this.#destination(wiki.end);
    this.#add({
      kind: 'wiki',
      target: wiki.value,
      text: '',
      offset: at,
      ...(destination && { tentative: true }),
    });
    if (!destination) return wiki.end;
    this.#add({ kind: 'url', target: destination.value, text: visibleText(wiki.value), offset: at });
    return destination.end;
  }

  #destination(at: number): { readonly value: string; readonly end: number } | undefined {
    return this.#text.charCodeAt(at) === 0x28 ? readDestination(this.#text, at + 1, this.#limit) : undefined;
  }

  #close(at: number): number {
    const opener = this.#openers.pop();
    if (opener === undefined) return at + 1;
    const image = opener < 0;
    const start = image ? -opener : opener + 1;
    const next = at + 1 < this.#limit ? this.#text.charCodeAt(at + 1) : 0;
    if (next === 0x28) {
      const shortcode = this.#text.startsWith('{{', at + 2)
        ? readShortcode(this.#text, at + 2, this.#limit)
        : undefined;
      if (shortcode) return this.#emit('ref', shortcode, start, at, image);
      const destination = this.#destination(at + 1);
      if (destination) {
        const logseq = destination.value.startsWith('[[') && destination.value.endsWith(']]');
        if (!logseq) return this.#emit('url', destination, start, at, image);
        const target = destination.value.slice(2, -2);
        return this.#emit('wiki', { value: target, end: destination.end }, start, at, image);
      }
    }
    return this.#reference(start, at, next, image);
  }

  #reference(start: number, at: number, next: number, image: boolean): number {
    const { definitions } = this.#blocks;
    if (definitions.size === 0) return at + 1;
    let label = '';
    let end = at + 1;
    if (next === 0x5b) {
      const close = this.#labelEnd(at + 2);
      if (close !== undefined) {
        label = this.#text.slice(at + 2, close);
        end = close + 1;
      }
    }
    if (label.trim() === '') {
      if (at - start > MAX_LABEL) return at + 1;
      label = this.#text.slice(start, at);
    }
    const url = definitions.get(normaliseLabel(label));
    if (url === undefined || (next === 0x3a && this.#opensLine(start - 1))) return at + 1;
    return this.#emit('url', { value: url.replace(/^<(.*)>$/, '$1'), end }, start, at, image);
  }

  #labelEnd(from: number): number | undefined {
    for (let i = from; i < Math.min(this.#limit, from + MAX_LABEL); i++) {
      const code = this.#text.charCodeAt(i);
      if (code === 0x5d) return i;
      if (code === 0x5b || code === 0x0a) return undefined;
    }
    return undefined;
  }

  /** Whether only a few blanks stand before `at` on its line, as before a definition. */
  #opensLine(at: number): boolean {
    const before = this.#text.slice(Math.max(0, at - 4), at);
    return before.slice(before.lastIndexOf('\n') + 1).trim() === '';
  }

  #emit(
    kind: RawLink['kind'],
    found: { readonly value: string; readonly end: number },
    start: number,
    textEnd: number,
    image: boolean,
  ): number {
    const text = visibleText(this.#text.slice(start, Math.min(textEnd, start + MAX_LABEL)));
    if (!image) this.#add({ kind, target: found.value, text, offset: start - 1 });
    return found.end;
  }

  #add(link: RawLink): void {
    this.#links.push(link);
  }

  #shortcode(at: number): number {
    const found = readShortcode(this.#text, at, this.#limit);
    if (!found) return at + 2;
    this.#add({ kind: 'ref', target: found.value, text: '', offset: at });
    return found.end;
  }

  /** The offset of `mark` at or after `from`, remembered, so that a mark that never comes is sought once. */
  #find(mark: string, from: number): number {
    const known = this.#nextOf.get(mark);
    if (known !== undefined && known >= from) return known;
    const found = this.#text.indexOf(mark, from);
    const next = found === -1 ? Infinity : found;
    this.#nextOf.set(mark, next);
    return next;
  }

  #comment(at: number, skip: number, mark: string): number {
    const close = this.#find(mark, at + skip);
    return close + mark.length <= this.#limit ? close + mark.length : at + skip;
  }

  #autolink(at: number): number {
    for (let i = at + 1; i < this.#limit; i++) {
      const code = this.#text.charCodeAt(i);
      if (code === 0x3e) return i + 1;
      if (code === 0x3c || isSpace(code)) return at + 1;
    }
    return at + 1;
  }

  #codeSpan(at: number): number {
    let end = at;
    while (this.#text.charCodeAt(end) === 0x60) end++;
    const runs = (this.#backticks ??= indexBackticks(this.#text));
    const same = runs.get(end - at);
    if (!same) return end;
    while ((same.at[same.used] ?? Infinity) < end) same.used++;
    const close = same.at[same.used] ?? Infinity;
    const { breaks } = this.#blocks;
    while ((breaks[this.#break] ?? Infinity) <= at) this.#break++;
    const limit = Math.min(this.#limit, breaks[this.#break] ?? Infinity);
    return close < limit ? close + end - at : end;
  }

  #tag(at: number): number {
    const before = at === 0 ? 0x20 : this.#text.charCodeAt(at - 1);
    if (!isSpace(before)) return at + 1;
    if (this.#text.startsWith('#[[', at)) {
      const wiki = readWiki(this.#text, at + 1, this.#limit);
      if (wiki) this.#tags.push(wiki.value);
      return at + 1;
    }
    TAG.lastIndex = at + 1;
    const match = TAG.exec(this.#text)?.[0];
    if (match === undefined) return at + 1;
    let end = match.length;
    while (match[end - 1] === '/') end--;
    const tag = match.slice(0, end);
    if (/[^\d./_-]/.test(tag) && !tag.startsWith('/') && at + 1 + match.length <= this.#limit)
      this.#tags.push(tag);
    return at + 1 + match.length;
  }
}

/** Every run of backticks by its length. */
function indexBackticks(text: string): Map<number, { readonly at: number[]; used: number }> {
  const runs = new Map<number, { readonly at: number[]; used: number }>();
  for (let at = text.indexOf('`'); at !== -1;) {
    let end = at + 1;
    while (text.charCodeAt(end) === 0x60) end++;
    const same = runs.get(end - at);
    if (same) same.at.push(at);
    else runs.set(end - at, { at: [at], used: 0 });
    at = text.indexOf('`', end);
  }
  return runs;
}
