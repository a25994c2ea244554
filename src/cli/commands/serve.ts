import { serve, type RunningServer } from '../../server/main.ts';
import type { Settings } from '../../server/settings.ts';
import { VERSION } from '../../server/version.ts';
import type { Cli } from '../cli.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { commandFor, shortPath } from '../command-for.ts';
import { holdings } from '../counted.ts';

export interface ServeOptions {
  readonly host?: string;
  readonly port?: string;
}

const STOPPED_BY_SECOND_SIGNAL = 130;
const FIRST_STEPS = ['demo', 'import ~/notes', 'add "a thought"'];

/** Serves until SIGINT or SIGTERM. stdout is for the log; the banner goes to stderr. */
export async function serveCommand(cli: Cli, options: ServeOptions): Promise<ExitCode> {
  // A person reads lines; a program, or a file, gets JSON.
  const logFormat = process.stdout.isTTY && !process.env['BRAIN2_LOG_FORMAT'] ? { logFormat: 'pretty' } : {};
  const settings = cli.settings({ ...options, ...logFormat });
  const stopped = firstSignal(); // before the server: a Ctrl-C while it starts is not lost
  const server = await serve(settings, { environment: process.env, ownsProcess: true });
  cli.screen.tell(...banner(server, settings));
  await stopped;
  cli.screen.tell('  Stopping: what is under way is finished first. Ctrl-C again does not wait.');
  await server.stop();
  return EXIT.ok;
}

/** Resolves at the first signal to stop; the second ends the process. Whatever was acknowledged is stored already. */
function firstSignal(): Promise<void> {
  const first = Promise.withResolvers<void>();
  let count = 0;
  const onSignal = (): void => {
    count += 1;
    if (count > 1) process.exit(STOPPED_BY_SECOND_SIGNAL);
    first.resolve();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return first.promise;
}

export function banner(server: RunningServer, settings: Settings): string[] {
  const { url, isNew, counts, portTaken } = server;
  const { nodes, edges, categories } = counts;
  const first = settings.auth === 'token' ? [commandFor('token create --owner NAME', settings)] : [];
  return [
    ...(portTaken === undefined
      ? []
      : [`  Port ${portTaken} is taken by another program; using the next free one.`]),
    `  brain2 ${VERSION}   ${place(settings)}${isNew ? ' (new)' : ''}   store ${settings.store}   ${new URL(url).host}`,
    `  API     ${url}/api/v2    Docs    ${url}/docs`,
    `  Live    ${url.replace(/^http/, 'ws')}/ws         Health  ${url}/health`,
    '  Stop    Ctrl-C',
    ...(settings.auth === 'local' ? [] : [`  Auth    ${settings.auth}`]),
    nodes === 0
      ? `  Your graph is empty. Next:  ${[...first, ...FIRST_STEPS.map((step) => commandFor(step, settings))].join('  |  ')}`
      : `  ${holdings({ notes: nodes, edges, categories })}.`,
  ];
}

/** Where the graph is. */
function place({ store, table, dataDir }: Settings): string {
  return store === 'dynamodb' ? `table ${table}` : `data ${shortPath(dataDir)}`;
}
