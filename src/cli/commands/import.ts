import { LIMITS } from '../../domain/limits.ts';
import type { BrainClient } from '../../client/http-client.ts';
import type { Settings } from '../../server/settings.ts';
import { readVault } from '../../vault/read-vault.ts';
import type { CategorySource, Vault, VaultProblem } from '../../vault/types.ts';
import { CliError } from '../cli-error.ts';
import { onGraph, type Cli } from '../cli.ts';
import { commandFor } from '../command-for.ts';
import { counted } from '../counted.ts';
import { isExportedFile, partsOfFile } from '../exported-file.ts';
import { collectionOf, folderName, isMarkdownFile, type Collection } from '../../vault/collection.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { followImport, type Followed } from '../follow-import.ts';
import { reportLines, type ImportReport } from '../import-report.ts';
import { interruption } from '../interruption.ts';
import { duration, progressOn, SILENT } from '../progress.ts';
import { linkToStored } from '../single-note.ts';
import { checkRoot, isFolderAt, vaultRoot } from '../vault-root.ts';

export interface ImportOptions {
  readonly dryRun?: boolean;
  readonly prune?: boolean;
  readonly categories: CategorySource;
  readonly name?: string;
  readonly root?: string;
  readonly verbose?: boolean;
}

/** Reads a source and sends it whole. Ends with 5 when something could not be read or stored. */
export async function importCommand(cli: Cli, path: string, options: ImportOptions): Promise<ExitCode> {
  cli.settings(); // a wrong setting is told before the reading, not after it
  const { screen } = cli;
  const progress = screen.json ? SILENT : progressOn(process.stderr);
  const started = performance.now();
  const interrupt = interruption();
  try {
    if (options.root !== undefined) checkRoot(options.root, path);
    const isFolder = isFolderAt(path);
    const isExport = !isFolder && (await isExportedFile(path));
    const unread: VaultProblem[] = []; // of an export, found while it is sent
    const read = async (root?: string): Promise<Vault> =>
      isExport
        ? { ...NO_NOTES, problems: unread }
        : readVault(path, {
            categories: options.categories,
            maxNoteBytes: LIMITS.contentBytes,
            root,
            signal: interrupt.signal,
            onProgress: (done, total) => progress.update('reading', done, total),
          });
    const source = await read(options.root);
    const prune = !isExport && mayPrune(source, path, options);
    const sent = await onGraph(cli, { creates: true }, async (client) => {
      const { vault, collection } = await prepare(client, { path, source, read, isFolder, options });
      const notes = isExport ? partsOfFile(path, unread) : collection.notes();
      const settings = { collection: collection.name, prune, dryRun: options.dryRun === true };
      const following = { total: vault.notes.length, progress, signal: interrupt.signal };
      return {
        vault,
        collection,
        result: await followImport(client.import(notes, settings), following),
      };
    });
    const durationMs = Math.round(performance.now() - started);
    progress.end();
    const report = reportOf({ ...sent, options, prune, durationMs });
    if (screen.json) await screen.document(report);
    else await screen.print(...reportLines(report, { verbose: options.verbose === true, isExport }));
    screen.tell(...afterwards(report, { path, isFolder, settings: cli.settings() }));
    return report.problems.some((problem) => problem.severity === 'error') ? EXIT.partial : EXIT.ok;
  } finally {
    progress.end();
    interrupt.end();
  }
}

/** Of a file whose lines are sent as they are. */
const NO_NOTES: Vault = {
  notes: [],
  problems: [],
  stats: { files: 1, bytes: 0, notes: 0, links: 0, brokenLinks: 0, errors: 0, warnings: 0 },
};

/** What is sent. One file out of a folder is linked to the notes of that folder that are in the graph. */
async function prepare(
  client: BrainClient,
  from: {
    readonly path: string;
    readonly source: Vault;
    readonly read: (root: string) => Promise<Vault>;
    readonly isFolder: boolean;
    readonly options: ImportOptions;
  },
): Promise<{ readonly vault: Vault; readonly collection: Collection }> {
  const { path, source, read, isFolder, options } = from;
  const { name } = options;
  if (isFolder || !isMarkdownFile(path))
    return { vault: source, collection: collectionOf(path, { name, isFolder, notes: source.notes }) };
  const { nodes: stored } = await client.graph();
  const root = options.root ?? vaultRoot(path, { name, stored });
  const prefix = name ?? folderName(root);
  const vault = await linkToStored(await read(root), path, { prefix, stored });
  return { vault, collection: collectionOf(path, { name, isFolder, root, notes: vault.notes }) };
}

/** What could not be read this time is not gone, so nothing is deleted then. */
function mayPrune(vault: Vault, path: string, options: ImportOptions): boolean {
  if (!options.prune) return false;
  if (vault.notes.length === 0) {
    throw new CliError('conflict', `no note was read, so --prune would delete all that came from ${path}`, {
      hints: ['Is it the right folder? To delete them on purpose, leave one note in it.'],
    });
  }
  return vault.stats.errors === 0;
}

function reportOf(given: {
  readonly vault: Vault;
  readonly collection: Collection;
  readonly options: ImportOptions;
  readonly result: Followed;
  readonly prune: boolean;
  readonly durationMs: number;
}): ImportReport {
  const { vault, collection, options, result, durationMs } = given;
  const failed = result.failed.map(({ key, problem }): ImportReport['problems'][number] => ({
    path: collection.pathOf(key),
    code: problem?.code ?? 'invalid',
    message: problem?.detail ?? 'not stored',
    severity: 'error',
  }));
  const trimmed = result.trimmed.map(({ key, trimmed: lost = [] }): ImportReport['problems'][number] => ({
    path: collection.pathOf(key),
    code: 'trimmed',
    message: lost.join('; '),
    severity: 'warning',
  }));
  const isBroken = (problem: VaultProblem) => problem.code === 'broken_link';
  const problems = [...vault.problems.filter((problem) => !isBroken(problem)), ...trimmed, ...failed];
  const unread = problems.filter((problem) => problem.severity === 'error').map((problem) => problem.path);
  return {
    collection: collection.name,
    dryRun: options.dryRun === true,
    pruneRefused: options.prune === true && !given.prune,
    summary: result.summary,
    notes: result.notes,
    problems,
    brokenLinks: vault.problems.filter(isBroken),
    missing: result.missing.filter(({ key, pruned }) => pruned || !isUnread(collection.pathOf(key), unread)),
    durationMs,
  };
}

/** Whether a note is one of the files, or in one of the folders, that could not be read. */
function isUnread(path: string, unread: readonly string[]): boolean {
  return unread.some((each) => each === '.' || path === each || path.startsWith(`${each}/`));
}

function afterwards(
  { summary, notes, problems, dryRun, durationMs }: ImportReport,
  from: { readonly path: string; readonly isFolder: boolean; readonly settings: Settings },
): string[] {
  const count = notes.created + notes.updated + notes.unchanged;
  if (count === 0 && problems.length === 0 && from.isFolder)
    return [`no note was found in ${from.path}: notes are files that end in .md or .markdown`];
  const rate = durationMs === 0 ? count : Math.round((count / durationMs) * 1000);
  const took = `${counted(count, 'note')} in ${duration(durationMs)} (${rate} a second).`;
  if (dryRun) return [`${took} Nothing was changed: this was a dry run.`];
  if (summary.notes === 0) return [took];
  const next = ['search "a few words"', 'show "a title"'].map((command) =>
    commandFor(command, from.settings),
  );
  return [took, `Next:  ${next.join('  |  ')}`];
}
