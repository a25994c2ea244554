import { migrateStore, type StoreKind } from '../../server/migration.ts';
import { CliError } from '../cli-error.ts';
import type { Cli } from '../cli.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { duration, progressOn, SILENT } from '../progress.ts';
import { counted, holdings } from '../counted.ts';

export interface MigrateOptions {
  readonly from: StoreKind;
  readonly to: StoreKind;
  readonly resume?: boolean;
  readonly force?: boolean;
}

/** Moves everything from one store into another, and compares the two. */
export async function migrateCommand(cli: Cli, options: MigrateOptions): Promise<ExitCode> {
  const { from, to, resume = false, force = false } = options;
  if (from === to) throw new CliError('invalid', `--from and --to both say ${from}`);
  if (resume && force) {
    throw new CliError(
      'invalid',
      '--resume goes on with what is there and --force deletes it: give one of them',
    );
  }
  const { screen } = cli;
  const progress = screen.json ? SILENT : progressOn(process.stderr);
  const started = performance.now();
  const settings = cli.settings();
  const { items, counts, hash, resumedAt } = await migrateStore(settings, {
    from,
    to,
    mode: force ? 'force' : resume ? 'resume' : 'new',
    onProgress: progress.update,
  }).finally(progress.end);
  if (screen.json) {
    await screen.document({ from, to, items, counts, hash, resumedAt });
    return EXIT.ok;
  }
  const { node = 0, edge = 0, category = 0, log = 0 } = counts;
  const lines = [
    `${items} items are the same in both: ${holdings({ notes: node, edges: edge, categories: category })}, ${counted(log, 'transaction')} of the log`,
    `hash ${hash}, ${duration(performance.now() - started)}`,
  ];
  if (resumedAt > 0) lines.push(`${resumedAt} items were there from the run that was cut off`);
  await screen.print(...lines);
  const store = to === 'dynamodb' ? `BRAIN2_STORE=dynamodb BRAIN2_TABLE=${settings.table} ` : '';
  screen.tell(`Next:  ${store}brain2 serve`);
  return EXIT.ok;
}
