import type { Job, JobItem } from '../../api/v2-jobs.ts';
import type { BrainClient } from '../../client/http-client.ts';
import { onGraph, type Cli } from '../cli.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { oneLine } from '../screen.ts';

export interface ListJobsOptions {
  readonly kind?: string;
  readonly status?: string;
}

const PAGE = 200;

export async function listJobsCommand(cli: Cli, options: ListJobsOptions): Promise<ExitCode> {
  const items = await onGraph(cli, { creates: false }, async (client) =>
    everyPage((cursor) => client.jobs.list({ ...options, limit: PAGE, cursor })),
  );
  if (cli.screen.json) await cli.screen.document({ items });
  else {
    await cli.screen.print(...items.map((job) => `${job.id}  ${lineOf(job)}`));
    if (items.length === 0) cli.screen.tell('There is no job.');
  }
  return EXIT.ok;
}

export async function showJobCommand(cli: Cli, id: string): Promise<ExitCode> {
  const { job, failed } = await onGraph(cli, { creates: false }, async (client) => ({
    job: await client.jobs.get(id),
    failed: await failedItems(client, id),
  }));
  if (cli.screen.json) await cli.screen.document({ ...job, failedItems: failed });
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

async function failedItems(client: BrainClient, id: string): Promise<readonly JobItem[]> {
  const items = await everyPage((cursor) => client.jobs.items(id, { limit: PAGE, cursor }));
  return items.filter(({ status }) => status === 'failed');
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

function lineOf({ kind, status, cancelling, progress }: Job): string {
  const { done, total, failed } = progress;
  const of = total === null ? '' : ` of ${total}`;
  const state = cancelling ? 'cancelling' : status;
  return `${oneLine(kind)} ${state}, ${done}${of}${failed === 0 ? '' : `, ${failed} failed`}`;
}
