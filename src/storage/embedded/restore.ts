import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { OwnerId } from '../../domain/values.ts';
import { headItem, type Head } from '../log.ts';
import { copyDatabase, sync } from './backup.ts';
import { checksum, openConnection, rows } from './sqlite-connection.ts';

/**
 * Makes a copy of a backup that can be served: of this version's schema, and with a new epoch for every log, for what
 * came after the backup is gone, and nobody may read on from there. Throws what `copyDatabase` throws.
 */
export async function prepareRestore(
  from: string,
  to: string,
  {
    newEpoch,
    onProgress,
  }: { readonly newEpoch: () => string; readonly onProgress: (pages: number, total: number) => void },
): Promise<void> {
  await copyDatabase(from, to, onProgress);
  const database = openConnection({ path: to });
  try {
    const heads = rows(database, "SELECT pk, j FROM item WHERE sk = 'META' AND et = 'head.1'");
    const update = database.prepare('UPDATE item SET j = ?, sum = ? WHERE pk = ? AND sk = ?');
    database.exec('BEGIN IMMEDIATE');
    for (const [pk, j] of heads.all() as unknown as [string, string][]) {
      const head = { ...(JSON.parse(j) as Head), epoch: newEpoch() };
      const item = headItem(pk as OwnerId, head);
      update.run(item.j, checksum(item.pk, item.sk, item.et, head.version, null, item.j), item.pk, item.sk);
    }
    database.exec('COMMIT');
  } finally {
    database.close();
  }
}

/**
 * Puts a prepared file in the place of a folder's database; the caller holds the folder. What was there is moved into
 * a folder of its own, whose path is given; the indexes, which are of the old log, are deleted. When it returns, the disk
 * has all of it.
 */
export function putInPlace(prepared: string, databasePath: string, stamp: string): string | undefined {
  const folder = dirname(databasePath);
  const aside = join(folder, `replaced-${stamp}`);
  const isReplaced = existsSync(databasePath);
  if (isReplaced) {
    mkdirSync(aside, { mode: 0o700 });
    // The database first: SQLite never takes up a log without its database.
    for (const suffix of ['', '-wal', '-shm']) {
      const path = databasePath + suffix;
      if (existsSync(path)) renameSync(path, join(aside, basename(path)));
    }
    sync(aside);
  }
  rmSync(join(folder, 'index'), { recursive: true, force: true });
  renameSync(prepared, databasePath);
  sync(folder);
  return isReplaced ? aside : undefined;
}
