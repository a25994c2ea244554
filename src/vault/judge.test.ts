import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { expect, test } from 'vitest';

import { readVault } from './read-vault.ts';

const shared = resolve(import.meta.dirname, '../../../shared');
const judge = join(shared, 'linkeval/evaluate.mjs');
const present = existsSync(judge);
if (!present) console.warn(`skipped: no judge of links at ${judge}, so its pairs cannot be compared`);

test.skipIf(!present).each([
  { name: 'hugo', args: ['--root', 'content/en'] },
  { name: 'dendron', args: [] },
])('every pair that the judge finds in the vault of $name is found, and no other', async ({ name, args }) => {
  const out = await mkdtemp(join(tmpdir(), 'brain2-judge-'));
  const vaultPath = join(shared, 'vaults', name);
  const run = spawnSync(process.execPath, [judge, 'parse', `${vaultPath}/`, ...args, '--out', out]);
  expect(run.status).toBe(0);
  const meta = JSON.parse(readFileSync(join(out, 'meta.json'), 'utf8')) as { paths: Record<string, string> };
  const truth = new Set<string>();
  for (const line of readFileSync(join(out, 'truth.jsonl'), 'utf8').trim().split('\n')) {
    const { a, b } = JSON.parse(line) as { a: string; b: string };
    truth.add(pair(meta.paths[a] ?? '', meta.paths[b] ?? ''));
  }
  await rm(out, { recursive: true });

  const vault = await readVault(vaultPath, { categories: 'folders', maxNoteBytes: 512 * 1024 });
  const found = new Set(vault.notes.flatMap((note) => note.links.map((link) => pair(note.key, link.target))));
  expect(vault.notes.map((note) => note.key).sort()).toEqual(Object.values(meta.paths).sort());
  expect([...truth].filter((each) => !found.has(each))).toEqual([]);
  expect([...found].filter((each) => !truth.has(each))).toEqual([]);
});

function pair(a: string, b: string): string {
  return a < b ? `${a} <> ${b}` : `${b} <> ${a}`;
}
