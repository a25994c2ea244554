import { BrainError } from '../domain/error.ts';
import { LIMITS } from '../domain/limits.ts';
import { countLines, entriesOfLines } from '../http/import-lines.ts';
import type { ImportAsk, ImportReader, Spooled } from '../services/import-job.ts';
import type { ImportEntry, ImportWarning } from '../services/import-note.ts';
import { vaultCollection } from '../vault/collection.ts';
import { countZip, readZip, ZipError } from '../vault/read-zip.ts';
import type { VaultProblem } from '../vault/types.ts';
import { readZipOn, type VaultWorkers } from './vault-workers.ts';

/**
 * The formats of an import: lines of NDJSON, and a zip of Markdown, read as `brain2 import` reads a folder; by a worker
 * where the zip is a file.
 */
export function importReader(workers: VaultWorkers): ImportReader {
  async function* entriesOfZip(
    from: Spooled,
    { collection, categories }: ImportAsk,
    signal: AbortSignal,
  ): AsyncGenerator<ImportEntry> {
    const options = { categories, maxNoteBytes: LIMITS.contentBytes, root: collection, signal };
    const { path } = from;
    const { notes, problems } = await refusing(() =>
      path === undefined ? readZip(from, options) : readZipOn(workers, path, options),
    );
    const collected = vaultCollection(collection, notes);
    const errors = problems.filter(({ severity }) => severity === 'error');
    const warned = Map.groupBy(
      problems.filter(({ severity }) => severity === 'warning'),
      ({ path: of }) => of,
    );
    for (const note of collected.notes()) {
      const found = warned.get(collected.pathOf(note.key));
      yield found ? { ...note, warnings: found.map(warningOf) } : note;
    }
    for (const problem of errors) yield refusedEntry(problem, collection);
  }

  return {
    inspect: (from, ask) =>
      ask.format === 'zip' ? refusing(() => countZip(from, ask.collection)) : countLines(from.read()),
    entries: (from, ask, signal) =>
      ask.format === 'zip' ? entriesOfZip(from, ask, signal) : entriesOfLines(from.read()),
  };
}

/** Its own key, which an export wrote into it, cannot be read either: so it may be any note, and nothing is pruned. */
function refusedEntry({ path, code, message }: VaultProblem, collection: string): ImportEntry {
  const issues = [{ pointer: '', code, message }];
  return {
    key: `${collection}/${path}`,
    isUnnamed: true,
    refused: new BrainError('invalid', message, { issues }),
  };
}

/** A link may be as long as its note. */
const WARNING_LENGTH = 500;
const short = (text: string): string => text.slice(0, WARNING_LENGTH).toWellFormed();

const warningOf = ({ code, line, message, target }: VaultProblem): ImportWarning => ({
  code,
  ...(line !== undefined && { line }),
  message: short(message),
  ...(target !== undefined && { target: short(target) }),
});

async function refusing<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof ZipError)) throw error;
    const { code, message } = error;
    throw new BrainError('invalid', message, { cause: error, issues: [{ pointer: '', code, message }] });
  }
}
