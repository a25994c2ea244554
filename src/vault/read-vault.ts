import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { setImmediate } from 'node:timers/promises';

import { mapConcurrent } from '../shared/map-concurrent.ts';
import { assembleVault } from './assemble.ts';
import type { Assembled } from './assemble.ts';
import { pathWithin, zipName } from './collection.ts';
import { drawing, parseMarkdown } from './parse-note.ts';
import type { ParsedNote } from './parse-note.ts';
import { decodeText, readTextFile, readTextFileSync, reasonOf, tooLarge } from './read-file.ts';
import type { FileText } from './read-file.ts';
import { readZip, zipFile, ZipError } from './read-zip.ts';
import { LineSplitter, RecordCollector } from './records.ts';
import { VaultError } from './types.ts';
import type { Vault, VaultOptions, VaultProblem } from './types.ts';
import { findNotes } from './walk.ts';
import type { FoundFile } from './walk.ts';

const READS_AT_ONCE = 32;
const SLICE_MS = 8;
const SLOW_FILE_MS = 2; // a local disk takes 0.02 ms for a small file
const FILE_TIMEOUT_MS = 30_000; // a network disk that has fallen asleep answers before
const SLOW_START_MS = 50; // the first reads of a process are slow everywhere
const MAX_JSON_BYTES = 256 * 1024 * 1024; // a JSON array is read whole; lines have no such limit
const JSON_OVERHEAD = 6; // a character of a note takes at most so many bytes in JSON: \u00e9
const RECORD_FIELDS_BYTES = 64 * 1024; // for all of a line that is not text

/**
 * Reads a folder of Markdown, a zip of one, one Markdown file, a file of records by line (`.ndjson`, `.jsonl`) or an array
 * of them (`.json`), and resolves the links between the notes. What is wrong with one note is a problem in the result, with
 * everything else in place; throws `VaultError` where the whole cannot be read, and the signal's reason on abort.
 */
export async function readVault(path: string, options: VaultOptions): Promise<Vault> {
  options.signal?.throwIfAborted();
  const kind = await kindOf(path);
  switch (kind) {
    case 'folder': {
      const found = await findNotes(path, options.signal);
      return readMarkdown(found.files, found.problems, options);
    }
    case 'markdown':
      return readMarkdown(
        [{ path: pathWithin(options.root ?? dirname(path), path), file: path }],
        [],
        options,
      );
    case 'zip':
      return readZipped(path, options);
    case 'lines':
      return readLines(path, options);
    case 'array':
      return readArray(path, options);
  }
}

async function kindOf(path: string): Promise<'folder' | 'zip' | 'markdown' | 'lines' | 'array'> {
  try {
    const stats = await stat(path);
    if (stats.isDirectory()) return 'folder';
    if (!stats.isFile()) throw new VaultError('unsupported', `${path} is neither a folder nor a file`);
  } catch (error) {
    if (error instanceof VaultError) throw error;
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw new VaultError('not_found', `nothing is at ${path}`, { cause: error });
    }
    throw new VaultError('unreadable', `${path}: ${reasonOf(error)}`, { cause: error });
  }
  if (/\.(?:md|markdown)$/i.test(path)) return 'markdown';
  if (/\.(?:ndjson|jsonl)$/i.test(path)) return 'lines';
  if (/\.json$/i.test(path)) return 'array';
  if (/\.zip$/i.test(path)) return 'zip';
  throw new VaultError(
    'unsupported',
    `${path}: a folder, .zip, .md, .markdown, .ndjson, .jsonl or .json is needed`,
  );
}

async function readMarkdown(
  files: readonly FoundFile[],
  found: readonly VaultProblem[],
  options: VaultOptions,
): Promise<Vault> {
  const problems: VaultProblem[] = [...found];
  const parsed: (ParsedNote | undefined)[] = [];
  let bytes = 0;
  let done = 0;
  await readFiles(files, options, ({ path }, read, index) => {
    if (read.kind === 'problem') {
      problems.push({ path, code: read.code, message: read.message, severity: 'error' });
    } else {
      bytes += read.bytes;
      const { birthtimeMs, mtimeMs } = read.stats;
      const createdMs = birthtimeMs > 0 ? Math.min(birthtimeMs, mtimeMs) : mtimeMs;
      const note = parseMarkdown(
        { path, text: read.text, createdMs, updatedMs: mtimeMs },
        options.categories,
      );
      if (note) parsed[index] = note;
      else problems.push(drawing(path));
    }
    options.onProgress?.(++done, files.length);
  });
  const notes = parsed.filter((note) => note !== undefined);
  return finish(assembleVault(notes), problems, { files: files.length, bytes });
}

/**
 * Reads files one after the other in slices of a few milliseconds, which for small files on a local disk takes a
 * fifth of the time of asynchronous reads, and lets others have the event loop in between. Where a file takes long, as
 * on a network disk, the rest is read asynchronously, many at once.
 */
