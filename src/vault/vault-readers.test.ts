import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { readVault } from './read-vault.ts';
import type { VaultOptions } from './types.ts';
import { readVaultOn, vaultReaders } from './vault-readers.ts';

const OPTIONS: VaultOptions = { categories: 'none', maxNoteBytes: 10_000 };
const NOTES = 250; // in more pieces than one

const root = mkdtempSync(join(tmpdir(), 'brain2-readers-'));
for (let at = 0; at < NOTES; at++) {
  writeFileSync(join(root, `note ${at}.md`), `---\ntags: [x]\n---\nAfter [[note ${at - 1}]] #y`);
}
writeFileSync(join(root, 'binary.md'), 'a\0b');
const readers = vaultReaders({ threads: 1 });
afterAll(async () => {
  await readers.close();
  rmSync(root, { recursive: true });
});

describe('a worker that reads a vault', () => {
  test('gives the vault that is read without it, with its problems, and tells how far it is', async () => {
    const told: (readonly number[])[] = [];
    const onProgress = (done: number, total: number) => told.push([done, total]);
    const vault = await readVaultOn(readers, root, { ...OPTIONS, onProgress });
    expect(vault).toEqual(await readVault(root, OPTIONS));
    expect(vault.stats).toMatchObject({ notes: NOTES, errors: 1 });
    expect(told.at(-1)).toEqual([NOTES + 1, NOTES + 1]);
  });

  test('refuses by the same codes', async () => {
    const nowhere = join(root, 'nowhere');
    const codeOf = (read: Promise<unknown>) => read.catch((error: { code: string }) => error.code);
    expect(await codeOf(readVaultOn(readers, nowhere, OPTIONS))).toBe('not_found');
    expect(await codeOf(readVault(nowhere, OPTIONS))).toBe('not_found');
  });

  test('stops when it is told to', async () => {
    const controller = new AbortController();
    const reading = readVaultOn(readers, root, { ...OPTIONS, signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(reading).rejects.toThrow('enough');
  });
});
