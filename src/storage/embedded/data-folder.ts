import { randomBytes } from 'node:crypto';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { BrainError } from '../../domain/error.ts';
import type { OwnerId } from '../../domain/values.ts';

/** Who holds a data folder. */
export interface Holder {
  readonly pid: number;
  /** Where it serves; absent for a command that works on the store itself. */
  readonly url?: string | undefined;
  readonly since: string;
}

/** The folder of one Brain2: the database, the indexes, a key, and the lock of the one process that may write. */
export interface DataFolder {
  readonly path: string;
  /** Whether this call made it. */
  readonly isNew: boolean;
  readonly databasePath: string;
  /** See `Ballast`. */
  readonly ballastPath: string;
  /** 32 bytes that stay the same between starts. */
  readonly key: Uint8Array;
  /** 32 bytes of this opening of the folder; see `operatorKeyOf`. */
  readonly operatorKey: Uint8Array;
  /** Tells others where this process serves. */
  announce(url: string): void;
  loadIndex(owner: OwnerId): Promise<Uint8Array | undefined>;
  /** The parts one after the other, whole or not at all. */
  saveIndex(owner: OwnerId, parts: readonly Uint8Array[]): Promise<void>;
  release(): void;
}

/** Copies of the link indexes: losing them loses nothing. */
export const INDEX_FOLDER = 'index';
const DATABASE_FILE = 'brain2.sqlite';
const HOLDER_FILE = 'holder.json';
const OPERATOR_FILE = 'operator.key';
const KEY_BYTES = 32;
const OWNER_ONLY = 0o700;

/**
 * Opens the folder, making it if need be, and takes its lock. The lock is the operating system's, on a file of its
 * own, so it is free the moment its process is gone, however that came about.
 * Throws `locked` (naming the holder), `read_only` or `unavailable`.
 */
export function openDataFolder(path: string): DataFolder {
  const isNew = prepare(path);
  const lock = takeLock(path);
  const holderPath = join(path, HOLDER_FILE);
  const tell = (url?: string) => {
    const holder: Holder = {
      pid: process.pid,
      since: new Date().toISOString(),
      ...(url !== undefined && { url }),
    };
    replaceFile(holderPath, JSON.stringify(holder));
  };
  const operatorKey = randomBytes(KEY_BYTES);
  try {
    replaceFile(join(path, OPERATOR_FILE), operatorKey);
    tell();
    return {
      path,
      isNew,
      databasePath: join(path, DATABASE_FILE),
      ballastPath: join(path, 'ballast'),
      key: readKey(join(path, 'cursor.key')),
      operatorKey,
      announce: tell,
      async loadIndex(owner) {
        try {
          const bytes = await readFile(indexPath(path, owner));
          // Its memory is handed on whole, so it may not be a part of what others use.
          return bytes.buffer.byteLength === bytes.byteLength ? bytes : new Uint8Array(bytes);
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
          throw error;
        }
      },
      async saveIndex(owner, parts) {
        await mkdir(join(path, INDEX_FOLDER), { recursive: true, mode: OWNER_ONLY });
        const temporary = `${indexPath(path, owner)}.new`;
        try {
          await writeFile(temporary, parts, { mode: 0o600 });
          await rename(temporary, indexPath(path, owner));
        } catch (error) {
          await rm(temporary, { force: true }); // what a full disk took of it others need
          throw error;
        }
      },
      release() {
        rmSync(holderPath, { force: true });
        rmSync(join(path, OPERATOR_FILE), { force: true });
        lock.close();
      },
    };
  } catch (error) {
    lock.close();
    throw ofFile(error, path);
  }
}

/** Whether anything was ever stored in the folder. Makes nothing. */
export function hasDatabase(path: string): boolean {
  return existsSync(join(path, DATABASE_FILE));
}

/** Who holds the folder, or undefined if nobody does. Takes nothing. */
export function holderOf(path: string): Holder | undefined {
  if (!existsSync(join(path, 'lock'))) return undefined;
  try {
    takeLock(path).close();
    return undefined;
  } catch (error) {
    if (error instanceof BrainError && error.code === 'locked') return error.details['holder'] as Holder;
    throw error;
  }
}

/**
 * The key of whoever holds the folder: it lies there, for its owner's eyes only, while the folder is held, and is
 * another one each time. Undefined where nobody holds it, or the file is not ours to read.
 */
export function operatorKeyOf(path: string): Uint8Array | undefined {
  try {
    return readFileSync(join(path, OPERATOR_FILE));
  } catch {
    return undefined;
  }
}

function prepare(path: string): boolean {
  const isNew = !hasDatabase(path);
  try {
    mkdirSync(path, { recursive: true, mode: OWNER_ONLY });
    accessSync(path, constants.W_OK);
  } catch (error) {
    throw ofFile(error, path);
  }
  return isNew;
}

function takeLock(path: string): DatabaseSync {
  let lock: DatabaseSync | undefined;
  try {
    lock = new DatabaseSync(join(path, 'lock'), { timeout: 0 });
    // Held for the life of the connection: nothing is ever written, so there is no journal to leave behind.
    lock.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
    return lock;
  } catch (error) {
    lock?.close();
    const busy = (error as { errcode?: number }).errcode === 5;
    if (!busy) throw ofFile(error, path);
    const holder = readHolder(path);
    const where = holder?.url === undefined ? '' : ` and serves at ${holder.url}`;
    throw new BrainError(
      'locked',
      `${path} is in use: process ${holder?.pid ?? 'unknown'} holds it${where}. Stop it, or use another --data folder.`,
      { cause: error, operation: 'store.open', details: { holder: holder ?? { pid: 0, since: '' } } },
    );
  }
}

function readHolder(path: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(join(path, HOLDER_FILE), 'utf8')) as Holder;
  } catch {
    return undefined; // between taking the lock and telling who did
  }
}

function readKey(path: string): Uint8Array {
  if (!existsSync(path)) replaceFile(path, randomBytes(KEY_BYTES));
  return readFileSync(path);
}

/** Whole or not at all: a crash leaves the old file. */
function replaceFile(path: string, data: string | Uint8Array): void {
  const temporary = `${path}.new`;
  writeFileSync(temporary, data, { mode: 0o600 });
  renameSync(temporary, path);
}

function indexPath(path: string, owner: OwnerId): string {
  return join(path, INDEX_FOLDER, `${encodeURIComponent(owner)}.idx`);
}

function ofFile(error: unknown, path: string): BrainError {
  if (error instanceof BrainError) return error;
  const { code, errcode, message } = error as NodeJS.ErrnoException & { errcode?: number };
  const denied = code === 'EACCES' || code === 'EROFS' || code === 'EPERM' || errcode === 8 || errcode === 14;
  const options = { cause: error, operation: 'store.open' };
  if (denied) {
    return new BrainError(
      'read_only',
      `the data folder ${path} cannot be written (${message}); make it writable, or use another --data folder`,
      options,
    );
  }
  if (code === 'ENOSPC') return new BrainError('storage_full', `the disk of ${path} is full`, options);
  return new BrainError('unavailable', `the data folder ${path} cannot be opened: ${message}`, options);
}
