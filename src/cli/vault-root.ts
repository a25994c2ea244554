import { existsSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import type { NodeSummary } from '../api/v2.ts';
import { folderName, isMarkdownFile, pathWithin } from '../vault/collection.ts';
import { CliError } from './cli-error.ts';

/** What only the folder at the top of a vault has. */
const VAULT_MARKS = ['.obsidian', join('logseq', 'config.edn')];
/** Of an imported folder as many notes are looked for on the disk: one that has none of these is not that folder. */
const NOTES_TRIED = 200;

/**
 * The folder that a file of Markdown is a note of, and has its key from: the outermost one above it of which an import has
 * brought this note into the graph; else of which one has brought other notes, some of which are there on the disk; else
 * the nearest that Obsidian or Logseq has marked as a vault; else the folder it lies in.
 */
export function vaultRoot(
  file: string,
  { name, stored }: { readonly name: string | undefined; readonly stored: readonly NodeSummary[] },
): string {
  const nearest = foldersAbove(file);
  const outermost = nearest.toReversed();
  const prefixOf = (folder: string): string => `${name ?? folderName(folder)}/`;
  const keys = new Set(stored.map(({ source }) => source.key));
  const paths = stored.flatMap(({ source }) => source.path ?? []);
  const isOnDisk = (folder: string): boolean =>
    paths
      .filter((path) => path.startsWith(prefixOf(folder)))
      .slice(0, NOTES_TRIED)
      .some((path) => existsSync(join(folder, path.slice(prefixOf(folder).length))));
  return (
    outermost.find((folder) => keys.has(prefixOf(folder) + pathWithin(folder, file))) ??
    outermost.find(isOnDisk) ??
    nearest.find((folder) => VAULT_MARKS.some((mark) => existsSync(join(folder, mark)))) ??
    dirname(resolve(file))
  );
}

/** Throws `invalid` where the root that is asked for cannot be the one of what is to be imported. */
export function checkRoot(root: string, path: string): void {
  if (isFolderAt(path) || !isMarkdownFile(path))
    throw new CliError('invalid', `--root goes with one file of Markdown, and ${path} is none`);
  const [first] = relative(root, path).split(sep);
  if (!isFolderAt(root) || first === '..' || isAbsolute(first ?? ''))
    throw new CliError('invalid', `--root is a folder that ${path} lies in, and ${root} is none`);
}

/** A folder may be called `notes.md`. */
export function isFolderAt(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** Nearest first. */
function foldersAbove(file: string): readonly string[] {
  const folders = [dirname(resolve(file))];
  for (let folder = folders[0] ?? ''; folder !== dirname(folder); folder = dirname(folder))
    folders.push(dirname(folder));
  return folders;
}
