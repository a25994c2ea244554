import { assembleVault } from './assemble.ts';
import { parseMarkdown } from './parse-note.ts';
import { writeMarkdown, type WritableNote } from './write-markdown.ts';
import { keyOf, markedKey } from './graph-key.ts';
import { isPassedOver } from './walk.ts';

const NAME_BYTES = 120; // of at most 255 that a file system takes, with room for a number and `.md`
const MARKDOWN_FILE = /\.(?:md|markdown)$/i;
// eslint-disable-next-line no-control-regex
const UNSAFE = /[\u0000-\u001f\u007f<>:"|?*\\/]/g;
const RESERVED = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i; // of Windows

/** A note as it is written into a vault. */
export interface ExportableNote {
  readonly id: string;
  readonly label: string;
  readonly content: string;
  readonly tags: readonly string[];
  readonly aliases: readonly string[];
  /** Titles of its first category, from the root down. */
  readonly category: readonly string[];
  readonly source: { readonly key?: string | undefined; readonly path?: string | undefined };
  readonly createdAt: string;
  readonly updatedAt: string;
}

export interface ExportableEdge {
  readonly sourceId: string;
  readonly targetId: string;
  readonly origin: string;
  readonly status: string;
}

/** A note as the graph would keep what reading its file gives. */
export type Kept = (note: WritableNote) => WritableNote;

/**
 * Every note as a file of Markdown, by the order of their paths. What reading a file would change is written as it
 * will be read, so that an import of the files into an empty graph gives the same files again.
 */
export function vaultFiles(
  notes: readonly ExportableNote[],
  edges: readonly ExportableEdge[],
  kept: Kept,
): readonly { readonly path: string; readonly text: string }[] {
  const paths = exportPaths(notes);
  const written = notes.map((note) => {
    const path = paths.get(note.id) ?? note.id;
    return { id: note.id, path, note: asRead(writableOf(note), path, kept) };
  });
  const linkedKeys = linkedKeysOf(written, edges);
  return written
    .map(({ id, path, note }) => ({ path, text: writeMarkdown(note, linkedKeys.get(id) ?? []) }))
    .toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

function writableOf(note: ExportableNote): WritableNote {
  const { label: title, content, tags, aliases, category, createdAt, updatedAt } = note;
  const key = markedKey(keyOf(note));
  return {
    key,
    title,
    content,
    tags,
    aliases,
    createdAt,
    updatedAt,
    ...(category.length > 0 && { category }),
  };
}

function asRead(note: WritableNote, path: string, kept: Kept): WritableNote {
  const read = parseMarkdown({ path, text: writeMarkdown(note) }, 'frontmatter');
  if (!read) return note;
  return kept({ ...read.note, title: read.ownTitle ?? note.title });
}

/**
 * A file for each note by its id: where it came from as Markdown, so that links between files still lead somewhere,
 * else its title. Safe on every system, and unique also where names differ by case alone.
 */
export function exportPaths(
  notes: readonly Pick<ExportableNote, 'id' | 'label' | 'source'>[],
): ReadonlyMap<string, string> {
  const taken = new Set<string>();
  return new Map(
    notes.map((note) => {
      const { path } = note.source;
      const wanted =
        path !== undefined && MARKDOWN_FILE.test(path)
          ? safePath(path)
          : `${safeName(note.label.replaceAll(/[[\]#^]/g, ' ').trim())}.md`;
      return [note.id, free(wanted, taken)];
    }),
  );
}

interface WrittenNote {
  readonly id: string;
  readonly path: string;
  readonly note: WritableNote;
}

/** The links by hand, as keys of their targets, that the text of a file would not give back: each pair once. */
function linkedKeysOf(
  written: readonly WrittenNote[],
  edges: readonly ExportableEdge[],
): ReadonlyMap<string, readonly string[]> {
  const keys = new Map(written.map(({ id, note }) => [id, note.key]));
  const carried = carriedLinks(written);
  const missing = new Map<string, Set<string>>();
  const pairs = new Set<string>();
  const byKeys = edges.flatMap(({ sourceId, targetId, origin, status }) => {
    const [from, to] = [keys.get(sourceId), keys.get(targetId)];
    const isByHand = origin !== 'auto' && status !== 'rejected';
    return isByHand && from !== undefined && to !== undefined ? [{ id: sourceId, from, to }] : [];
  });
  for (const { id, from, to } of byKeys.toSorted(byEnds)) {
    const pair = JSON.stringify([from, to].toSorted());
    if (pairs.has(pair) || carried.get(from)?.has(to) || carried.get(to)?.has(from)) continue;
    pairs.add(pair);
    missing.set(id, (missing.get(id) ?? new Set()).add(to));
  }
  return new Map([...missing].map(([id, to]) => [id, [...to]]));
}

interface Ends {
  readonly from: string;
  readonly to: string;
}

const byEnds = (a: Ends, b: Ends): number =>
  a.from === b.from ? (a.to < b.to ? -1 : Number(a.to > b.to)) : a.from < b.from ? -1 : 1;

/** The links that reading the written files gives, by key. */
function carriedLinks(written: readonly WrittenNote[]): ReadonlyMap<string, ReadonlySet<string>> {
  const parsed = written.flatMap(
    ({ path, note }) => parseMarkdown({ path, text: writeMarkdown(note) }, 'none') ?? [],
  );
  const vault = assembleVault(parsed);
  return new Map(vault.notes.map((note) => [note.key, new Set(note.links.map(({ target }) => target))]));
}

/** The path made safe part by part; folders that an import passes over get another name. */
function safePath(path: string): string {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.' && part !== '..');
  const file = parts.pop() ?? 'note.md';
  const folders = parts.reduce((above, part) => {
    const folder = `${above}${safeName(part)}`;
    return isPassedOver(`${folder}/`) || MARKDOWN_FILE.test(folder) ? `${folder}_/` : `${folder}/`;
  }, '');
  return `${folders}${safeName(file.replace(MARKDOWN_FILE, ''))}.md`;
}

function safeName(text: string): string {
  const plain = text
    .normalize('NFC')
    .toWellFormed()
    .replace(UNSAFE, ' ')
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/^\.+/, '')
    .replace(/[. ]+$/, '');
  const name = cut(plain, NAME_BYTES).trim() || 'note';
  return RESERVED.test(name) ? `${name}_` : name;
}

function cut(text: string, bytes: number): string {
  let kept = '';
  let length = 0;
  for (const character of text) {
    length += Buffer.byteLength(character);
    if (length > bytes) break;
    kept += character;
  }
  return kept;
}

function free(wanted: string, taken: Set<string>): string {
  const stem = wanted.slice(0, -'.md'.length);
  const folder = stem.slice(0, stem.lastIndexOf('/') + 1);
  let path = wanted;
  for (let number = 2; taken.has(path.toLowerCase()); number++) {
    const end = ` ${number}`;
    path = `${folder}${cut(stem.slice(folder.length), NAME_BYTES - end.length).trim()}${end}.md`;
  }
  taken.add(path.toLowerCase());
  return path;
}
