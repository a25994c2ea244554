import type { Edge, Node } from '../api/v2.ts';
import { assembleVault } from '../vault/assemble.ts';
import { parseMarkdown } from '../vault/parse-note.ts';
import { writeMarkdown } from '../vault/write-markdown.ts';
import { keyOf, markedKey } from './graph-key.ts';

const NAME_BYTES = 120; // of at most 255 that a file system takes, with room for a number and `.md`
const MARKDOWN_FILE = /\.(?:md|markdown)$/i;
// eslint-disable-next-line no-control-regex
const UNSAFE = /[\u0000-\u001f\u007f<>:"|?*\\/]/g;
const RESERVED = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i; // of Windows

/**
 * A file for each note by its id: where it came from as Markdown, so that links between files still lead somewhere,
 * else its title. Safe on every system, and unique also where names differ by case alone.
 */
export function exportPaths(notes: readonly Node[]): ReadonlyMap<string, string> {
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

/** The links by hand, as keys of their targets, that the text of a written file would not give back by itself. */
export function linkedKeysOf(
  notes: readonly Node[],
  edges: readonly Edge[],
  paths: ReadonlyMap<string, string>,
): ReadonlyMap<string, readonly string[]> {
  const keys = new Map(notes.map((note) => [note.id, markedKey(keyOf(note))]));
  const carried = carriedLinks(notes, paths);
  const missing = new Map<string, string[]>();
  for (const { sourceId, targetId, origin, status } of edges) {
    const [from, to] = [keys.get(sourceId), keys.get(targetId)];
    if (from === undefined || to === undefined || origin === 'auto' || status === 'rejected') continue;
    if (carried.get(from)?.has(to) || carried.get(to)?.has(from)) continue;
    missing.set(sourceId, [...(missing.get(sourceId) ?? []), to]);
  }
  return missing;
}

/** The links that reading the written files gives, by key. */
function carriedLinks(
  notes: readonly Node[],
  paths: ReadonlyMap<string, string>,
): ReadonlyMap<string, ReadonlySet<string>> {
  const parsed = notes.flatMap((note) => {
    const { label: title, content, tags, aliases } = note;
    const text = writeMarkdown({ key: markedKey(keyOf(note)), title, content, tags, aliases });
    return parseMarkdown({ path: paths.get(note.id) ?? note.id, text }, 'none') ?? [];
  });
  const vault = assembleVault(parsed);
  return new Map(vault.notes.map((note) => [note.key, new Set(note.links.map(({ target }) => target))]));
}

/** The path made safe part by part; folders that an import passes over get another name. */
function safePath(path: string): string {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.' && part !== '..');
  const file = parts.pop() ?? 'note.md';
  const folders = parts.map((part) => {
    const name = safeName(part);
    return name === 'node_modules' || MARKDOWN_FILE.test(name) ? `${name}_` : name;
  });
  return [...folders, `${safeName(file.replace(MARKDOWN_FILE, ''))}.md`].join('/');
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
  let path = wanted;
  for (let number = 2; taken.has(path.toLowerCase()); number++) path = `${stem} ${number}.md`;
  taken.add(path.toLowerCase());
  return path;
}
