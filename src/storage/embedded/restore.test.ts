import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { putInPlace } from './restore.ts';

/** What the disk was asked for, in the order of the calls. */
const asked = vi.hoisted((): string[] => []);

vi.mock(import('node:fs'), async (original) => {
  const fs = await original();
  const opened = new Map<number, string>();
  return {
    ...fs,
    openSync(path, ...more) {
      const file = fs.openSync(path, ...more);
      opened.set(file, basename(String(path)));
      return file;
    },
    renameSync(from, to) {
      fs.renameSync(from, to);
      asked.push(`rename ${basename(String(from))}`);
    },
    fsyncSync(file) {
      fs.fsyncSync(file);
      asked.push(`sync ${opened.get(file)}`);
    },
  };
});

test('what is put in place is there after a loss of power, and so is what it replaced', () => {
  const root = mkdtempSync(join(tmpdir(), 'brain2-restore-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const database = join(root, 'brain2.sqlite');
  const prepared = join(root, 'prepared');
  writeFileSync(database, 'old');
  writeFileSync(`${database}-wal`, 'log');
  writeFileSync(prepared, 'new');
  expect(putInPlace(prepared, database, 'now')).toBe(join(root, 'replaced-now'));
  expect(asked).toEqual([
    'rename brain2.sqlite',
    'rename brain2.sqlite-wal',
    'sync replaced-now',
    'rename prepared',
    `sync ${basename(root)}`,
  ]);
  expect(readFileSync(database, 'utf8')).toBe('new');
});
