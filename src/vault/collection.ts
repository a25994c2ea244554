import { basename, dirname, relative, resolve, sep } from 'node:path';
import type { VaultNote } from './types.ts';
import { unmarkedKey } from './graph-key.ts';

/** A note as it is imported. */
export interface CollectedNote {
  key: string;
  path: string;
  title: string;
  content: string;
  tags: string[];
  aliases: string[];
  createdAt?: string;
  updatedAt?: string;
  category?: string[];
  links: { target: string; text: string }[];
}

/** The notes of one source as they are sent, under keys that those of no other source have. */
export interface Collection {
  /** What the import is known by; notes under it that the source no longer has are reported. */
  readonly name: string;
  /** Each once, and then it is let go of: the texts of a whole vault would stay in memory as long as its import. */
  notes(): Iterable<CollectedNote>;
  /** The path in the source of what was sent under a key. */
  pathOf(key: string): string;
}

const MARKDOWN_FILE = /\.(?:md|markdown)$/i;
/** At most so long is what an import is known by; a name of a file may be longer. */
const NAME_LENGTH = 200;
const ZIP_FILE = /\.zip$/i;
const RECORDS_FILE = /\.(?:ndjson|jsonl|json)$/i;

/**
 * Names the notes of a source. Markdown: `<folder>/<path in it>`, so that two vaults never overwrite each other; a
 * key that an export wrote into the frontmatter stands as it is, so that it updates the note it came from. Records:
 * their own ids, under the name of the file.
 */
export function collectionOf(
  path: string,
  source: {
    readonly name: string | undefined;
    /** Taken over. */
    readonly notes: VaultNote[];
    readonly isFolder: boolean;
    /** Of one file of Markdown: the folder above it that its path is in; by default the one it lies in. */
    readonly root?: string | undefined;
  },
): Collection {
  const { name, notes, isFolder, root = dirname(resolve(path)) } = source;
  const whole = resolve(path);
  if (isFolder) return vaultCollection(name ?? folderName(whole), notes);
  if (RECORDS_FILE.test(whole)) return records(name ?? fitting(basename(whole)), notes);
  if (ZIP_FILE.test(whole)) return vaultCollection(name ?? zipName(whole), notes);
  if (!isMarkdownFile(whole)) return vaultCollection(name ?? folderName(whole), notes);
  // One file of a folder says nothing about the others there.
  const prefix = name ?? folderName(root);
  return markdown({ prefix, collection: fitting(`${prefix}/${pathWithin(root, whole)}`) }, notes);
}

export const isMarkdownFile = (path: string): boolean => MARKDOWN_FILE.test(path);

/** The path of a file in a folder above it, as it stands in keys. */
export function pathWithin(folder: string, file: string): string {
  return relative(resolve(folder), resolve(file)).replaceAll(sep, '/').normalize('NFC');
}

/** What a zip is called, without its ending. */
export const zipName = (path: string): string => folderName(resolve(path).replace(ZIP_FILE, ''));

/** The notes of a vault, by its name. */
export function vaultCollection(name: string, notes: VaultNote[]): Collection {
  return markdown({ prefix: name }, notes);
}

/** What the notes of a folder are known by. */
export function folderName(folder: string): string {
  return fitting(basename(resolve(folder)).normalize('NFC')) || 'notes';
}

function fitting(name: string): string {
  return name.slice(0, NAME_LENGTH).toWellFormed();
}

function records(name: string, notes: VaultNote[]): Collection {
  return {
    name,
    *notes() {
      for (const note of takenOut(notes))
        yield { ...fieldsOf(note), key: note.key, path: name, links: linksOf(note, (key) => key) };
    },
    pathOf: (key) => key,
  };
}

function markdown(
  { prefix, collection = prefix }: { readonly prefix: string; readonly collection?: string },
  notes: VaultNote[],
): Collection {
  const keys = new Map(notes.map((note) => [note.key, unmarkedKey(note.key) ?? `${prefix}/${note.key}`]));
  const keyOf = (key: string): string => keys.get(key) ?? unmarkedKey(key) ?? `${prefix}/${key}`;
  const paths = new Map(notes.map((note) => [keyOf(note.key), note.path ?? note.key]));
  return {
    name: collection,
    *notes() {
      for (const note of takenOut(notes)) {
        // What comes out of a graph goes back with the path that it had there.
        const own = unmarkedKey(note.key) === undefined ? undefined : note.path;
        const path = own ?? `${prefix}/${note.path ?? note.key}`;
        yield { ...fieldsOf(note), key: keyOf(note.key), path, links: linksOf(note, keyOf) };
      }
    },
    pathOf: (key) => paths.get(key) ?? (key.startsWith(`${prefix}/`) ? key.slice(prefix.length + 1) : key),
  };
}

function* takenOut<T>(all: T[]): Generator<T> {
  const left = all.splice(0).reverse();
  for (let next = left.pop(); next !== undefined; next = left.pop()) yield next;
}

function fieldsOf(note: VaultNote) {
  const { title, content, tags, aliases, createdAt, updatedAt, category } = note;
  return {
    title,
    content,
    tags: [...tags],
    aliases: [...aliases],
    ...(createdAt !== undefined && { createdAt }),
    ...(updatedAt !== undefined && { updatedAt }),
    ...(category && { category: [...category] }),
  };
}

function linksOf(note: VaultNote, keyOf: (key: string) => string): { target: string; text: string }[] {
  return note.links.map(({ target, text }) => ({ target: keyOf(target), text }));
}
