import type { Job, JobItem } from '../../api/v2-jobs.ts';
import { onGraph, type Cli } from '../cli.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { oneLine } from '../screen.ts';

export interface ListJobsOptions {
  readonly kind?: string;
  readonly status?: string;
}

const PAGE = 200;
const WARNINGS_SHOWN = 20;

export async function listJobsCommand(cli: Cli, options: ListJobsOptions): Promise<ExitCode> {
  const items = await onGraph(cli, { creates: false }, async (client) =>
    everyPage((cursor) => client.jobs.list({ ...options, limit: PAGE, cursor })),
  );
  if (cli.screen.json) await cli.screen.document({ items });
  else {
    await cli.screen.print(...items.map((job) => `${job.id}  ${timeOf(job)}  ${lineOf(job)}`));
    if (items.length === 0) cli.screen.tell('There is no job.');
  }
  return EXIT.ok;
}

export async function showJobCommand(cli: Cli, id: string): Promise<ExitCode> {
  const { job, items } = await onGraph(cli, { creates: false }, async (client) => ({
    job: await client.jobs.get(id),
    items: await everyPage((cursor) => client.jobs.items(id, { limit: PAGE, cursor })),
  }));
  const failed = items.filter(({ status }) => status === 'failed');
  const warned = items.filter(({ details }) => warningsOf(details).length > 0);
  if (cli.screen.json) await cli.screen.document({ ...job, failedItems: failed, warnedItems: warned });
  else {
    const { result, problem, createdAt, endedAt } = job;
    await cli.screen.print(
      `${job.id}  ${lineOf(job)}`,
      `asked for ${createdAt}, ${endedAt === null ? 'not ended' : `ended ${endedAt}`}`,
      ...(problem ? [`${problem.code}: ${oneLine(problem.detail)}`] : []),
      ...Object.entries(result ?? {}).map(([name, value]) => `${name.padEnd(18)}${String(value)}`),
      ...failed.map(
        ({ key, problem: why }) => `not imported: ${oneLine(key)}  ${oneLine(why?.detail ?? '')}`,
      ),
      ...warningLines(warned),
    );
  }
  return job.status === 'failed' ? EXIT.failed : failed.length > 0 ? EXIT.partial : EXIT.ok;
}

export async function cancelJobCommand(cli: Cli, id: string): Promise<ExitCode> {
  const job = await onGraph(cli, { creates: false }, (client) => client.jobs.cancel(id));
  if (cli.screen.json) await cli.screen.document(job);
  else await cli.screen.print(`${job.id}  ${lineOf(job)}`);
  return EXIT.ok;
}

/** What an import says of a note that went in. */
function warningsOf(details: JobItem['details']): readonly Warning[] {
  const { trimmed = [], warnings = [] } = (details ?? {}) as {
    readonly trimmed?: readonly string[];
    readonly warnings?: readonly Warning[];
  };
  return [...trimmed.map((message) => ({ message })), ...warnings];
}

interface Warning {
  readonly line?: number;
  readonly message: string;
}

function warningLines(warned: readonly JobItem[]): readonly string[] {
  const all = warned.flatMap(({ key, details }) =>
    warningsOf(details).map(({ line, message }) => {
      const at = line === undefined ? '' : `:${line}`;
      return `warning: ${oneLine(key)}${at}  ${oneLine(message)}`;
    }),
  );
  const more = all.length - WARNINGS_SHOWN;
  return [...all.slice(0, WARNINGS_SHOWN), ...(more > 0 ? [`and ${more} more (--json has all)`] : [])];
}

async function everyPage<T>(
  read: (cursor: string | undefined) => Promise<{
    readonly items: readonly T[];
    readonly page: { readonly next: string | null };
  }>,
): Promise<readonly T[]> {
  const all: T[] = [];
  let cursor: string | undefined;
  do {
    const { items, page } = await read(cursor);
    all.push(...items);
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
  return all;
}

/** When it was asked for, to the minute, where the reader is. */
function timeOf({ createdAt }: Job): string {
  const at = new Date(createdAt);
  return `${at.toLocaleDateString('sv-SE')} ${at.toLocaleTimeString('sv-SE').slice(0, 5)}`;
}

/** What of its input tells jobs of a kind apart. */
const SUBJECTS = [
  ['collection', 'of'],
  ['format', 'as'],
  ['action', 'to'],
] as const;

function lineOf({ kind, status, cancelling, progress, input }: Job): string {
  const { done, total, failed } = progress;
  const [field, word] = SUBJECTS.find(([name]) => input[name] !== undefined) ?? [];
  const subject = field === undefined ? '' : ` ${word} ${String(input[field])}`;
  const of = total === null ? '' : ` of ${total}`;
  const state = cancelling ? 'cancelling' : status;
  return `${oneLine(kind + subject)}: ${state}, ${done}${of}${failed === 0 ? '' : `, ${failed} failed`}`;
}
