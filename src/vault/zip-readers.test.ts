import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { readZip, zipFile, type ZipOptions } from './read-zip.ts';
import { zipOf } from './write-zip.ts';
import { readZipOn, zipReaders } from './zip-readers.ts';

const OPTIONS: ZipOptions = { categories: 'none', maxNoteBytes: 10_000, root: '' };
const NOTES = 250; // in more pieces than one

const root = mkdtempSync(join(tmpdir(), 'brain2-readers-'));
const path = join(root, 'vault.zip');
const files = Array.from({ length: NOTES }, (_, at) => ({
  path: `note ${String(at).padStart(3, '0')}.md`,
  text: `---\ntags: [x]\n---\nAfter [[note ${String(at - 1).padStart(3, '0')}]] #y`,
}));
const zipped = zipOf([{ path: 'binary.md', text: 'a\0b' }, ...files]);
writeFileSync(path, Buffer.concat(await Array.fromAsync(zipped)));
const readers = zipReaders({ threads: 1 });
afterAll(async () => {
  await readers.close();
  rmSync(root, { recursive: true });
});

describe('a worker that reads a zip', () => {
  test('gives what is read without it, with its problems', async () => {
    const read = await readZipOn(readers, path, OPTIONS);
    expect(read).toEqual(await readZip(await zipFile(path), OPTIONS));
    expect(read.notes).toHaveLength(NOTES);
    expect(read.problems).toMatchObject([{ path: 'binary.md', code: 'binary' }, { code: 'broken_link' }]);
  });

  test('lists what has the path of another, and of one name takes the last', async () => {
    const twice = join(root, 'twice.zip');
    const names = ['caf\u00e9.md', 'cafe\u0301.md', 'v/b.md', 'b.md', 'same.md', 'same.md'];
    const zip = zipOf(names.map((path, at) => ({ path, text: String(at) })));
    writeFileSync(twice, Buffer.concat(await Array.fromAsync(zip)));
    const { notes, problems } = await readZipOn(readers, twice, { ...OPTIONS, root: 'v' });
    expect(notes.map(({ path, content }) => `${path} ${content}`)).toEqual([
      'b.md 2',
      'café.md 0',
      'same.md 5',
    ]);
    expect(problems).toMatchObject([
      { path: 'b.md', code: 'duplicate_id', severity: 'error' },
      { path: 'café.md', code: 'duplicate_id', severity: 'error' },
    ]);
  });

  test('refuses by the same codes', async () => {
    const none = join(root, 'none.zip');
    writeFileSync(none, 'this is no zip at all, however long it may be');
    const codeOf = (read: Promise<unknown>) => read.catch((error: { code: string }) => error.code);
    expect(await codeOf(readZipOn(readers, none, OPTIONS))).toBe('zip_damaged');
    expect(await codeOf(zipFile(none).then((bytes) => readZip(bytes, OPTIONS)))).toBe('zip_damaged');
  });

  test('stops when it is told to', async () => {
    const controller = new AbortController();
    const reading = readZipOn(readers, path, { ...OPTIONS, signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(reading).rejects.toThrow('enough');
  });
});
