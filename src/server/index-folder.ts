import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { OwnerId } from '../domain/values.ts';
import type { SnapshotStore } from '../services/index-snapshot.ts';

const OWNER_ONLY = { folder: 0o700, file: 0o600 } as const;

/**
 * The indexes of owners as files of a folder. Several processes may share it: each file is replaced as a whole, and
 * says which log it is of and how far it goes, so any of them serves.
 */
export function indexFolder(path: string): Pick<SnapshotStore, 'load' | 'save'> {
  const fileOf = (owner: OwnerId): string => join(path, `${encodeURIComponent(owner)}.idx`);
  return {
    async load(owner) {
      try {
        return new Uint8Array(await readFile(fileOf(owner))); // of memory of its own, which is handed on whole
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
    },
    async save(owner, parts) {
      await mkdir(path, { recursive: true, mode: OWNER_ONLY.folder });
      const temporary = `${fileOf(owner)}.${randomUUID()}`;
      try {
        await writeFile(temporary, parts, { mode: OWNER_ONLY.file });
        await rename(temporary, fileOf(owner));
      } finally {
        await rm(temporary, { force: true });
      }
    },
  };
}
