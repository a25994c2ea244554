import { cliOf } from './cli.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { brainProgram } from './program.ts';
import { reportError } from './report-error.ts';
import { processScreen } from './screen.ts';

/** Runs one command line, without the name of the program, and gives what the process is to end with. */
export async function run(args: readonly string[]): Promise<ExitCode> {
  const json = args.slice(0, endOfOptions(args)).includes('--json');
  let exitCode: ExitCode = EXIT.ok;
  const program = brainProgram({ json }, async (work) => {
    const { data, token } = program.opts<{ readonly data?: string; readonly token?: string }>();
    exitCode = await work(cliOf(processScreen(json), { dataDir: data, token }));
  });
  try {
    await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    return reportError(error, json);
  }
}

function endOfOptions(args: readonly string[]): number {
  const end = args.indexOf('--');
  return end < 0 ? args.length : end;
}
