import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import yazl from 'yazl';
import { afterAll, describe, expect, test } from 'vitest';
import { BrainError } from '../domain/error.ts';
import { readZip, zipFile, type ZipOptions } from '../vault/read-zip.ts';
import { zipOf } from '../vault/write-zip.ts';
import { readZipOn, vaultWorkers, writeVaultOn } from './vault-workers.ts';
import { zipOfExport } from './vault-writer.ts';

const OPTIONS: ZipOptions = { categories: 'none', maxNoteBytes: 10_000, root: '' };
const NOTES = 250; // in more pieces than one

const root = mkdtempSync(join(tmpdir(), 'brain2-workers-'));
const path = join(root, 'vault.zip');
const files = Array.from({ length: NOTES }, (_, at) => ({
  path: `note ${String(at).padStart(3, '0')}.md`,
  text: `---\ntags: [x]\n---\nAfter [[note ${String(at - 1).padStart(3, '0')}]] #y`,
}));
const zipped = zipOf([{ path: 'binary.md', text: 'a\0b' }, ...files]);
writeFileSync(path, Buffer.concat(await Array.fromAsync(zipped)));
const workers = vaultWorkers({ threads: 1 });
afterAll(async () => {
  await workers.close();
  rmSync(root, { recursive: true });
});

describe('a worker that reads a zip', () => {
  test('gives what is read without it, with its problems', async () => {
    const read = await readZipOn(workers, path, OPTIONS);
    expect(read).toEqual(await readZip(await zipFile(path), OPTIONS));
    expect(read.notes).toHaveLength(NOTES);
    expect(read.problems).toMatchObject([{ path: 'binary.md', code: 'binary' }, { code: 'broken_link' }]);
  });

  test('lists what has the path of another, and of one name takes the last', async () => {
    const twice = join(root, 'twice.zip');
    const names = ['caf\u00e9.md', 'cafe\u0301.md', 'v/b.md', 'b.md', 'same.md', 'same.md'];
    const zip = zipOf(names.map((path, at) => ({ path, text: String(at) })));
    writeFileSync(twice, Buffer.concat(await Array.fromAsync(zip)));
    const { notes, problems } = await readZipOn(workers, twice, { ...OPTIONS, root: 'v' });
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

  test('gives no text that is not what was packed', async () => {
    const zip = new yazl.ZipFile();
    for (const [path, compress] of [
      ['stored.md', false],
      ['packed.md', true],
    ] as const)
      zip.addBuffer(Buffer.from(`${path}: tea is hot, and then `.repeat(20)), path, { compress });
    zip.addBuffer(Buffer.from('whole'), 'whole.md');
    zip.end();
    const bytes = Buffer.concat(await Array.fromAsync(zip.outputStream as AsyncIterable<Buffer>));
    bytes.write('tea is old', bytes.indexOf('tea is hot'));
    const packed = bytes.indexOf('packed.md') + 'packed.md'.length;
    bytes.writeUInt8(bytes.readUInt8(packed + 20) ^ 1, packed + 20);
    const damaged = join(root, 'damaged.zip');
    writeFileSync(damaged, bytes);
    const { notes, problems } = await readZipOn(workers, damaged, OPTIONS);
    expect(notes.map(({ path }) => path)).toEqual(['whole.md']);
    expect(problems).toMatchObject([
      { path: 'packed.md', code: 'unreadable' },
      { path: 'stored.md', code: 'unreadable', message: 'damaged in the zip: its checksum is wrong' },
    ]);
  });

  test('refuses by the same codes', async () => {
    const none = join(root, 'none.zip');
    writeFileSync(none, 'this is no zip at all, however long it may be');
    const codeOf = (read: Promise<unknown>) => read.catch((error: { code: string }) => error.code);
    expect(await codeOf(readZipOn(workers, none, OPTIONS))).toBe('zip_damaged');
    expect(await codeOf(zipFile(none).then((bytes) => readZip(bytes, OPTIONS)))).toBe('zip_damaged');
  });

  test('stops when it is told to', async () => {
    const controller = new AbortController();
    const reading = readZipOn(workers, path, { ...OPTIONS, signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(reading).rejects.toThrow('enough');
  });
});

describe('a worker that writes a vault', () => {
  /** More than streams keep on their way. */
  const linesOf = async function* (count: number): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < count; at++) {
      const id = `0198a000-0000-7000-8000-${String(at).padStart(12, '0')}`;
      const node = { id, title: `Note ${at}`, content: 'Words and words. '.repeat(400), format: 'markdown' };
      const made = { createdAt: '2026-01-01T00:00:00.000Z', updatedAt: '2026-01-01T00:00:00.000Z' };
      const rest = { tags: [], aliases: [], categories: [], archived: false, source: { type: 'api' } };
      yield Buffer.from(`${JSON.stringify({ node: { ...node, ...made, ...rest } })}\n`);
    }
  };
  const never = new AbortController().signal;
  const write = writeVaultOn(workers);

  test('makes the bytes that are made without it', async () => {
    const zip = Buffer.concat(await Array.fromAsync(write(linesOf(NOTES), never)));
    expect(zip).toEqual(Buffer.concat(await Array.fromAsync(zipOfExport(linesOf(NOTES)))));
    const own = join(root, 'own.zip');
    writeFileSync(own, zip);
    expect((await readZipOn(workers, own, OPTIONS)).notes).toHaveLength(NOTES);
  });

  test('throws what reading the lines throws, as it is', async () => {
    const failure = new BrainError('corrupt', 'a row is damaged');
    const damaged = async function* (): AsyncGenerator<Uint8Array> {
      yield* linesOf(10);
      throw failure;
    };
    await expect(Array.fromAsync(write(damaged(), never))).rejects.toBe(failure);
  });

  test('is free again when it is cancelled, when nobody reads on, and when it cannot go on', async () => {
    const controller = new AbortController();
    const endless = async function* (): AsyncGenerator<Uint8Array> {
      for (;;) {
        yield* linesOf(1);
        controller.abort(new Error('enough'));
      }
    };
    await expect(Array.fromAsync(write(endless(), controller.signal))).rejects.toThrow('enough');
    for await (const piece of write(linesOf(NOTES), never)) if (piece.length > 0) break;
    const noLines = (async function* () {
      yield Buffer.from('no JSON\n');
    })();
    await expect(Array.fromAsync(write(noLines, never))).rejects.toThrow('JSON');
    expect(await Array.fromAsync(write(linesOf(1), never))).not.toEqual([]);
  });
});
