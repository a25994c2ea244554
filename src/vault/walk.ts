import { readdir, realpath, stat } from 'node:fs/promises';
import type { Dirent } from 'node:fs';
import { join, resolve } from 'node:path';

import { reasonOf } from './read-file.ts';
import type { VaultProblem } from './types.ts';

export interface FoundFile {
  /** Relative to the vault, with `/`, in NFC. */
  readonly path: string;
  /** Where the system has it. */
  readonly file: string;
}

const NOTE = /\.(?:md|markdown)$/i;
const SKIPPED = new Set(['node_modules', '__MACOSX']);
const SKIPPED_PATHS = new Set(['logseq/bak']);

interface Folder {
  readonly dir: string;
  /** With a `/` at the end, or empty. */
  readonly prefix: string;
}

interface Walk {
  readonly files: FoundFile[];
  readonly problems: VaultProblem[];
  /** Real paths of folders entered, with the name each is known by. */
  readonly entered: Map<string, string>;
  readonly links: { readonly path: string; readonly file: string }[];
}

/**
 * Lists the notes below a folder by the order of their paths. Hidden folders, `node_modules` and Logseq's backups are
 * left out. A link to a folder is followed once, after all real folders, and never into a folder that holds the link.
 */
export async function findNotes(
  folder: string,
  signal?: AbortSignal,
): Promise<{ readonly files: readonly FoundFile[]; readonly problems: readonly VaultProblem[] }> {
  const root = resolve(folder); // as the paths below it begin: not `./notes`, nor `notes/`
  const walk: Walk = { files: [], problems: [], entered: new Map(), links: [] };
  const realRoot = await realpath(root);
  await walkFolders(walk, { dir: root, prefix: '' }, signal);
  const real = new Set<string>();
  for (const { file } of walk.files) real.add(realRoot + file.slice(root.length));
  for (let link = walk.links.shift(); link; link = walk.links.shift()) {
    signal?.throwIfAborted();
    await followLink(walk, link, { realRoot, real, ...(signal && { signal }) });
  }
  const sortable = walk.files.map((found) => ({ found, key: found.path.replaceAll('/', '\0') }));
  sortable.sort((a, b) => (a.key < b.key ? -1 : Number(a.key > b.key)));
  return { files: sortable.map(({ found }) => found), problems: walk.problems };
}

async function walkFolders(walk: Walk, first: Folder, signal: AbortSignal | undefined): Promise<void> {
  const pending: Folder[] = [first];
  for (let folder = pending.pop(); folder; folder = pending.pop()) {
    signal?.throwIfAborted();
    const path = folder.prefix.slice(0, -1) || '.';
    let entries: Dirent[];
    try {
      const real = await realpath(folder.dir);
      const known = walk.entered.get(real);
      if (known !== undefined) {
        walk.problems.push(loop(path, `leads to ${known} again`));
        continue;
      }
      walk.entered.set(real, path);
      entries = await readdir(folder.dir, { withFileTypes: true });
    } catch (error) {
      const message = `folder not read: ${reasonOf(error)}`;
      walk.problems.push({ path, code: 'unreadable', message, severity: 'error' });
      continue;
    }
    for (const entry of entries) visit(walk, pending, folder, entry);
  }
}

/** Whether a file lies where no notes are looked for. */
export function isPassedOver(path: string): boolean {
  const parts = path.split('/');
  const isHidden = parts.some((part) => part.startsWith('.') || SKIPPED.has(part));
  return (
    isHidden ||
    [...SKIPPED_PATHS].some((skipped) => path.startsWith(`${skipped}/`) || path.includes(`/${skipped}/`))
  );
}

function visit(walk: Walk, pending: Folder[], folder: Folder, entry: Dirent): void {
  const { name } = entry;
  if (name.startsWith('.') || SKIPPED.has(name)) return;
  const path = (folder.prefix + name).normalize('NFC');
  const file = join(folder.dir, name);
  if (SKIPPED_PATHS.has(path) || [...SKIPPED_PATHS].some((skipped) => path.endsWith(`/${skipped}`))) return;
  if (entry.isDirectory()) pending.push({ dir: file, prefix: `${path}/` });
  else if (entry.isSymbolicLink()) walk.links.push({ path, file });
  else if (!NOTE.test(name)) return;
  else if (entry.isFile()) walk.files.push({ path, file });
  else walk.problems.push({ path, code: 'unreadable', message: 'not a regular file', severity: 'error' });
}

async function followLink(
  walk: Walk,
  link: { readonly path: string; readonly file: string },
  vault: { readonly realRoot: string; readonly real: ReadonlySet<string>; readonly signal?: AbortSignal },
): Promise<void> {
  const { path, file } = link;
  try {
    const target = await realpath(file);
    const stats = await stat(target);
    if (!stats.isDirectory()) {
      // a link to a note of the vault would be the same note twice
      if (NOTE.test(path) && stats.isFile() && !vault.real.has(target)) walk.files.push({ path, file });
    } else if (`${vault.realRoot}/`.startsWith(target === '/' ? '/' : `${target}/`)) {
      walk.problems.push(loop(path, 'leads to a folder that holds the vault'));
    } else await walkFolders(walk, { dir: file, prefix: `${path}/` }, vault.signal);
  } catch (error) {
    if (vault.signal?.aborted) throw error;
    const isLoop = error instanceof Error && 'code' in error && error.code === 'ELOOP';
    if (isLoop) walk.problems.push(loop(path, 'leads to itself'));
    else if (NOTE.test(path)) {
      const message = `symbolic link not followed: ${reasonOf(error)}`;
      walk.problems.push({ path, code: 'unreadable', message, severity: 'error' });
    }
  }
}

function loop(path: string, message: string): VaultProblem {
  return { path, code: 'symlink_loop', message: `symbolic link ${message}`, severity: 'warning' };
}