async function readFiles(
  files: readonly FoundFile[],
  options: VaultOptions,
  onRead: (file: FoundFile, read: FileText, index: number) => void,
): Promise<void> {
  let next = 0;
  let readMs = 0;
  while (next < files.length && readMs <= SLOW_START_MS + next * SLOW_FILE_MS) {
    options.signal?.throwIfAborted();
    const sliceEnd = performance.now() + SLICE_MS;
    for (let file = files[next]; file && performance.now() < sliceEnd; file = files[next]) {
      const start = performance.now();
      const read = readTextFileSync(file.file, options.maxNoteBytes);
      readMs += performance.now() - start;
      onRead(file, read, next++);
    }
    await setImmediate();
  }
  const rest = files.slice(next);
  const limits = { limit: READS_AT_ONCE, timeoutMs: FILE_TIMEOUT_MS, signal: options.signal };
  const outcomes = await mapConcurrent(rest, limits, async (file, { index, signal }) => {
    const read = await readTextFile(file.file, options.maxNoteBytes);
    if (!signal.aborted) onRead(file, read, next + index);
  });
  for (const [index, file] of rest.entries()) {
    const outcome = outcomes[index];
    if (outcome?.status !== 'rejected') continue;
    if (!(outcome.reason instanceof DOMException)) throw outcome.reason;
    const message = `the disk did not give it within ${FILE_TIMEOUT_MS / 1_000} s`;
    onRead(file, { kind: 'problem', code: 'unreadable', message }, next + index);
  }
}

/** A folder of the zip's name at its top is none of the vault: who packs `notes/` names the zip `notes.zip`. */
async function readZipped(path: string, options: VaultOptions): Promise<Vault> {
  try {
    const bytes = await zipFile(path);
    const { files, problems, ...assembled } = await readZip(bytes, { ...options, root: zipName(path) });
    return finish({ ...assembled, problems: [] }, problems, { files, bytes: bytes.size });
  } catch (error) {
    if (!(error instanceof ZipError)) throw error;
    throw new VaultError('invalid', `${path}: ${error.message} (${error.code})`, { cause: error });
  }
}

async function readLines(path: string, options: VaultOptions): Promise<Vault> {
  const name = basename(path);
  const total = (await stat(path)).size;
  const collector = new RecordCollector(name, options.maxNoteBytes);
  const maxLineBytes = options.maxNoteBytes * JSON_OVERHEAD + RECORD_FIELDS_BYTES;
  const splitter = new LineSplitter(maxLineBytes);
  let line = 0;
  let bytes = 0;
  const onLine = (content: Uint8Array | number): void => addLine(collector, content, ++line, maxLineBytes);
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 })) {
      options.signal?.throwIfAborted();
      bytes += (chunk as Buffer).length;
      splitter.push(chunk as Buffer, onLine);
      options.onProgress?.(bytes, Math.max(total, bytes));
    }
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new VaultError('unreadable', `${path}: ${reasonOf(error)}`, { cause: error });
  }
  splitter.end(onLine);
  return finishRecords(collector, bytes);
}

function addLine(
  collector: RecordCollector,
  content: Uint8Array | number,
  line: number,
  maxBytes: number,
): void {
  if (typeof content === 'number') return collector.refuse(line, 'too_large', tooLarge(content, maxBytes));
  const decoded = decodeText(content);
  if (decoded.kind === 'problem') return collector.refuse(line, decoded.code, decoded.message);
  if (decoded.text.trim() === '') return;
  let value: unknown;
  try {
    value = JSON.parse(decoded.text);
  } catch (error) {
    return collector.refuse(line, 'invalid_json', error instanceof Error ? error.message : String(error));
  }
  collector.add(value, line);
}

async function readArray(path: string, options: VaultOptions): Promise<Vault> {
  const collector = new RecordCollector(basename(path), options.maxNoteBytes);
  const read = await readTextFile(path, MAX_JSON_BYTES);
  if (read.kind === 'problem') {
    collector.refuse(1, read.code, read.message);
    return finishRecords(collector, 0);
  }
  let value: unknown;
  try {
    value = JSON.parse(read.text);
  } catch (error) {
    collector.refuse(1, 'invalid_json', error instanceof Error ? error.message : String(error));
    return finishRecords(collector, read.bytes);
  }
  if (!Array.isArray(value)) collector.refuse(1, 'invalid_json', 'an array of notes is needed');
  else value.forEach((item: unknown, index) => collector.add(item, index + 1));
  options.onProgress?.(read.bytes, read.bytes);
  return finishRecords(collector, read.bytes);
}

function finishRecords(collector: RecordCollector, bytes: number): Vault {
  const assembled = assembleVault(collector.notes);
  return finish(assembled, collector.problems, { files: 1, bytes });
}

function finish(
  assembled: Assembled,
  found: readonly VaultProblem[],
  read: { readonly files: number; readonly bytes: number },
): Vault {
  const { notes, links, brokenLinks } = assembled;
  const problems = [...found, ...assembled.problems].sort((a, b) => order(a, b));
  const errors = problems.filter((problem) => problem.severity === 'error').length;
  const warnings = problems.length - errors;
  return { notes, problems, stats: { ...read, notes: notes.length, links, brokenLinks, errors, warnings } };
}

/** Errors first, each group by path and line: the same vault is reported the same way twice. */
function order(a: VaultProblem, b: VaultProblem): number {
  if (a.severity !== b.severity) return a.severity === 'error' ? -1 : 1;
  if (a.path !== b.path) return a.path < b.path ? -1 : 1;
  return (a.line ?? 0) - (b.line ?? 0);
}
