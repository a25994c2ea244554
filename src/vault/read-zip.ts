import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { crc32, inflateRawSync } from 'node:zlib';
import yauzl from 'yauzl';
import { Turns } from '../shared/turns.ts';
import { assembleVault, type Assembled } from './assemble.ts';
import { BlockReader, type ZipBytes } from './block-reader.ts';
import { drawing, parseMarkdown, type ParsedNote } from './parse-note.ts';
import { decodeText, tooLarge } from './read-file.ts';
import type { CategorySource, VaultOptions, VaultProblem } from './types.ts';
import { isPassedOver } from './walk.ts';

/** The bytes of a zip that is a file. */
export async function zipFile(path: string): Promise<ZipBytes> {
  const { size } = await stat(path);
  return { size, read: ({ start, end }) => createReadStream(path, { start, end: end - 1 }) };
}

const ZIP_LIMITS = {
  /** Files and folders. */
  entries: 100_000,
  /** Bytes of all notes together, unpacked. */
  notesBytes: 1024 * 1024 * 1024,
  /** Bytes unpacked for one packed, of a file above `ratioFromBytes`; text has 3 to 10, and a bomb 1,000. */
  ratio: 200,
  ratioFromBytes: 1024 * 1024,
} as const;

/** Why a zip is refused as a whole. */
export type ZipErrorCode =
  | 'zip_damaged'
  | 'zip_encrypted'
  | 'zip_absolute_path'
  | 'zip_slip'
  | 'zip_symlink'
  | 'zip_too_many_entries'
  | 'zip_too_large'
  | 'zip_ratio'
  | 'zip_overlap';

export class ZipError extends Error {
  override readonly name = 'ZipError';
  readonly code: ZipErrorCode;

