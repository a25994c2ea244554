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
  readonly tags: readonly { readonly key: string; readonly words: WordStream }[];
  readonly body: WordStream;
}

/** A tag as it is read. */
export interface TagLabel {
  /** The tag as a term of its own: `#` and the tag, lower case. */
  readonly key: string;
  /** As its words are cut from. */
  readonly bare: string;
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

/** What of a title or alias is read. */
export function labelOf(title: string): string {
  return title.slice(0, MAX_LABEL_LENGTH);
}

export function aliasesOf(note: LinkableNote): string[] {
  return note.aliases.slice(0, MAX_ALIASES).map(labelOf);
}

/** The note's distinct tags. */
export function tagsOf(note: LinkableNote): TagLabel[] {
  const read = new Map<string, TagLabel>();
  for (const tag of note.tags) {
    if (read.size >= MAX_TAGS) break;
    const bare = tag.slice(0, MAX_TAG_KEY_LENGTH).normalize('NFKC').toLowerCase().replace(/^#/, '').trim();
    if (bare === '') continue;
    const key = `#${bare.toWellFormed()}`;
    if (!read.has(key)) read.set(key, { key, bare });
  }
  return [...read.values()];
}

export function readNote(note: LinkableNote, cutter: WordCutter): NoteWords {
  return {
    title: cutter.cutPlain(labelOf(note.title)),
    aliases: aliasesOf(note).map((alias) => cutter.cutPlain(alias)),
    tags: tagsOf(note).map(({ key, bare }) => ({ key, words: cutter.cutPlain(bare) })),
    body: cutter.cutMarkdown(note.text),
  };
}

/** What of a note counts, in terms of any kind. */
export interface CountedParts<Term> {
  readonly title: readonly Term[];
  readonly aliases: readonly (readonly Term[])[];
  readonly tags: readonly { readonly tag: Term; readonly words: readonly Term[] }[];
  readonly body: ArrayLike<Term>;
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

/** How many of the first `count` words, which stand at `starts`, are near the start of the text. */
export function openingWords(starts: ArrayLike<number>, count: number): number {
  const end = (starts[0] ?? 0) + OPENING_LENGTH;
  let opening = 0;
  while (opening < count && starts[opening]! < end) opening++;
  return opening;
}
