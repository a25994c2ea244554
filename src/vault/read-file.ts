import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { open } from 'node:fs/promises';

import type { VaultProblemCode } from './types.ts';

export type FileText =
  | { readonly kind: 'text'; readonly text: string; readonly bytes: number; readonly stats: Stats }
  | Problem;

interface Problem {
  readonly kind: 'problem';
  readonly code: VaultProblemCode;
  readonly message: string;
}

const FLAGS = constants.O_RDONLY | constants.O_NONBLOCK; // a pipe in the place of a file must not hold us

/** Reads a file of UTF-8 up to `maxBytes`; what stands against it comes back as a problem, never as an exception. */
export async function readTextFile(path: string, maxBytes: number): Promise<FileText> {
  try {
    const file = await open(path, FLAGS);
    try {
      const stats = await file.stat();
      const refused = refuse(stats, maxBytes);
      if (refused) return refused;
      let buffer: Buffer = Buffer.allocUnsafe(stats.size + 1);
      for (let length = 0; ;) {
        length += (await file.read(buffer, length, buffer.length - length, null)).bytesRead;
        if (length < buffer.length) return decodeFile(buffer.subarray(0, length), stats);
        if (length > maxBytes) return grown(maxBytes);
        buffer = grow(buffer, maxBytes);
      }
    } finally {
      await file.close();
    }
  } catch (error) {
    return problem('unreadable', reasonOf(error));
  }
}

/** `readTextFile` without the event loop: a fifth of its time for a small file on a local disk. */
export function readTextFileSync(path: string, maxBytes: number): FileText {
  try {
    const file = openSync(path, FLAGS);
    try {
      const stats = fstatSync(file);
      const refused = refuse(stats, maxBytes);
      if (refused) return refused;
      let buffer: Buffer = Buffer.allocUnsafe(stats.size + 1);
      for (let length = 0; ;) {
        length += readSync(file, buffer, length, buffer.length - length, null);
        if (length < buffer.length) return decodeFile(buffer.subarray(0, length), stats);
        if (length > maxBytes) return grown(maxBytes);
        buffer = grow(buffer, maxBytes);
      }
    } finally {
      closeSync(file);
    }
  } catch (error) {
    return problem('unreadable', reasonOf(error));
  }
}

function refuse(stats: Stats, maxBytes: number): Problem | undefined {
  if (!stats.isFile()) return problem('unreadable', 'not a regular file');
  return stats.size > maxBytes ? problem('too_large', tooLarge(stats.size, maxBytes)) : undefined;
}

/** A buffer is one byte larger than the file, so that it is full only where the file has grown meanwhile. */
function grow(buffer: Buffer, maxBytes: number): Buffer {
  return Buffer.concat([buffer], Math.min(buffer.length * 2, maxBytes + 1));
}

function grown(maxBytes: number): Problem {
  return problem('too_large', `grew above the limit of ${maxBytes} bytes while it was read`);
}

function decodeFile(bytes: Buffer, stats: Stats): FileText {
  const decoded = decodeText(bytes);
  return decoded.kind === 'text' ? { ...decoded, bytes: bytes.length, stats } : decoded;
}

function problem(code: VaultProblemCode, message: string): Problem {
  return { kind: 'problem', code, message };
}

export function tooLarge(bytes: number, maxBytes: number): string {
  return `${bytes} bytes, above the limit of ${maxBytes}`;
}

const UTF8 = new TextDecoder('utf-8', { fatal: true });

/** UTF-8 without a byte order mark from bytes, or what they are instead. */
export function decodeText(bytes: Uint8Array): { readonly kind: 'text'; readonly text: string } | Problem {
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
