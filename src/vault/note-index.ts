import { stripNoteExtension } from './parse-note.ts';

/** What a link can find of a note. */
export interface Linkable {
  readonly path?: string | undefined;
  readonly key: string;
  readonly titles: readonly string[];
  readonly aliases: readonly string[];
  readonly redirects: readonly string[];
}

const INDEX_NAMES = ['readme', '_index', 'index']; // the last one that a folder has stands for it

/** Names and paths are compared in NFC and without case. */
export function fold(text: string): string {
  return text.normalize('NFC').toLowerCase();
}

/** Finds notes by path, file name, title, alias and site path. Notes are numbered by their place in the list. */
export class NoteIndex {
  readonly dirs: readonly string[];
  readonly stems: readonly string[];
  readonly #exact = new Map<string, number>();
  readonly #paths = new Map<string, number>();
  readonly #folders = new Map<string, { readonly note: number; readonly rank: number }>();
  readonly #bases = new Map<string, number[]>();
  readonly #tails = new Map<string, number[]>(); // by the last two segments, where one would be too many notes
  readonly #indexed = new Map<string, string[]>(); // folders with an index, by their own name
  readonly #names = new Map<string, number>();
  readonly #redirects = new Map<string, number>();
  readonly #keys = new Map<string, number>();
  readonly #known = new Set<string>(['']);

  constructor(notes: readonly Linkable[]) {
    const dirs: string[] = [];
    const stems: string[] = [];
    notes.forEach((note, index) => {
      const path = note.path ?? '';
      const stem = stripNoteExtension(path);
      dirs.push(path.slice(0, Math.max(0, path.lastIndexOf('/'))));
      stems.push(fold(stem));
      if (note.path !== undefined) this.#addPath(path, stem, index);
      this.#keys.set(note.key, index);
      for (const redirect of note.redirects) setFirst(this.#redirects, trimSlashes(fold(redirect)), index);
    });
    // titles come before aliases, whichever note comes first
    notes.forEach((note, index) => note.titles.forEach((title) => setFirst(this.#names, fold(title), index)));
    notes.forEach((note, index) =>
      note.aliases.forEach((alias) => setFirst(this.#names, fold(alias), index)),
    );
    this.dirs = dirs;
    this.stems = stems;
  }

  #addPath(path: string, stem: string, index: number): void {
    this.#exact.set(path, index);
    const folded = fold(stem);
    this.#paths.set(folded, index);
    const slash = folded.lastIndexOf('/');
    const folder = slash === -1 ? '' : folded.slice(0, slash);
    const base = folded.slice(slash + 1);
    const rank = INDEX_NAMES.indexOf(base);
    if (rank >= (this.#folders.get(folder)?.rank ?? 0)) {
      if (!this.#folders.has(folder)) append(this.#indexed, lastSegment(folder), folder);
      this.#folders.set(folder, { note: index, rank });
    }
    append(this.#bases, base, index);
    if (slash !== -1) append(this.#tails, tail(folded), index);
    for (let at = folder; !this.#known.has(at); at = at.slice(0, Math.max(0, at.lastIndexOf('/')))) {
      this.#known.add(at);
    }
  }

  /** The note at a vault path, written with or without its extension, or the index of the folder there. */
  byPath(path: string): number | undefined {
    const exact = this.#exact.get(path.normalize('NFC'));
    if (exact !== undefined) return exact;
    const folded = fold(path).replace(/\/{1,8}$/, '');
    const stem = folded.replace(/\.(?:md|markdown|html?)$/, '');
    return this.#paths.get(stem) ?? this.#folders.get(stem)?.note ?? this.#paths.get(folded);
  }

  /** The note whose folded path without extension is just this. */
  byStem(stem: string): number | undefined {
    return this.#paths.get(stem);
  }

  byBase(base: string): readonly number[] {
    return this.#bases.get(base) ?? [];
  }

  /** Notes whose folded path without extension ends with the whole segments of `path`. */
  bySuffix(path: string): number[] {
    const near = path.includes('/') ? (this.#tails.get(tail(path)) ?? []) : this.byBase(path);
    return near.filter((note) => endsWithPath(this.stems[note] ?? '', path));
  }

  byName(name: string): number | undefined {
    return this.#names.get(fold(name));
  }

  byRedirect(path: string): number | undefined {
    return this.#redirects.get(trimSlashes(fold(path)));
  }

  byKey(key: string): number | undefined {
    return this.#keys.get(key);
  }

  /** Whether notes lie in or below the folder. */
  hasFolder(path: string): boolean {
    return this.#known.has(trimSlashes(fold(path)));
  }

  /** Folders under which the absolute path leads to a note: all that `path` could mean. */
  rootsOf(path: string): string[] {
    const stem = trimSlashes(fold(path)).replace(/\.(?:md|markdown|html?)$/, '');
    if (stem === '') return [];
    const roots = this.bySuffix(stem).map((note) => (this.stems[note] ?? '').slice(0, -stem.length));
    for (const folder of this.#indexed.get(lastSegment(stem)) ?? []) {
      if (endsWithPath(folder, stem)) roots.push(folder.slice(0, -stem.length));
    }
    return [...new Set(roots)];
  }
}

function endsWithPath(path: string, suffix: string): boolean {
  return path.endsWith(suffix) && (path.length === suffix.length || path.at(-suffix.length - 1) === '/');
}

function setFirst(map: Map<string, number>, key: string, note: number): void {
  if (!map.has(key)) map.set(key, note);
}

function append<T>(map: Map<string, T[]>, key: string, value: T): void {
  const same = map.get(key);
  if (same) same.push(value);
  else map.set(key, [value]);
}

function lastSegment(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function tail(path: string): string {
  const slash = path.lastIndexOf('/');
  return path.slice(path.lastIndexOf('/', slash - 1) + 1);
}

export function trimSlashes(path: string): string {
  let start = 0;
  let end = path.length;
  while (path[start] === '/') start++;
  while (end > start && path[end - 1] === '/') end--;
  return path.slice(start, end);
}
