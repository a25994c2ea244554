import {
  astralClass,
  detached,
  HANGUL,
  isHighSurrogate,
  LETTER,
  SEPARATOR,
  UNSPACED,
  unitClass,
} from './characters.ts';
import { STOP_WORDS } from './stop-words.ts';
import { visibleRanges } from './visible-text.ts';
import { WordTable } from './word-table.ts';

/** The words of a text that count: their keys, where each stands in the text, and which written word it is of. */
export interface WordStream {
  /** What equal words have equal: normalised, stemmed or cut. */
  readonly keys: string[];
  /** A number that belongs to the key for now, or -1: a hint where to look, to be checked. */
  readonly hints: number[];
  readonly starts: number[];
  readonly ends: number[];
  /** Serial number of the written word: a Korean word gives several keys. */
  readonly written: number[];
}

const MAX_KEY_LENGTH = 48;
const CYRILLIC_STEM_LENGTH = 6;
const MAX_SEGMENTED_RUN = 512;
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
  readonly #table = new WordTable();
  // One fixed locale: results must not depend on the machine's.
  readonly #segmenter = new Intl.Segmenter('ja', { granularity: 'word' });

  /** The words that a reader of this Markdown sees. */
  cutMarkdown(text: string): WordStream {
    return this.#cut(text, visibleRanges(text));
  }

  /** The words of a title, alias, tag or query, in which nothing is markup. */
  cutPlain(text: string): WordStream {
    return this.#cut(text, [0, text.length]);
  }

  #cut(text: string, ranges: readonly number[]): WordStream {
    const stream: WordStream = { keys: [], hints: [], starts: [], ends: [], written: [] };
    for (let range = 0; range < ranges.length; range += 2) {
      this.#cutRange(text, ranges[range]!, ranges[range + 1]!, stream);
    }
    return stream;
  }

  #cutRange(text: string, from: number, to: number, stream: WordStream): void {
    let start = from;
    let kind = SEPARATOR;
    for (let at = from; at < to;) {
      const unit = text.charCodeAt(at);
      let next = at + 1;
      let found = unitClass(unit);
      if (isHighSurrogate(unit) && next < to) {
        const codePoint = text.codePointAt(at)!;
        if (codePoint > 0xffff) {
          found = astralClass(codePoint);
          next = at + 2;
        }
      }
      if (found !== kind) {
        if (kind !== SEPARATOR) this.#addRun(text, start, at, kind, stream);
        start = at;
        kind = found;
      }
      at = next;
    }
    if (kind !== SEPARATOR) this.#addRun(text, start, to, kind, stream);
  }

  #addRun(text: string, start: number, end: number, kind: number, stream: WordStream): void {
    const word = stream.written.length === 0 ? 0 : stream.written[stream.written.length - 1]! + 1;
    if (kind === LETTER) {
      const hint = this.#table.numberOf(text, start, Math.min(end, start + MAX_KEY_LENGTH), keyOfSpaced);
      addKey(stream, this.#table.keyOf(hint), start, end, word, hint);
    } else if (kind === HANGUL) addSyllablePairs(stream, text, start, end, word);
    else if (kind === UNSPACED) this.#addSegments(text, start, end, word, stream);
  }

  #addSegments(text: string, start: number, end: number, firstWord: number, stream: WordStream): void {
    let word = firstWord;
    for (let from = start; from < end; from += MAX_SEGMENTED_RUN) {
      const run = text.slice(from, Math.min(end, from + MAX_SEGMENTED_RUN));
      for (const { segment, index, isWordLike } of this.#segmenter.segment(run)) {
        if (isWordLike !== true) continue;
        const key = normalised(segment);
        if (STOP_WORDS.has(key)) continue;
        addKey(
          stream,
          detached(key.slice(0, MAX_KEY_LENGTH)),
          from + index,
          from + index + segment.length,
          word++,
        );
      }
    }
  }
}

function addKey(stream: WordStream, key: string, start: number, end: number, word: number, hint = -1): void {
  if (key === '') return;
  stream.keys.push(key);
  stream.hints.push(hint);
  stream.starts.push(start);
  stream.ends.push(end);
  stream.written.push(word);
}

function addSyllablePairs(stream: WordStream, text: string, start: number, end: number, word: number): void {
  const whole = text.slice(start, end);
  const composed = whole.normalize('NFKC');
  if (composed.length <= 2) return addKey(stream, composed, start, end, word);
  // Decomposed syllables have no offset of their own: each pair then points at the whole word.
  const aligned = composed.length === whole.length;
  for (let at = 0; at + 2 <= composed.length; at++) {
    const from = aligned ? start + at : start;
    addKey(stream, composed.slice(at, at + 2), from, aligned ? from + 2 : end, word);
  }
}
