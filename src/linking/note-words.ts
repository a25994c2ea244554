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
  /** As the words were cut from. */
  readonly bare: string;
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
    if (!read.has(key)) read.set(key, { tag, key, bare, words: cutter.cutPlain(bare) });
  }
  return [...read.values()];
}

/** What of a note counts, in terms of any kind. */
export interface CountedParts<Term> {
  readonly title: readonly Term[];
  readonly aliases: readonly (readonly Term[])[];
  readonly tags: readonly { readonly tag: Term; readonly words: readonly Term[] }[];
  readonly body: readonly Term[];
  /** How many terms of the body belong to its opening. */
  readonly opening: number;
}

/** Calls `visit` for every counted occurrence of a term, with how much it counts. */
export function eachCount<Term>(parts: CountedParts<Term>, visit: (term: Term, count: number) => void): void {
  for (const term of parts.title) visit(term, TITLE_COUNT);
  for (const alias of parts.aliases) for (const term of alias) visit(term, TITLE_COUNT);
  for (const { tag, words } of parts.tags) {
    visit(tag, TAG_COUNT);
    for (const term of words) visit(term, TAG_WORD_COUNT);
  }
  const { body, opening } = parts;
  for (let at = 0; at < opening; at++) visit(body[at]!, 1 + OPENING_COUNT);
  for (let at = opening; at < body.length; at++) visit(body[at]!, 1);
}

/** How many words of a text stand near its start. */
export function openingWords({ starts }: WordStream): number {
  const end = (starts[0] ?? 0) + OPENING_LENGTH;
  let count = 0;
  while (count < starts.length && starts[count]! < end) count++;
  return count;
}
