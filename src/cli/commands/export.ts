import { createWriteStream, existsSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { once } from 'node:events';
import type { Category, Node } from '../../api/v2.ts';
import type { BrainClient } from '../../client/http-client.ts';
import { writeMarkdown } from '../../vault/write-markdown.ts';
import { categoryPath } from '../category-path.ts';
import { CliError } from '../cli-error.ts';
import { onGraph, type Cli } from '../cli.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { exportPaths, linkedKeysOf } from '../export-notes.ts';
import { keyOf, markedKey } from '../graph-key.ts';
import { progressOn, SILENT } from '../progress.ts';

export interface ExportOptions {
  readonly format?: 'markdown' | 'ndjson';
  readonly force?: boolean;
}

const PAGE = 200;
const RECORDS_FILE = /\.(?:ndjson|jsonl)$/i;

/** Writes every note, oldest first: Markdown into a folder, NDJSON into a file or to stdout. */
export async function exportCommand(
  cli: Cli,
  path: string | undefined,
  options: ExportOptions,
): Promise<ExitCode> {
  const format = options.format ?? (path === undefined || RECORDS_FILE.test(path) ? 'ndjson' : 'markdown');
  if (path === undefined) {
    if (format === 'ndjson') return toStdout(cli);
    throw new CliError('invalid', 'Markdown is written into a folder: brain2 export DIR --format markdown');
  }
  await checkFree(path, { format, force: options.force === true });
  const notes = await (format === 'markdown' ? toFolder(cli, path) : toFile(cli, path));
  if (cli.screen.json) await cli.screen.document({ path, format, notes });
  else await cli.screen.print(`${notes} notes written to ${path}`);
  return EXIT.ok;
}

async function toStdout(cli: Cli): Promise<ExitCode> {
  const { screen } = cli;
  const records = await onGraph(cli, { creates: false }, async (client) => {
    const kept: object[] = [];
    for await (const page of pagesOf(client)) {
      if (screen.closed) break;
      if (screen.json) kept.push(...page.map(recordOf));
      else await screen.print(...page.map((note) => JSON.stringify(recordOf(note))));
    }
    return kept;
  });
  if (screen.json) await screen.document(records);
  return EXIT.ok;
}

async function toFile(cli: Cli, path: string): Promise<number> {
  return onGraph(cli, { creates: false }, async (client) => {
    await mkdir(dirname(path), { recursive: true });
    const file = createWriteStream(path);
    const closed = once(file, 'close'); // rejects when the file cannot be written
    closed.catch(() => undefined); // told below, by the await
    let notes = 0;
    for await (const page of pagesOf(client)) {
      const text = page.map((note) => `${JSON.stringify(recordOf(note))}\n`).join('');
      if (!file.write(text)) await Promise.race([once(file, 'drain'), closed]);
      notes += page.length;
    }
    file.end();
    await closed;
    return notes;
  });
}

async function toFolder(cli: Cli, folder: string): Promise<number> {
  const progress = cli.screen.json ? SILENT : progressOn(process.stderr);
  const { notes, edges, categories } = await onGraph(cli, { creates: false }, async (client) => ({
    notes: (await Array.fromAsync(pagesOf(client))).flat(),
    edges: (await client.graph()).edges,
    categories: (await client.categories.list()).items,
  }));
  const paths = exportPaths(notes);
  const linkedKeys = linkedKeysOf(notes, edges, paths);
  for (const [index, note] of notes.entries()) {
    const file = join(folder, paths.get(note.id) ?? note.id);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, markdownOf(note, categories, linkedKeys.get(note.id) ?? []));
    progress.update('writing', index + 1, notes.length);
  }
  if (notes.length === 0) await mkdir(folder, { recursive: true });
  progress.end();
  return notes.length;
}

async function* pagesOf(client: BrainClient): AsyncGenerator<readonly Node[]> {
  for (const archived of [false, true]) {
    let cursor: string | undefined;
    do {
      const { items, page } = await client.nodes.list({ limit: PAGE, sort: 'createdAt', archived, cursor });
      if (items.length > 0) yield items;
      cursor = page.next ?? undefined;
    } while (cursor !== undefined);
  }
}

function recordOf(note: Node) {
  const { title, content, tags, aliases, createdAt, updatedAt, archived } = note;
  return {
    id: keyOf(note),
    title,
    text: content,
    tags,
    aliases,
    createdAt,
    updatedAt,
    ...(archived && { archived }),
  };
}

function markdownOf(note: Node, categories: readonly Category[], linkedKeys: readonly string[]): string {
  const [first] = note.categories;
  const category = first === undefined ? [] : categoryPath(first.id, categories);
  const { label, content, tags, aliases, createdAt, updatedAt } = note;
  return writeMarkdown(
    {
      key: markedKey(keyOf(note)),
      title: label,
      content,
      tags,
      aliases,
      createdAt,
      updatedAt,
      ...(category.length > 0 && { category }),
    },
    linkedKeys,
  );
}

async function checkFree(
  path: string,
  { format, force }: { readonly format: 'markdown' | 'ndjson'; readonly force: boolean },
): Promise<void> {
  if (force || !existsSync(path)) return;
  const hints = ['Name another, or add --force to write into it.'];
  if (format === 'ndjson') throw new CliError('conflict', `${path} exists already`, { hints });
  const entries = await readdir(path);
  if (entries.length > 0) throw new CliError('conflict', `the folder ${path} is not empty`, { hints });
}
