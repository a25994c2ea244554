import { existsSync } from 'node:fs';
import type { BrainClient } from '../client/http-client.ts';
import type { Connection } from '../server/connect.ts';
import { readSettings, type Settings } from '../server/settings.ts';
import { CliError } from './cli-error.ts';
import type { ExitCode } from './exit-codes.ts';
import type { Screen } from './screen.ts';

/** What every command gets. */
export interface Cli {
  readonly screen: Screen;
  /** Reads the settings: `flags`, `--data` and `--token` over the environment. Throws `invalid`, naming every mistake. */
  settings(flags?: Readonly<Partial<Record<'host' | 'port' | 'logFormat', string | undefined>>>): Settings;
}

/** Runs the work of a command. */
export type Run = (work: (cli: Cli) => Promise<ExitCode>) => Promise<void>;

export function cliOf(
  screen: Screen,
  given: { readonly dataDir?: string | undefined; readonly token?: string | undefined },
): Cli {
  return { screen, settings: (flags = {}) => readSettings(process.env, { ...flags, ...given }) };
}

/** Runs `work` on the graph, beside a running server or without one. `creates`: a data folder is made, or filled. */
export async function onGraph<T>(
  cli: Cli,
  options: { readonly creates: boolean; readonly operatorFor?: string },
  work: (client: BrainClient, where: Connection['where']) => Promise<T>,
): Promise<T> {
  const settings = cli.settings();
  const { connect, isBegun } = await import('../server/connect.ts');
  if (!options.creates && !isBegun(settings)) {
    const { dataDir } = settings;
    const is = existsSync(dataDir) ? `${dataDir} is no data folder` : `there is no data folder at ${dataDir}`;
    throw new CliError('not_found', is, {
      hints: [
        'Begin one with `brain2 demo`, `brain2 import PATH` or `brain2 add "a thought"`, or name another with --data DIR.',
      ],
    });
  }
  const connection = await connect(settings, options);
  try {
    return await work(connection.client, connection.where);
  } finally {
    await connection.close();
  }
}
