import { astralClass, HANGUL, isHighSurrogate, LETTER, UNSPACED, unitClass } from './characters.ts';
import { grownUint32 } from './lexicon.ts';
import { STOP_WORDS } from './stop-words.ts';
import { visibleRanges } from './visible-text.ts';
import { isPlain, NO_WORD, WordTable } from './word-table.ts';

/** The words of a text that count, and where each stands in it. */
export interface WordStream {
  /** What equal words have equal: normalised, stemmed or cut. */
  readonly keys: readonly string[];
  readonly starts: readonly number[];
  readonly ends: readonly number[];
}

/** The words of the text that was cut last, by number. */
export interface CutWords {
  readonly count: number;
  /** Equal numbers are equal keys, though not the other way round. */
  readonly numbers: Uint32Array;
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
}

const MAX_KEY_LENGTH = 48;
const CYRILLIC_STEM_LENGTH = 6;
const MAX_SEGMENTED_RUN = 512;
const FIRST_LETTERS = 128;
const ALL_FIRSTS = new Uint8Array(FIRST_LETTERS).fill(1);
/** The bit of ASCII that makes a letter a small one, and leaves digits as they are. */
const LOWER_CASE = 0x20;
const CYRILLIC = /^\p{sc=Cyrillic}/u;
const PLAIN_WORD = /^[a-zA-Z0-9]*$/;
const SINGLE_UPPER = /^[A-Z0-9]$/u;

function withoutPlural(word: string): string {
  const length = word.length;
  if (length < 4 || word.charCodeAt(length - 1) !== 115) return word;
  const before = word.charCodeAt(length - 2);
  // "class", "status", "basis": no plurals.
  if (before === 115 || before === 117 || before === 105) return word;
  if (length > 4 && word.endsWith('ies')) return `${word.slice(0, -3)}y`;
  return word.slice(0, -1);
}

function normalised(raw: string): string {
  if (PLAIN_WORD.test(raw)) return raw.toLowerCase();
  return raw.normalize('NFKC').toLowerCase();
}

function keyOfSpaced(raw: string): string {
  const word = normalised(raw);
  if (STOP_WORDS.has(word)) return '';
  if (word.length === 1 && word < '\u0250' && !SINGLE_UPPER.test(raw)) return '';
  if (CYRILLIC.test(word)) return word.slice(0, CYRILLIC_STEM_LENGTH);
  return withoutPlural(word);
}

/**
 * Cuts texts into keyed words. Holds a bounded memory of words already keyed, because a vault repeats its
 * words: it changes how fast the answer comes, never the answer.
 */
export class WordCutter {
  readonly #table: WordTable;
  readonly #cut = new Cut();
  // One fixed locale: results must not depend on the machine's.
  readonly #segmenter = new Intl.Segmenter('ja', { granularity: 'word' });

  /** `mostWords`: so many it holds; by default those of a large vault. */
  constructor({ mostWords }: { readonly mostWords?: number } = {}) {
    this.#table = new WordTable(keyOfSpaced, mostWords);
  }

  /** The words that a reader of this Markdown sees. */
  cutMarkdown(text: string): WordStream {
    return this.#streamOf(this.numberMarkdown(text));
  }

  /** The words of a title, alias, tag or query, in which nothing is markup. */
  cutPlain(text: string): WordStream {
    return this.#streamOf(this.numberPlain(text));
  }

  /** As `cutMarkdown`, with numbers for keys; the next text overwrites what it gives. */
  numberMarkdown(text: string): CutWords {
    return this.#numberAll(text, visibleRanges(text));
  }

  /**
   * As `numberMarkdown`, for who looks for words of these keys alone: others may be left out. A word of ASCII begins as
   * its key does, so most are told by one letter, and are not looked up.
   */
  numberWanted(text: string, keys: Iterable<string>): CutWords {
    const firsts = new Uint8Array(FIRST_LETTERS);
    for (const key of keys) firsts[key.charCodeAt(0)] = 1; // what is no ASCII falls out
    return this.#numberAll(text, visibleRanges(text), firsts);
  }

  /** As `cutPlain`, with numbers for keys; the next text overwrites what it gives. */
  numberPlain(text: string): CutWords {
    return this.#numberAll(text, [0, text.length]);
  }

  /** Numbers of before it changed may be of other words now. */
  get generation(): number {
    return this.#table.generation;
  }

  /** The key of a number of the text that was cut last. */
  keyOf(number: number): string {
    return this.#table.keyOf(number);
  }

