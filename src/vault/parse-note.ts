import {
  categoryOf,
  findField,
  formatDate,
  oneLine,
  readAliases,
  readCategory,
  readCreated,
  readRedirects,
  readTags,
  readText,
  readUpdated,
  unique,
} from './fields.ts';
import { splitFrontmatter } from './frontmatter.ts';
import { readWiki, visibleText } from './link-syntax.ts';
import type { RawLink } from './link-syntax.ts';
import { scanMarkdown } from './scan.ts';
import type { Frontmatter, FrontmatterValue } from './simple-yaml.ts';
import type { CategorySource, VaultNote, VaultProblem } from './types.ts';

/** A note whose links are known as written, and not yet where they lead. */
export interface ParsedNote {
  /** Title, where the note has one of its own, is `ownTitle`; a vault chooses between the other two. */
  readonly note: Omit<VaultNote, 'links' | 'title'>;
  readonly ownTitle?: string;
  readonly heading?: string;
  readonly fileTitle: string;
  /** Site paths that lead to the note too. */
  readonly redirects: readonly string[];
  readonly links: readonly RawLink[];
  /** Keys of notes that an export put down as linked. */
  readonly linkedKeys: readonly string[];
  /** Lines before the content, for problems in it. */
  readonly contentLine: number;
  readonly problems: readonly VaultProblem[];
}

export interface MarkdownFile {
  /** Relative to the vault, with `/`. */
  readonly path: string;
  readonly text: string;
  readonly createdMs?: number;
  readonly updatedMs?: number;
}

const INDEX = /^(?:index|_index|readme)$/i;

/** How what `parseMarkdown` gives nothing for is told of. */
export function drawing(path: string): VaultProblem {
  return { path, code: 'drawing', message: 'an Excalidraw drawing, not a note', severity: 'warning' };
}

/** Reads one Markdown file. `undefined` for a drawing of Excalidraw, which is a picture kept in Markdown. */
export function parseMarkdown(file: MarkdownFile, categories: CategorySource): ParsedNote | undefined {
  const text = normaliseText(file.text);
  const split = splitFrontmatter(text);
  const path = file.path.normalize('NFC');
  const fields = split.fields.size === 0 ? readProperties(split.body) : split.fields;
  if (fields.has('excalidraw-plugin')) return undefined;
  const scan = scanMarkdown(split.body);
  const created = readCreated(fields) ?? fileTime(file.createdMs);
  const updated = readUpdated(fields) ?? fileTime(file.updatedMs);
  const folders = path.split('/').slice(0, -1);
  const category = categories === 'folders' ? categoryOf(folders) : undefined;
  const named = categories === 'frontmatter' ? readCategory(fields) : category;
  const ownTitle = readText(findField(fields, 'title'));
  const heading = openingHeading(split.body);
  return {
    note: {
      key: readKeys(fields.get('brain2_key'))[0] ?? path,
      path,
      content: split.body,
      aliases: unique(readAliases(fields)),
      tags: unique([...readTags(fields), ...scan.tags]),
      ...(created !== undefined && { createdAt: created }),
      ...(updated !== undefined && { updatedAt: updated }),
      ...(named && { category: named }),
    },
    ...(ownTitle !== undefined && { ownTitle }),
    ...(heading !== undefined && { heading }),
    fileTitle: titleOfPath(path),
    redirects: readRedirects(fields),
    links: [...scan.links, ...frontmatterLinks(split.source)],
    linkedKeys: readKeys(fields.get('brain2_links')),
    contentLine: split.bodyLine,
    problems: split.problem ? [brokenFrontmatter(file.path, split.problem)] : [],
  };
}

/** LF line ends and no byte order mark. */
export function normaliseText(text: string): string {
  const start = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  return start.includes('\r') ? start.replace(/\r\n?/g, '\n') : start;
}

function brokenFrontmatter(path: string, problem: { line: number; message: string }): VaultProblem {
  const message = `frontmatter not understood, kept as text: ${problem.message}`;
  return { path, line: problem.line, code: 'broken_frontmatter', message, severity: 'warning' };
}

function fileTime(ms: number | undefined): string | undefined {
  return ms === undefined || ms <= 0 ? undefined : formatDate(Math.floor(ms));
}

/** Keys that an export wrote down, to the letter. */
function readKeys(value: FrontmatterValue | undefined): readonly string[] {
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  return values.filter((key) => typeof key === 'string' && key !== '') as string[];
}

/** The name of a file as a title; of an index, the name of its folder. */
function titleOfPath(path: string): string {
  const parts = path.split('/');
  const base = stripNoteExtension(parts.at(-1) ?? path);
  const name = INDEX.test(base) ? (parts.at(-2) ?? base) : base;
  // Logseq writes the page a/b as a___b.md or a%2Fb.md
  return oneLine(name.replaceAll('___', '/').replaceAll(/%2F/gi, '/')) || path;
}

export function stripNoteExtension(path: string): string {
  return path.replace(/\.(?:md|markdown)$/i, '');
}

/** `key:: value` lines that open a page of Logseq, where no frontmatter does. */
function readProperties(body: string): Frontmatter {
  const fields = new Map<string, string>();
  for (const line of body.slice(0, 2000).split('\n', 20)) {
    const match = /^([A-Za-z][\w-]{0,40})::[ \t]*(.*)$/.exec(line);
    if (!match) break;
    const value = (match[2] ?? '').replace(/#?\[\[([^[\]]*)\]\]/g, '$1');
    fields.set(
      (match[1] ?? '').toLowerCase(),
      match[1] === 'tags' ? value.replace(/\s+(?=#)/g, ', ') : value,
    );
  }
  return fields;
}

/** The text of a heading that opens the note, of `#` or underlined with `===`. */
function openingHeading(body: string): string | undefined {
  const start = body.search(/\S/);
  if (start === -1) return undefined;
  const [line = '', next = ''] = body.slice(start, start + 1000).split('\n', 2);
  const underlined = /^=+[ \t]*$/.test(next) ? line : undefined;
  const heading = /^#[ \t]+(.*)$/.exec(line)?.[1]?.replace(/[ \t]+#+[ \t]*$/, '') ?? underlined;
  if (heading === undefined) return undefined;
  const words = heading.replace(/!?\[\[(?:[^[\]|]*\|)?([^[\]]*)\]\]/g, '$1');
  return visibleText(words) || undefined;
}

/** `[[wikilinks]]` in the fields, quoted or not. */
function frontmatterLinks(source: string): RawLink[] {
  const links: RawLink[] = [];
  for (let at = source.indexOf('[['); at !== -1; at = source.indexOf('[[', at + 1)) {
    const wiki = readWiki(source, at, source.length);
    if (wiki) links.push({ kind: 'wiki', target: wiki.value, text: '', offset: -1, tentative: true });
  }
  return links;
}