  constructor(code: ZipErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export interface ZipOptions {
  readonly categories: CategorySource;
  /** A note of more bytes than this is a `too_large` error and is not unpacked. */
  readonly maxNoteBytes: number;
  /** A folder that the paths of the zip may begin with, and those of the vault do not. */
  readonly root: string;
  readonly signal?: AbortSignal | undefined;
}

export interface ReadZip extends Assembled {
  /** Notes that were found, also those that could not be read. */
  readonly files: number;
}

interface ZippedNote {
  /** Relative to the vault, with `/`, in NFC. */
  readonly path: string;
  /** The same in the zip, where it may have a root before it. */
  readonly name: string;
  readonly entry: yauzl.Entry;
}

interface OpenZip {
  readonly zip: yauzl.ZipFile;
  readonly blocks: BlockReader;
  /** By the order of their paths. */
  readonly notes: readonly ZippedNote[];
}

const STORED = 0;
const UNIX = 3;
const FILE_TYPE = 0o170000;
const SYMLINK = 0o120000;
const NOTE = /\.(?:md|markdown)$/i;

/**
 * Reads a vault out of a zip as `readVault` reads one out of a folder. Throws `ZipError` for a zip that is refused as a
 * whole.
 */
export async function readZip(
  bytes: ZipBytes,
  options: ZipOptions & Pick<VaultOptions, 'onProgress'>,
): Promise<ReadZip> {
  const opened = await openZip(bytes, options.root);
  const { zip, notes } = opened;
  const problems: VaultProblem[] = [];
  const parsed: ParsedNote[] = [];
  try {
    for (const [done, { path, entry }] of notes.entries()) {
      options.onProgress?.(done + 1, notes.length);
      options.signal?.throwIfAborted();
      const text = await textOf(opened, entry, options.maxNoteBytes);
      if (text.kind === 'problem') {
        problems.push({ path, code: text.code, message: text.message, severity: 'error' });
        continue;
      }
      const updatedMs = entry.getLastModDate().getTime();
      const note = parseMarkdown(
        { path, text: text.text, createdMs: updatedMs, updatedMs },
        options.categories,
      );
      if (note) parsed.push(note);
      else problems.push(drawing(path));
    }
  } finally {
    zip.close();
  }
  const assembled = assembleVault(parsed);
  const names = new Map(notes.map(({ path, name }) => [path, name]));
  return {
    ...assembled,
    files: notes.length,
    // What an export wrote has the path that it had there, whatever the vault is called now.
    notes: assembled.notes.map((note) => {
      const name = note.key === note.path ? undefined : names.get(note.path ?? '');
      return name === undefined ? note : { ...note, path: name };
    }),
    problems: [...problems, ...assembled.problems],
  };
}

/** The files of a zip that an import would read, each with its text; for taking one apart. Throws `ZipError`. */
export async function* textsOfZip(
  bytes: ZipBytes,
  maxBytes: number,
): AsyncGenerator<{ path: string; text: string }> {
  const opened = await openZip(bytes, '');
  const { zip, notes } = opened;
  try {
    for (const { path, entry } of notes) {
      const text = await textOf(opened, entry, maxBytes);
      if (text.kind === 'text') yield { path, text: text.text };
      else throw new ZipError('zip_damaged', `${path}: ${text.message}`);
    }
  } finally {
    zip.close();
  }
}

/** How many notes a zip has; looks at all that can be known without unpacking it. Throws `ZipError`. */
export async function countZip(bytes: ZipBytes, root: string): Promise<number> {
  const { zip, notes } = await openZip(bytes, root);
  zip.close();
  return notes.length;
}

async function openZip(bytes: ZipBytes, root: string): Promise<OpenZip> {
  const blocks = new BlockReader(bytes);
  const zip = await whole(() =>
    // Names are looked at below, by name of what is wrong with them.
    yauzl.fromRandomAccessReaderPromise(blocks, bytes.size, {
      autoClose: false,
      decodeStrings: false,
    }),
  );
  try {
    if (zip.entryCount > ZIP_LIMITS.entries)
      throw new ZipError(
        'zip_too_many_entries',
        `${zip.entryCount} entries; at most ${ZIP_LIMITS.entries} are taken`,
      );
    const found = new Map<string, ZippedNote>();
    let packed = 0;
    let unpacked = 0;
    const entries = zip.eachEntry();
    const turns = new Turns();
    for (;;) {
      if (turns.isOver) await turns.next();
      const next = await whole(() => entries.next());
      if (next.done) break;
      const entry = next.value;
      const name = checkedName(entry);
      packed += entry.compressedSize;
      if (packed > bytes.size) throw new ZipError('zip_overlap', 'its entries lie over each other');
      const path = inVault(name, root);
      if (name.endsWith('/') || !NOTE.test(path) || isPassedOver(path)) continue;
      unpacked += entry.uncompressedSize;
      if (unpacked > ZIP_LIMITS.notesBytes)
        throw new ZipError(
          'zip_too_large',
          `its notes take more than ${ZIP_LIMITS.notesBytes} bytes unpacked`,
        );
      found.set(name, { path, name: name.normalize('NFC'), entry }); // of one name the last, as an unpacker has it
    }
    const sortable = [...found.values()].map((note) => ({ note, key: note.path.replaceAll('/', '\0') }));
    sortable.sort((a, b) => (a.key < b.key ? -1 : Number(a.key > b.key)));
    return { zip, blocks, notes: sortable.map(({ note }) => note) };
  } catch (error) {
    zip.close();
    throw error;
  }
}

/** Throws for whatever no vault has, and a trap may. */
function checkedName(entry: yauzl.Entry): string {
  const { generalPurposeBitFlag, fileNameRaw, extraFields, uncompressedSize, compressedSize } = entry;
  const name = yauzl.getFileNameLowLevel(generalPurposeBitFlag, fileNameRaw, extraFields, true);
  const shown = JSON.stringify(name.slice(0, 200).toWellFormed());
  if (/^(?:[A-Za-z]:|[/\\])/.test(name))
    throw new ZipError('zip_absolute_path', `${shown} is an absolute path`);
  if (name.includes('\\') || name.includes('\0') || name.split('/').includes('..'))
    throw new ZipError('zip_slip', `${shown} leads out of the zip`);
  const type = (entry.externalFileAttributes >>> 16) & FILE_TYPE;
  if (entry.versionMadeBy >>> 8 === UNIX && type === SYMLINK)
    throw new ZipError('zip_symlink', `${shown} is a symbolic link`);
  if (entry.isEncrypted()) throw new ZipError('zip_encrypted', `${shown} is encrypted`);
  const isAbsurd = uncompressedSize > compressedSize * ZIP_LIMITS.ratio;
  if (uncompressedSize > ZIP_LIMITS.ratioFromBytes && isAbsurd)
    throw new ZipError('zip_ratio', `${shown} unpacks to more than ${ZIP_LIMITS.ratio} times its size`);
  return name;
}

function inVault(name: string, root: string): string {
  const path = name.normalize('NFC');
  return root !== '' && path.startsWith(`${root}/`) ? path.slice(root.length + 1) : path;
}

async function textOf({ zip, blocks }: OpenZip, entry: yauzl.Entry, maxBytes: number) {
  const unread = (code: VaultProblem['code'], message: string) => ({
    kind: 'problem' as const,
    code,
    message,
  });
  if (entry.uncompressedSize > maxBytes)
    return unread('too_large', tooLarge(entry.uncompressedSize, maxBytes));
  if (entry.compressedSize > 2 * Math.max(maxBytes, ZIP_LIMITS.ratioFromBytes))
    return unread('unreadable', 'damaged in the zip: it is packed into more than it has');
  if (!entry.canDecodeFileData()) return unread('unreadable', 'packed in a way that is not known here');
  try {
    const { fileDataStart } = await zip.readLocalFileHeaderPromise(entry, { minimal: true });
    const packed = await blocks.bytes(fileDataStart, fileDataStart + entry.compressedSize);
    return decodeText(unpacked(packed, entry));
  } catch (error) {
    return unread(
      'unreadable',
      `damaged in the zip: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

/** At once: a stream for each small file takes ten times as long. Throws where it is not what the entry says. */
function unpacked(packed: Buffer, { compressionMethod, uncompressedSize, crc32: sum }: yauzl.Entry): Buffer {
  const maxOutputLength = Math.max(1, uncompressedSize);
  const bytes = compressionMethod === STORED ? packed : inflateRawSync(packed, { maxOutputLength });
  if (bytes.length !== uncompressedSize || crc32(bytes) !== sum) throw new Error('its checksum is wrong');
  return bytes;
}

/** What the reader of zips throws means that this is none, or not whole. */
async function whole<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    const words = cause instanceof Error ? cause.message : String(cause);
    throw new ZipError('zip_damaged', `it cannot be read as a zip: ${words}`, { cause });
  }
}
