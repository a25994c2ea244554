import { createWriteStream, existsSync, statSync } from 'node:fs';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ExportInput } from '../../api/v2-jobs.ts';
import type { BrainClient } from '../../client/http-client.ts';
import { LIMITS } from '../../domain/limits.ts';
import { textsOfZip } from '../../vault/read-zip.ts';
import { CliError } from '../cli-error.ts';
import { onGraph, type Cli } from '../cli.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { interruption } from '../interruption.ts';
import { progressOn, SILENT } from '../progress.ts';

export interface ExportOptions {
  readonly format?: ExportInput['format'];
  readonly force?: boolean;
}

const RECORDS_FILE = /\.(?:ndjson|jsonl)$/i;
const ZIP_FILE = /\.zip$/i;
/** Around the text of a note in its file: title, tags, aliases and links. */
const FRONTMATTER_BYTES = 1024 * 1024;

/** Writes everything: Markdown into a folder or a zip, NDJSON into a file or to stdout. */
export async function exportCommand(
  cli: Cli,
  path: string | undefined,
  options: ExportOptions,
): Promise<ExitCode> {
  const format = options.format ?? (path === undefined || RECORDS_FILE.test(path) ? 'ndjson' : 'markdown');
  if (path === undefined) {
    if (format === 'ndjson') return toStdout(cli);
    throw new CliError(
      'invalid',
      'Markdown is written into a folder or a zip: brain2 export DIR --format markdown',
    );
  }
  const isFolder = format === 'markdown' && !ZIP_FILE.test(path);
  await checkFree(path, { isFolder, force: options.force === true });
  const notes = await exported(cli, format, async ({ content, notes, interrupt: { signal } }) => {
    await (isFolder ? toFolder(path, content, signal) : toFile(path, content, signal));
    return notes;
  });
  if (cli.screen.json) await cli.screen.document({ path, format, notes });
  else await cli.screen.print(`${notes} notes written to ${path}`);
  return EXIT.ok;
}

interface Exported {
  readonly content: AsyncIterable<Uint8Array>;
  readonly notes: number;
  readonly interrupt: ReturnType<typeof interruption>;
}

/** Has the export made, and gives its bytes to `use` as they come. Ctrl-C leaves no job behind that nobody waits for. */
function exported<T>(
  cli: Cli,
  format: ExportInput['format'],
  use: (made: Exported) => Promise<T>,
): Promise<T> {
  const progress = cli.screen.json ? SILENT : progressOn(process.stderr);
  const interrupt = interruption('stopped; the export is not whole');
  const { signal } = interrupt;
  const made = async (client: BrainClient): Promise<T> => {
    const { id } = await client.exports.create({ format });
    try {
      const job = await client.jobs.wait(id, {
        signal,
        onProgress: ({ done, total }) => progress.update('exporting', done, total ?? done),
      });
      progress.end();
      const notes = Number(job.result?.['notes'] ?? 0);
      try {
        return await use({ content: client.exports.content(id), notes, interrupt });
      } finally {
        // Else the data folder had a copy for a week; where it cannot be let go of, it has.
        await client.exports.letGo(id).catch(() => {});
      }
    } catch (error) {
      if (signal.aborted) await client.jobs.cancel(id);
      throw error;
    }
  };
  return onGraph(cli, { creates: false }, made).finally(() => {
    progress.end();
    interrupt.end();
  });
}

async function toStdout(cli: Cli): Promise<ExitCode> {
  const { screen } = cli;
  const parts = await exported(cli, 'ndjson', async ({ content, interrupt }) => {
    interrupt.end(); // a reader may keep it waiting for ever: from here on Ctrl-C ends it at once
    const kept: unknown[] = [];
    for await (const line of linesOf(content)) {
      if (screen.closed) break;
      if (screen.json) kept.push(JSON.parse(line));
      else await screen.print(line);
    }
    return kept;
  });
  if (screen.json) await screen.document(parts);
  return EXIT.ok;
}

/** The file is there once it is whole. */
async function toFile(path: string, content: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
  const isFile = statSync(path, { throwIfNoEntry: false })?.isFile() ?? true; // else a device or a pipe
  const partial = isFile ? `${path}.partial` : path;
  await mkdir(dirname(path), { recursive: true });
  try {
    await pipeline(Readable.from(content), createWriteStream(partial), { signal });
    if (isFile) await rename(partial, path);
  } catch (error) {
    if (isFile) await rm(partial, { force: true });
    throw signal.aborted ? signal.reason : error;
  }
}

async function toFolder(
  folder: string,
  content: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  const zip = Buffer.concat(await Array.fromAsync(content));
  const bytes = {
    size: zip.length,
    async *read({ start, end }: { readonly start: number; readonly end: number }) {
      yield zip.subarray(start, end);
    },
  };
  await mkdir(folder, { recursive: true });
  for await (const { path, text } of textsOfZip(bytes, LIMITS.contentBytes + FRONTMATTER_BYTES)) {
    signal.throwIfAborted();
    const file = join(folder, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }
}

async function* linesOf(content: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const piece of content) {
    const lines = (rest + decoder.decode(piece, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
}

async function checkFree(
  path: string,
  { isFolder, force }: { readonly isFolder: boolean; readonly force: boolean },
): Promise<void> {
  if (!existsSync(path)) return;
  const isFolderThere = statSync(path).isDirectory();
  if (isFolder && !isFolderThere)
    throw new CliError('conflict', `${path} is a file, and Markdown is written into a folder`, {
      hints: ['Name a folder, or a file that ends in .zip or, for NDJSON, in .ndjson.'],
    });
  if (!isFolder && isFolderThere)
    throw new CliError('conflict', `${path} is a folder, and the export is one file`, {
      hints: [`Name a file in it: ${join(path, 'brain2.ndjson')}`],
    });
  if (force) return;
  const hints = ['Name another, or add --force to write into it.'];
  if (!isFolder) throw new CliError('conflict', `${path} exists already`, { hints });
  const entries = await readdir(path);
  if (entries.length > 0) throw new CliError('conflict', `the folder ${path} is not empty`, { hints });
}
