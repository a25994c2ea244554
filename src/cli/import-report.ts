import type { ImportSummary } from '../api/v2-imports.ts';
import { oneLine } from './screen.ts';
import { counted, holdings } from './counted.ts';

/** Something of the source that is not as it should be; an `error` kept it out. */
interface ImportProblem {
  readonly path: string;
  readonly line?: number;
  readonly code: string;
  readonly message: string;
  readonly severity: 'error' | 'warning';
  readonly target?: string;
}

/** A note of an earlier import that the source no longer has. */
export interface Missing {
  readonly key: string;
  readonly nodeId: string;
  readonly pruned: boolean;
}

/** How many of what is counted are notes: an export has categories, links and decisions too. */
export interface NoteCounts {
  readonly created: number;
  readonly updated: number;
  readonly unchanged: number;
}

export interface ImportReport {
  readonly collection: string;
  readonly dryRun: boolean;
  /** Whether --prune was asked for and not done, because something could not be read. */
  readonly pruneRefused: boolean;
  readonly summary: ImportSummary;
  readonly notes: NoteCounts;
  readonly problems: readonly ImportProblem[];
  readonly brokenLinks: readonly ImportProblem[];
  readonly missing: readonly Missing[];
  readonly durationMs: number;
}

const LISTED = 20;

/** The report for a person. Errors are always listed whole; the rest up to a screenful, unless `verbose`. */
export function reportLines(
  report: ImportReport,
  { verbose, isExport }: { readonly verbose: boolean; readonly isExport: boolean },
): string[] {
  const { problems, brokenLinks, missing, dryRun, pruneRefused } = report;
  const limit = verbose ? Infinity : LISTED;
  const errors = problems.filter((problem) => problem.severity === 'error');
  const warnings = problems.filter((problem) => problem.severity === 'warning');
  const pruned = missing.filter((note) => note.pruned);
  const kept = missing.filter((note) => !note.pruned);
  const keptBecause = pruneRefused
    ? 'kept, because not everything could be read'
    : 'kept; --prune deletes them';
  return [
    `${dryRun ? 'Would import' : 'Imported'} "${oneLine(report.collection)}"`,
    ...countLines(report, { errors: errors.length, isExport }),
    ...list('Not imported', errors.map(lineOf), Infinity),
    ...list('Warnings', warnings.map(lineOf), limit),
    ...list('Broken links', brokenLinks.map(brokenLine), limit),
    ...list(
      'No longer in the source, deleted',
      pruned.map((note) => oneLine(note.key)),
      limit,
    ),
    ...list(
      `No longer in the source, ${keptBecause}`,
      kept.map((note) => oneLine(note.key)),
      limit,
    ),
  ];
}

function countLines(
  { summary, notes, brokenLinks, dryRun }: ImportReport,
  found: { readonly errors: number; readonly isExport: boolean },
): string[] {
  const count = (status: keyof NoteCounts): string => {
    const others = summary[status] - notes[status];
    if (others === 0) return String(summary[status]);
    return `${counted(notes[status], 'note')}, ${others} categories, links and decisions`;
  };
  const lost =
    summary.brokenReferences === 0 ? '' : `, ${summary.brokenReferences} to notes that were not imported`;
  const rows: readonly (readonly [string, string])[] = [
    ['created', count('created')],
    ['updated', count('updated')],
    ['unchanged', count('unchanged')],
    ['not imported', String(found.errors)],
    // Of an export they are counted above.
    ...(found.isExport
      ? []
      : [['links by hand', `${summary.references}, ${brokenLinks.length} broken${lost}`] as const]),
    ...(dryRun
      ? []
      : [
          ['by content', `${summary.automatic < 0 ? '' : '+'}${summary.automatic} links`] as const,
          ['graph now', holdings(summary)] as const,
        ]),
  ];
  return rows.map(([name, value]) => `  ${name.padEnd(13)} ${value}`);
}

function list(title: string, lines: readonly string[], limit: number): string[] {
  if (lines.length === 0) return [];
  const more = lines.length - limit;
  return [
    `${title} (${lines.length}):`,
    ...lines.slice(0, limit).map((line) => `  ${line}`),
    ...(more > 0 ? [`  and ${more} more (--verbose lists all)`] : []),
  ];
}

function lineOf(problem: ImportProblem): string {
  return `${placeOf(problem)}  ${oneLine(problem.message)}`;
}

function brokenLine(problem: ImportProblem): string {
  return problem.target === undefined ? lineOf(problem) : `${placeOf(problem)}  ${oneLine(problem.target)}`;
}

function placeOf({ path, line }: ImportProblem): string {
  return line === undefined ? oneLine(path) : `${oneLine(path)}:${line}`;
}
