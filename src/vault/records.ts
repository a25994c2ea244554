import { oneLine, readDate, unique } from './fields.ts';
import { normaliseText } from './parse-note.ts';
import type { ParsedNote } from './parse-note.ts';
import { tooLarge } from './read-file.ts';
import { scanMarkdown } from './scan.ts';
import type { VaultProblem, VaultProblemCode } from './types.ts';

type RecordResult =
  | { readonly kind: 'note'; readonly parsed: ParsedNote }
  | { readonly kind: 'problem'; readonly code: VaultProblemCode; readonly message: string };

/**
 * Reads one record `{id, title, text, tags?, aliases?, created?, updated?}`. Types are strict, so that a wrong file is
 * noticed; fields of other names are left alone.
 */
function parseRecord(value: unknown, maxNoteBytes: number): RecordResult {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return invalid('not an object');
  const record = value as Readonly<Record<string, unknown>>;
  const id = typeof record['id'] === 'number' ? String(record['id']) : record['id'];
  if (typeof id !== 'string' || id.trim() === '') return invalid('id: a text is needed');
  const { title, text, tags, aliases } = record;
  if (typeof title !== 'string') return invalid('title: a text is needed');
  if (typeof text !== 'string') return invalid('text: a text is needed');
  if (!isTextList(tags)) return invalid('tags: a list of texts is needed');
  if (!isTextList(aliases)) return invalid('aliases: a list of texts is needed');
  const bytes = Buffer.byteLength(text);
  if (bytes > maxNoteBytes)
    return { kind: 'problem', code: 'too_large', message: tooLarge(bytes, maxNoteBytes) };
  if ([id, title, text, ...(tags ?? []), ...(aliases ?? [])].some((each) => each.includes('\0'))) {
    return { kind: 'problem', code: 'binary', message: 'not text: a NUL character' };
  }
  const content = normaliseText(text).toWellFormed();
  const created = readTime(record['created'] ?? record['createdAt']);
  const updated = readTime(record['updated'] ?? record['updatedAt']);
  const fileTitle = oneLine(title.toWellFormed()) || oneLine(content.slice(0, 80)) || id;
  const parsed: ParsedNote = {
    note: {
      key: id.toWellFormed(),
      content,
      aliases: unique(clean(aliases)),
      tags: unique(
        clean(tags)
          .map((tag) => tag.replace(/^#+/, ''))
          .filter(Boolean),
      ),
      ...(created !== undefined && { createdAt: created }),
      ...(updated !== undefined && { updatedAt: updated }),
    },
    ownTitle: fileTitle,
    fileTitle,
    redirects: [],
    links: scanMarkdown(content).links.filter((link) => link.kind === 'wiki'),
    linkedKeys: [],
    contentLine: 0,
    problems: [],
  };
  return { kind: 'note', parsed };
}

function invalid(message: string): RecordResult {
  return { kind: 'problem', code: 'invalid_note', message };
}

function isTextList(value: unknown): value is readonly string[] | null | undefined {
  return (
    value === undefined ||
    value === null ||
    (Array.isArray(value) && value.every((item) => typeof item === 'string'))
  );
}

function clean(texts: readonly string[] | null | undefined): string[] {
  return (texts ?? []).map((text) => oneLine(text.toWellFormed())).filter(Boolean);
}

function readTime(value: unknown): string | undefined {
  return readDate(typeof value === 'number' ? String(value) : typeof value === 'string' ? value : undefined);
}

/** Collects records: the first of an id stays, each refused one is a problem with its line. */
export class RecordCollector {
  readonly notes: ParsedNote[] = [];
  readonly problems: VaultProblem[] = [];
  readonly lines = new Map<string, number>();
  readonly #path: string;
  readonly #maxNoteBytes: number;

  constructor(path: string, maxNoteBytes: number) {
    this.#path = path;
    this.#maxNoteBytes = maxNoteBytes;
  }

  /** `line` is the line of a line file, or the place in an array, both counted from 1. */
  add(value: unknown, line: number): void {
    const result = parseRecord(value, this.#maxNoteBytes);
    if (result.kind === 'problem') return this.refuse(line, result.code, result.message);
    const { key } = result.parsed.note;
    const first = this.lines.get(key);
    if (first !== undefined)
      return this.refuse(line, 'duplicate_id', `id "${key}" is that of line ${first} already`);
    this.lines.set(key, line);
    this.notes.push(result.parsed);
  }

  refuse(line: number, code: VaultProblemCode, message: string): void {
    this.problems.push({ path: this.#path, line, code, message, severity: 'error' });
  }
}

const NEWLINE = 0x0a;

/** Cuts a stream of bytes into lines. A line above `maxBytes` comes as its length alone and is not kept in memory. */
export class LineSplitter {
  readonly #maxBytes: number;
  #parts: Uint8Array[] = [];
  #length = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  push(chunk: Uint8Array, onLine: (line: Uint8Array | number) => void): void {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      this.#keep(chunk.subarray(start, end));
      this.end(onLine);
      start = end + 1;
    }
    // a copy, since the reader may use the chunk's memory again
    this.#keep(chunk.slice(start));
  }

  end(onLine: (line: Uint8Array | number) => void): void {
    const whole = this.#length > this.#maxBytes ? this.#length : Buffer.concat(this.#parts);
    this.#parts = [];
    this.#length = 0;
    onLine(whole);
  }

  #keep(part: Uint8Array): void {
    this.#length += part.length;
    if (this.#length > this.#maxBytes) this.#parts = [];
    else if (part.length > 0) this.#parts.push(part);
  }
}
