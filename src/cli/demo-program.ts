import type { Command } from 'commander';
import type { Run } from './cli.ts';
import type { DemoOptions } from './commands/demo.ts';

export function defineDemo(program: Command, run: Run): void {
  program
    .command('demo')
    .description('bring notes to look around in, or take them away again')
    .option('--remove', 'delete what the demo brought, and nothing else')
    .option('--force', 'also what you have changed since, or linked by hand')
    .addHelpText(
      'after',
      `
Over a hundred short notes on sleep, tea, bread, memory, bees, tides, maps, tuning, graphs and the post, with links,
tags, categories, and some that were edited once. They come beside your own notes, and coming again doubles nothing.
A note of the demo that you have changed is left as it is, by both; --remove also leaves one that you have linked by
hand, and a category that holds something. --force brings back, or removes, those too.

Examples:
  $ brain2 demo
  $ brain2 why Tides Beats
  $ brain2 demo --remove`,
    )
    .action((options: DemoOptions) =>
      run(async (cli) => (await import('./commands/demo.ts')).demoCommand(cli, options)),
    );
}
