import { close, fstat, open, read } from 'node:fs';
import type { Stats } from 'node:fs';
import { promisify } from 'node:util';

import type { VaultProblemCode } from './types.ts';

export type FileText =
  | { readonly kind: 'text'; readonly text: string; readonly bytes: number; readonly stats: Stats }
  | { readonly kind: 'problem'; readonly code: VaultProblemCode; readonly message: string };

// the functions of node:fs/promises cost three times as much for each small file
const openFile = promisify(open);
const statFile = promisify(fstat);
const closeFile = promisify(close);

/** Reads a file of UTF-8 up to `maxBytes`; what stands against it comes back as a problem, never as an exception. */
export async function readTextFile(path: string, maxBytes: number): Promise<FileText> {
  let file: number | undefined;
  try {
    file = await openFile(path, 'r');
    const stats = await statFile(file);
    if (!stats.isFile()) return problem('unreadable', 'not a regular file');
    if (stats.size > maxBytes) return problem('too_large', tooLarge(stats.size, maxBytes));
    const bytes = await readAll(file, stats.size, maxBytes);
    if (!bytes) return problem('too_large', `grew above the limit of ${maxBytes} bytes while it was read`);
    const decoded = decodeText(bytes);
    return decoded.kind === 'text' ? { ...decoded, bytes: bytes.length, stats } : decoded;
  } catch (error) {
    return problem('unreadable', reasonOf(error));
  } finally {
    if (file !== undefined) await closeFile(file).catch(() => undefined); // what was read is whole already
  }
}

function problem(
  code: VaultProblemCode,
  message: string,
): { kind: 'problem' } & Extract<FileText, { kind: 'problem' }> {
  return { kind: 'problem', code, message };
}

export function tooLarge(bytes: number, maxBytes: number): string {
  return `${bytes} bytes, above the limit of ${maxBytes}`;
}

/** Reads to the end, also of a file that grows or shrinks meanwhile; `undefined` above `maxBytes`. */
async function readAll(file: number, expected: number, maxBytes: number): Promise<Buffer | undefined> {
  let buffer = Buffer.allocUnsafe(expected + 1); // the one byte more finds the end without another call
  let length = 0;
  for (;;) {
    const got = await readSome(file, buffer, length);
    length += got;
    if (length > maxBytes) return undefined;
    if (got === 0 || length < buffer.length) return buffer.subarray(0, length);
    buffer = Buffer.concat([buffer], Math.min(buffer.length * 2, maxBytes + 1));
  }
}

function readSome(file: number, buffer: Buffer, offset: number): Promise<number> {
  return new Promise((resolve, reject) => {
    read(file, buffer, offset, buffer.length - offset, null, (error, bytesRead) => {
      if (error) reject(error);
      else resolve(bytesRead);
    });
  });
}

const UTF8 = new TextDecoder('utf-8', { fatal: true });

/** UTF-8 without a byte order mark from bytes, or what they are instead. */
export function decodeText(
  bytes: Uint8Array,
): { readonly kind: 'text'; readonly text: string } | Extract<FileText, { kind: 'problem' }> {
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) {
    return problem('invalid_utf8', 'UTF-16; save it as UTF-8');
  }
  const nul = bytes.indexOf(0);
  if (nul !== -1) return problem('binary', `not text: a NUL byte at ${nul}`);
  try {
    return { kind: 'text', text: UTF8.decode(bytes) };
  } catch {
    return problem('invalid_utf8', 'not valid UTF-8');
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ENOENT: 'vanished before it was read',
  ELOOP: 'a symbolic link that leads to itself',
  ENAMETOOLONG: 'the path is too long',
  EMFILE: 'too many open files',
  EIO: 'the disk could not read it',
};

/** Why the system refused, in words. */
export function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return REASONS[code] ?? (code || (error instanceof Error ? error.message : String(error)));
}