  #numberAll(text: string, ranges: readonly number[], firsts = ALL_FIRSTS): CutWords {
    this.#table.makeRoom();
    this.#cut.count = 0;
    for (let range = 0; range < ranges.length; range += 2) {
      this.#cutRange(text, ranges[range]!, ranges[range + 1]!, firsts);
    }
    return this.#cut;
  }

  #streamOf({ count, numbers, starts, ends }: CutWords): WordStream {
    return {
      keys: Array.from(numbers.subarray(0, count), (number) => this.#table.keyOf(number)),
      starts: [...starts.subarray(0, count)],
      ends: [...ends.subarray(0, count)],
    };
  }

  #cutRange(text: string, from: number, to: number, firsts: Uint8Array): void {
    for (let at = from; at < to;) {
      const unit = text.charCodeAt(at);
      if (unit < 128 && !isPlain(unit)) {
        at++;
        continue;
      }
      let end = at;
      let next = unit;
      while (next < 128 && isPlain(next)) next = ++end < to ? text.charCodeAt(end) : 0;
      if (next < 128 || (end > at && !goesOnWith(next))) {
        if (firsts[unit | LOWER_CASE] === 1)
          this.#cut.add(this.#table.plainNumber(text, at, Math.min(end, at + MAX_KEY_LENGTH)), at, end);
        at = end;
      } else at = this.#cutRun(text, at, to);
    }
  }

  /** Cuts what is of one class from `start` on, and gives its end. */
  #cutRun(text: string, start: number, to: number): number {
    const kind = classAt(text, start, to);
    let end = start;
    while (end < to && classAt(text, end, to) === kind) end += isPairAt(text, end, to) ? 2 : 1;
    if (kind === LETTER) {
      const number = this.#table.otherNumber(text, start, Math.min(end, start + MAX_KEY_LENGTH));
      this.#cut.add(number, start, end);
    } else if (kind === HANGUL) this.#addSyllablePairs(text, start, end);
    else if (kind === UNSPACED) this.#addSegments(text, start, end);
    return end;
  }

  #addSegments(text: string, start: number, end: number): void {
    for (let from = start; from < end; from += MAX_SEGMENTED_RUN) {
      const run = text.slice(from, Math.min(end, from + MAX_SEGMENTED_RUN));
      for (const { segment, index, isWordLike } of this.#segmenter.segment(run)) {
        if (isWordLike !== true) continue;
        const key = normalised(segment);
        if (STOP_WORDS.has(key)) continue;
        this.#addKey(key.slice(0, MAX_KEY_LENGTH), from + index, from + index + segment.length);
      }
    }
  }

  #addSyllablePairs(text: string, start: number, end: number): void {
    const whole = text.slice(start, end);
    const composed = whole.normalize('NFKC');
    if (composed.length <= 2) return this.#addKey(composed, start, end);
    // Decomposed syllables have no offset of their own: each pair then points at the whole word.
    const aligned = composed.length === whole.length;
    for (let at = 0; at + 2 <= composed.length; at++) {
      const from = aligned ? start + at : start;
      this.#addKey(composed.slice(at, at + 2), from, aligned ? from + 2 : end);
    }
  }

  #addKey(key: string, start: number, end: number): void {
    if (key !== '') this.#cut.add(this.#table.keyNumber(key), start, end);
  }
}

/** Whether a run of ASCII letters goes on with this unit. */
function goesOnWith(unit: number): boolean {
  return isHighSurrogate(unit) || unitClass(unit) === LETTER;
}

function isPairAt(text: string, at: number, to: number): boolean {
  return isHighSurrogate(text.charCodeAt(at)) && at + 1 < to && text.codePointAt(at)! > 0xffff;
}

function classAt(text: string, at: number, to: number): number {
  return isPairAt(text, at, to) ? astralClass(text.codePointAt(at)!) : unitClass(text.charCodeAt(at));
}

/** Grows as needed and is used again for every text. */
class Cut implements CutWords {
  count = 0;
  numbers = new Uint32Array(512);
  starts = new Uint32Array(512);
  ends = new Uint32Array(512);

  add(number: number, start: number, end: number): void {
    if (number === NO_WORD) return;
    if (this.count === this.numbers.length) {
      this.numbers = grownUint32(this.numbers, this.count * 2);
      this.starts = grownUint32(this.starts, this.count * 2);
      this.ends = grownUint32(this.ends, this.count * 2);
    }
    this.numbers[this.count] = number;
    this.starts[this.count] = start;
    this.ends[this.count++] = end;
  }
}
