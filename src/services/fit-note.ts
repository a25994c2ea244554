import { isBrainError } from '../domain/error.ts';
import { LIMITS } from '../domain/limits.ts';
import { aliases, categoryTitle, tag, tagKey } from '../domain/values.ts';
import type { ImportNote } from './import-note.ts';

/** A note within the limits, and what of it had to be left out. */
export interface FittedNote {
  readonly note: ImportNote;
  readonly trimmed: readonly string[];
}

/**
 * Makes what surrounds a note's text fit: people's vaults have titles of a paragraph and notes of fifty tags, and
 * for that no note is left behind. The text itself is never cut: one that is too long is refused whole.
 */
export function fitNote(note: ImportNote): FittedNote {
  const trimmed: string[] = [];
  const list = (what: 'tags' | 'aliases', limit: number, accepts: (value: string) => boolean) => {
    const given = note[what];
    if (given === undefined) return {};
    const fitting = firstOfEach(given.filter(accepts)).slice(0, limit);
    const lost = firstOfEach(given).length - fitting.length;
    if (lost > 0)
      trimmed.push(`${lost} of its ${what} left out: at most ${limit}, each short and on one line`);
    return { [what]: fitting };
  };
  const line = (what: string, text: string, limit: number): string => {
    const clean = oneLine(text);
    if (clean.length <= limit) return clean;
    trimmed.push(`${what} cut to ${limit} characters`);
    return clean.slice(0, limit).toWellFormed().trim();
  };
  const fitted: ImportNote = {
    ...note,
    ...(note.title !== undefined && { title: line('title', note.title, LIMITS.titleLength) }),
    ...list('tags', LIMITS.tags, (value) => passes(() => tag(value))),
    ...list('aliases', LIMITS.aliases, (value) => passes(() => aliases([value]))),
    ...(note.category && {
      category: note.category
        .map((title) => line('category', title, LIMITS.categoryTitleLength))
        .filter((title) => passes(() => categoryTitle(title))),
    }),
  };
  return { note: fitted, trimmed };
}

function passes(check: () => unknown): boolean {
  try {
    check();
    return true;
  } catch (error) {
    if (isBrainError(error, 'invalid')) return false;
    throw error;
  }
}

/** The first spelling of each, as the domain tells tags apart. */
function firstOfEach(values: readonly string[]): readonly string[] {
  const byKey = new Map<string, string>();
  for (const value of values) {
    const key = tagKey(value.normalize('NFC').trim() as Parameters<typeof tagKey>[0]);
    if (!byKey.has(key)) byKey.set(key, value);
  }
  return [...byKey.values()];
}

/** White space and control characters become single spaces. */
function oneLine(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim()
    .normalize('NFC');
}
