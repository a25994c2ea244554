import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { BrainError } from '../domain/error.ts';
import { uuidv7Generator } from '../shared/uuid.ts';
import { copyDatabase } from '../storage/embedded/backup.ts';
import { openDataFolder } from '../storage/embedded/data-folder.ts';
import { prepareRestore, putInPlace } from '../storage/embedded/restore.ts';
import type { OnProgress } from '../storage/verify/problem.ts';
import type { Settings } from './settings.ts';
import { verifyFile, type Verification } from './verify.ts';

interface BackupOptions {
  /** Over a file, or into a folder that is not empty. */
  readonly force: boolean;
  readonly onProgress?: OnProgress | undefined;
}

export interface Backup {
  readonly path: string;
  readonly bytes: number;
  readonly verification: Verification;
}

/**
 * Copies the database of the data folder into one file, beside whoever serves it, and checks the copy: one of a damaged
 * store is kept, and said to be so. Throws `conflict` where there is a file already, `not_found`, `storage_full`.
 */
export async function backUp(
  settings: Settings,
  to: string,
  { force, onProgress = () => {} }: BackupOptions,
): Promise<Backup> {
  refuseTable(settings);
  const path = resolve(to);
  const there = statSync(path, { throwIfNoEntry: false });
  if (there?.isDirectory() === true)
    throw new BrainError('conflict', `${path} is a folder; name the file`, { operation: 'store.backup' });
  if (there && !force)
    throw new BrainError('conflict', `${path} exists already; --force writes over it`, {
      operation: 'store.backup',
    });
  mkdirSync(dirname(path), { recursive: true });
  await copyDatabase(databaseOf(settings), path, (pages, total) => onProgress('copy', pages, total));
  const verification = await verifyFile(path, onProgress);
  return { path, bytes: statSync(path).size, verification };
}

/** What a data folder may have without there being anything of anybody's in it. */
const NOBODYS: ReadonlySet<string> = new Set([
  'lock',
  'lock-journal',
  'cursor.key',
  'holder.json',
  'operator.key',
  'ballast',
]);

export interface Restored {
  readonly dataDir: string;
  readonly verification: Verification;
  /** Where what was there before is now. */
  readonly replaced?: string | undefined;
}

/**
 * Makes the data folder what it was when the backup was made. The copy is checked before it takes the place of anything;
 * its logs begin new epochs, so that clients read everything anew. Throws `conflict` where the folder is not empty,
 * `locked` while somebody serves it, `not_found`, and `corrupt` with the problems of a damaged backup in its details.
 */
export async function restore(
  settings: Settings,
  from: string,
  { force, onProgress = () => {} }: BackupOptions,
): Promise<Restored> {
  refuseTable(settings);
  const { dataDir } = settings;
  const path = resolve(from);
  if (!existsSync(path)) throw new BrainError('not_found', `there is no backup at ${path}`);
  if (!force && existsSync(dataDir) && readdirSync(dataDir).some((name) => !NOBODYS.has(name)))
    throw new BrainError(
      'conflict',
      `the data folder ${dataDir} is not empty; with --force what is there is kept beside`,
      {
        operation: 'store.restore',
      },
    );
  const folder = openDataFolder(dataDir);
  const prepared = `${folder.databasePath}.restoring`;
  try {
    const newEpoch = uuidv7Generator(Date.now);
    await prepareRestore(path, prepared, {
      newEpoch,
      onProgress: (pages, total) => onProgress('copy', pages, total),
    });
    const verification = await verifyFile(prepared, onProgress);
    if (!verification.ok) throw damaged(path, verification);
    const stamp = new Date().toISOString().replaceAll(/[:.]/g, '-');
    const replaced = putInPlace(prepared, folder.databasePath, stamp);
    return { dataDir, verification, replaced };
  } finally {
    for (const suffix of ['', '-wal', '-shm']) rmSync(prepared + suffix, { force: true });
    folder.release();
  }
}

function databaseOf({ dataDir }: Settings): string {
  const path = join(dataDir, 'brain2.sqlite');
  if (!existsSync(path)) throw new BrainError('not_found', `there is no database in ${dataDir}`);
  return path;
}

function refuseTable({ store }: Settings): void {
  if (store !== 'dynamodb') return;
  throw new BrainError(
    'invalid',
    'a table is backed up and restored by AWS: `brain2 table create` keeps the last 35 days, to any second of which it ' +
      'can be restored. `brain2 export` writes the notes out.',
    { operation: 'store.backup' },
  );
}

function damaged(path: string, { problems, problemCount }: Verification): BrainError {
  const [first] = problems;
  return new BrainError(
    'corrupt',
    `the backup ${path} is damaged, so nothing was restored: ${problemCount} problems, the first of ${first?.key}: ${first?.message}`,
    { operation: 'store.restore', details: { problemCount, problems: problems.slice(0, 20) } },
  );
}
