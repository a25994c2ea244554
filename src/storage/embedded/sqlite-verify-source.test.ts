import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test, vi } from 'vitest';
import { OWNER } from '../../../test/support/arbitraries.ts';
import { openConnection } from './sqlite-connection.ts';
import { sqliteVerifySource } from './sqlite-verify-source.ts';

test('what fails a check is told as what it is, also where SQLite has ended the transaction over it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'brain2-verify-source-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'brain2.sqlite');
  openConnection({ path }).close();
  const exec = vi.spyOn(DatabaseSync.prototype, 'exec');
  onTestFinished(() => exec.mockRestore());
  const source = sqliteVerifySource(path, () => 0);
  const reading = source.atRest(OWNER, async () => {
    (exec.mock.contexts.at(-1) as DatabaseSync).exec('ROLLBACK');
    throw new Error('the disk failed');
  });
  await expect(reading).rejects.toThrow('the disk failed');
  await source.close();
});
