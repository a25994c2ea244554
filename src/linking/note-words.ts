import type { WordCutter, WordStream } from './words.ts';

/** What the index reads of a note. */
export interface LinkableNote {
  readonly id: string;
  readonly title: string;
  readonly aliases: readonly string[];
  readonly tags: readonly string[];
  /** Markdown or plain, front matter already removed. */
  readonly text: string;
  readonly version: number;
}

/** A note cut into words, part by part. */
export interface NoteWords {
  readonly title: WordStream;
  readonly aliases: readonly WordStream[];
  readonly tags: readonly TagWords[];
  readonly body: WordStream;
}

interface TagWords {
  readonly tag: string;
  /** The tag as a term of its own: `#` and the tag, lower case. */
  readonly key: string;
  readonly words: WordStream;
}

const MAX_TAGS = 64;
const MAX_ALIASES = 32;
const MAX_LABEL_LENGTH = 512;
const MAX_TAG_KEY_LENGTH = 64;
/** Text this near the start of a note says more of what it is about. */
const OPENING_LENGTH = 300;
const TITLE_COUNT = 4;
const OPENING_COUNT = 1;
const TAG_WORD_COUNT = 1;
/** log2(1 + 3) = 2: twice the weight of a word said once. */
const TAG_COUNT = 3;
export const MAX_COUNT = 255;

export function readNote(note: LinkableNote, cutter: WordCutter): NoteWords {
  return {
    title: cutter.cutPlain(note.title.slice(0, MAX_LABEL_LENGTH)),
    aliases: note.aliases
      .slice(0, MAX_ALIASES)
      .map((alias) => cutter.cutPlain(alias.slice(0, MAX_LABEL_LENGTH))),
    tags: readTags(note.tags, cutter),
    body: cutter.cutMarkdown(note.text),
  };
}

function readTags(tags: readonly string[], cutter: WordCutter): TagWords[] {
  const read = new Map<string, TagWords>();
  for (const tag of tags) {
    if (read.size >= MAX_TAGS) break;
    const bare = tag.slice(0, MAX_TAG_KEY_LENGTH).normalize('NFKC').toLowerCase().replace(/^#/, '').trim();
    if (bare === '') continue;
    const key = `#${bare.toWellFormed()}`;
    if (!read.has(key)) read.set(key, { tag, key, words: cutter.cutPlain(bare) });
  }
  return [...read.values()];
}

/** Calls `visit` for every counted occurrence of a key, with how much it counts. */
export function eachCount(words: NoteWords, visit: (key: string, count: number) => void): void {
  for (const key of words.title.keys) visit(key, TITLE_COUNT);
  for (const alias of words.aliases) for (const key of alias.keys) visit(key, TITLE_COUNT);
  for (const tag of words.tags) {
    visit(tag.key, TAG_COUNT);
    for (const key of tag.words.keys) visit(key, TAG_WORD_COUNT);
  }
  const { keys, starts } = words.body;
  const openingEnd = (starts[0] ?? 0) + OPENING_LENGTH;
  for (let at = 0; at < keys.length; at++) visit(keys[at]!, starts[at]! < openingEnd ? 1 + OPENING_COUNT : 1);
}

/** How many written words a stream has: a Korean word gives several keys but is one word. */
export function writtenWords(stream: WordStream): number {
  let count = 0;
  for (let at = 0; at < stream.written.length; at++) {
    if (at === 0 || stream.written[at] !== stream.written[at - 1]) count++;
  }
  return count;
}
