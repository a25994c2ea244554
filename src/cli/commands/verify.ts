import { verify, verifyFile, type FixableProblem, type Verification } from '../../server/verify.ts';
import type { Cli } from '../cli.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { duration, progressOn, SILENT } from '../progress.ts';
import { oneLine } from '../screen.ts';
import { counted, holdings } from '../counted.ts';

/** Printed for a person; `--json` has more of them. */
const PROBLEMS_SHOWN = 50;

/** Checks everything stored, or a backup. Changes nothing, and ends with 1 when something is wrong. */
export async function verifyCommand(cli: Cli, path: string | undefined): Promise<ExitCode> {
  const progress = cli.screen.json ? SILENT : progressOn(process.stderr);
  const start = performance.now();
  const update = progress.update.bind(progress);
  const found = await (
    path === undefined ? verify(cli.settings(), update) : verifyFile(path, update)
  ).finally(() => progress.end());
  const durationMs = Math.round(performance.now() - start);
  if (cli.screen.json) await cli.screen.document({ ...found, durationMs });
  else {
    await cli.screen.print(...linesOf(found));
    cli.screen.tell(`${found.of} was read in ${duration(durationMs)}.`);
  }
  return found.ok ? EXIT.ok : EXIT.failed;
}

function linesOf({ ok, owners, problems, problemCount }: Verification): readonly string[] {
  const shown = problems.slice(0, PROBLEMS_SHOWN);
  return [
    ...owners.map(
      ({ owner, nodes, edges, categories, events, compared, pending }) =>
        `${owner.padEnd(12)} ${holdings({ notes: nodes, edges, categories })}; ${counted(events, 'event')} folded` +
        `${compared > 0 ? `; index asked about ${counted(compared, 'note')}` : ''}${pending > 0 ? `; ${pending} to be finished` : ''}`,
    ),
    ...shown.flatMap(problemLines),
    ...(problemCount > shown.length ? [`and ${problemCount - shown.length} more`] : []),
    ok ? 'Everything is as it was written.' : `${counted(problemCount, 'problem')}.`,
  ];
}

function problemLines({ kind, key, message, fix }: FixableProblem): readonly string[] {
  return [`problem  ${kind.padEnd(9)} ${oneLine(key)}: ${oneLine(message)}`, `${''.padEnd(9)}fix: ${fix}`];
}
