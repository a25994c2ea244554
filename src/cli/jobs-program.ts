import { Option, type Command } from 'commander';
import type { Run } from './cli.ts';
import type { ListJobsOptions } from './commands/jobs.ts';

/** `brain2 jobs` and its parts. */
export function defineJobs(program: Command, run: Run): void {
  const jobs = program
    .command('jobs')
    .description('list, show and cancel long work, such as imports and exports')
    .addHelpText(
      'after',
      `
A job is told of for seven days after its end. Beside a running server it goes on by itself.

Examples:
  $ brain2 jobs list --status running
  $ brain2 jobs show 0190a7c4-5b3e-7c2a-9f10-3d2b8e6a1c55
  $ brain2 jobs cancel 0190a7c4-5b3e-7c2a-9f10-3d2b8e6a1c55`,
    );
  jobs
    .command('list')
    .description('list the jobs, newest first')
    .option('--kind <kind>', 'only of this kind, such as import')
    .addOption(
      new Option('--status <status>', 'only in this state').choices([
        'queued',
        'running',
        'done',
        'failed',
        'cancelled',
      ]),
    )
    .addHelpText('after', '\nExamples:\n  $ brain2 jobs list\n  $ brain2 jobs list --kind import --json')
    .action((options: ListJobsOptions) =>
      run(async (cli) => (await import('./commands/jobs.ts')).listJobsCommand(cli, options)),
    );
  jobs
    .command('show')
    .description('show how far a job is, what came of it, and which of its items failed')
    .argument('<id>', 'id of the job, as list shows it')
    .addHelpText('after', '\nExamples:\n  $ brain2 jobs show 0190a7c4-5b3e-7c2a-9f10-3d2b8e6a1c55')
    .action((id: string) => run(async (cli) => (await import('./commands/jobs.ts')).showJobCommand(cli, id)));
  jobs
    .command('cancel')
    .description('end a job; what it has done stays')
    .argument('<id>', 'id of the job, as list shows it')
    .addHelpText('after', '\nExamples:\n  $ brain2 jobs cancel 0190a7c4-5b3e-7c2a-9f10-3d2b8e6a1c55')
    .action((id: string) =>
      run(async (cli) => (await import('./commands/jobs.ts')).cancelJobCommand(cli, id)),
    );
}
