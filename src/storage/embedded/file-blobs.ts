import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { BrainError } from '../../domain/error.ts';
import type { OwnerId } from '../../domain/values.ts';
import { BLOB_KEPT_DAYS, type Blobs } from '../blobs.ts';

const OWNER_ONLY = { folder: 0o700, file: 0o600 } as const;
const DAY_MS = 86_400_000;

/** Blobs as files of a folder, for the one process that holds it. */
export function fileBlobs(folder: string): Blobs & { sweep(nowMs: number): Promise<number> } {
  const fileOf = (owner: OwnerId, id: string) =>
    join(folder, encodeURIComponent(owner), encodeURIComponent(id));
  return {
    pathOf: fileOf,

    async write(owner, id, bytes) {
      const path = fileOf(owner, id);
      const temporary = `${path}.new`;
      try {
        await mkdir(dirname(path), { recursive: true, mode: OWNER_ONLY.folder });
        const size = await writeWhole(temporary, bytes);
        await rename(temporary, path);
        await syncFolder(dirname(path));
        return size;
      } catch (error) {
        await rm(temporary, { force: true }).catch(() => {});
        throw ofFile(error);
      }
    },

    async size(owner, id) {
      try {
        return (await stat(fileOf(owner, id))).size;
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw ofFile(error);
      }
    },

    async *read(owner, id, range) {
      if (range && range.end <= range.start) return;
      const part = range && { start: range.start, end: range.end - 1 };
      try {
        yield* createReadStream(fileOf(owner, id), part) as AsyncIterable<Uint8Array>;
      } catch (error) {
        throw ofFile(error);
      }
    },

    async remove(owner, id) {
      await rm(fileOf(owner, id), { force: true });
    },

    /** Removes what is past its time. Gives how many there were. */
    async sweep(nowMs) {
      let removed = 0;
      for (const file of await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])) {
        if (!file.isFile()) continue;
        const path = join(file.parentPath, file.name);
        const { mtimeMs } = await stat(path);
        if (mtimeMs > nowMs - BLOB_KEPT_DAYS * DAY_MS) continue;
        await rm(path, { force: true });
        removed += 1;
      }
      return removed;
    },
  };
}

async function writeWhole(path: string, bytes: AsyncIterable<Uint8Array>): Promise<number> {
  const file = await open(path, 'w', OWNER_ONLY.file);
  try {
    let size = 0;
    for await (const piece of bytes) {
      await file.writeFile(piece);
      size += piece.length;
    }
    await file.sync();
    return size;
  } finally {
    await file.close();
  }
}

/** So that the name lasts as well as the bytes. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';

function ofFile(error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (BrainError.is(error) || typeof code !== 'string' || !code.startsWith('E')) return error;
  const options = { cause: error, operation: 'blob' };
  if (code === 'ENOENT') return new BrainError('not_found', 'these bytes are not kept any more', options);
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new BrainError('storage_full', 'the disk is full', options);
  if (code === 'EROFS' || code === 'EACCES')
    return new BrainError('read_only', 'the data folder cannot be written', options);
  return new BrainError('unavailable', `the data folder: ${code}`, options);
}
