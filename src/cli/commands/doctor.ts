import { constants, existsSync } from 'node:fs';
import { access, statfs } from 'node:fs/promises';
import type { Health } from '../../api/common.ts';
import { allPages } from '../../client/all-pages.ts';
import { ApiError, type BrainClient } from '../../client/http-client.ts';
import { BrainError } from '../../domain/error.ts';
import { connect, isBegun } from '../../server/connect.ts';
import { withoutSecrets, type Settings } from '../../server/settings.ts';
import { VERSION } from '../../server/version.ts';
import type { Cli } from '../cli.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { oneLine } from '../screen.ts';
import { holdings } from '../counted.ts';

type Status = 'ok' | 'warning' | 'problem';

/** One thing that was looked at. */
interface Check {
  readonly name: string;
  readonly status: Status;
  readonly message: string;
  readonly fix?: string;
}

const BEGIN = 'brain2 import, add or serve makes it';
const NODE_MAJOR = 24;
const GIGABYTE = 1024 ** 3;
const LOW_BYTES = GIGABYTE;
const FULL_BYTES = 100 * 1024 ** 2;

/** Looks at everything that the product stands on. Makes nothing, and ends with 1 when there is a problem. */
export async function doctorCommand(cli: Cli): Promise<ExitCode> {
  const checks: Check[] = [nodeCheck()];
  const settings = settingsOf(cli, checks);
  if (settings) {
    checks.push(...(await placeChecks(settings)));
    if (isBegun(settings)) checks.push(...(await storeChecks(settings)));
  }
  const worst = checks.some((check) => check.status === 'problem') ? EXIT.failed : EXIT.ok;
  if (cli.screen.json)
    await cli.screen.document({
      ok: worst === EXIT.ok,
      version: VERSION,
      settings: settings && withoutSecrets(settings),
      checks,
    });
  else {
    await cli.screen.print(...checks.flatMap((check) => linesOf(check, cli)));
    if (worst === EXIT.ok)
      cli.screen.tell('How it stands. Whether all that is stored is sound, `brain2 verify` tells.');
  }
  return worst;
}

function linesOf({ name, status, message, fix }: Check, { screen }: Cli): string[] {
  const colour = ({ ok: 'green', warning: 'yellow', problem: 'red' } as const)[status];
  const line = `${screen.paint(colour, status.padEnd(8))} ${name.padEnd(12)} ${oneLine(message)}`;
  return fix === undefined ? [line] : [line, `${''.padEnd(22)}fix: ${fix}`];
}

function nodeCheck(): Check {
  const message = `brain2 ${VERSION} on Node ${process.versions.node}`;
  const [major] = process.versions.node.split('.');
  if (Number(major) >= NODE_MAJOR) return { name: 'version', status: 'ok', message };
  return { name: 'version', status: 'problem', message, fix: `install Node ${NODE_MAJOR} or newer` };
}

function settingsOf(cli: Cli, checks: Check[]): Settings | undefined {
  try {
    const settings = cli.settings();
    const { host, port, store, auth, logLevel, logFormat, mode } = settings;
    const logs = `log level ${logLevel}, log format ${logFormat}`;
    const message = `host ${host}, port ${port}, store ${store}, auth ${auth}, ${logs}, ${mode}`;
    checks.push({ name: 'settings', status: 'ok', message });
    return settings;
  } catch (error) {
    if (!(error instanceof BrainError)) throw error;
    const fix = 'set it right, or unset it';
    checks.push(
      ...error.issues.map(({ message }): Check => ({ name: 'settings', status: 'problem', message, fix })),
    );
    return undefined;
  }
}

/** Where the graphs are. */
function placeChecks(settings: Settings): Promise<Check[]> {
  return settings.store === 'dynamodb' ? tableChecks(settings) : folderChecks(settings);
}

async function tableChecks(settings: Settings): Promise<Check[]> {
  const { tableStatusOf } = await import('../../server/tables.ts');
  try {
    const { name, state, ...rest } = await tableStatusOf(settings);
    const safety = {
      'point-in-time recovery': rest.pointInTimeRecovery,
      'deletion protection': rest.deletionProtection,
      'removal of what has expired': rest.ttl,
    };
    const off = Object.entries(safety).flatMap(([what, setting]) => (setting === 'off' ? [what] : []));
    const check = { name: 'table', message: `${name}, ${state}, ${rest.billing}` } as const;
    if (off.length === 0) return [{ ...check, status: 'ok' }];
    const fix = 'brain2 table create makes good what is missing';
    return [{ ...check, status: 'warning', message: `${check.message}; off: ${off.join(', ')}`, fix }];
  } catch (error) {
    return [{ ...refusal(error), name: 'table' }];
  }
}

async function folderChecks(settings: Settings): Promise<Check[]> {
  const { dataDir } = settings;
  if (!existsSync(dataDir)) {
    const message = `${dataDir} does not exist yet`;
    return [{ name: 'data folder', status: 'warning', message, fix: BEGIN }];
  }
  try {
    await access(dataDir, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch {
    const message = `${dataDir} cannot be written`;
    return [
      {
        name: 'data folder',
        status: 'problem',
        message,
        fix: 'make it writable, or use another --data folder',
      },
    ];
  }
  const { bavail, bsize } = await statfs(dataDir);
  const folder: Check = isBegun(settings)
    ? { name: 'data folder', status: 'ok', message: dataDir }
    : { name: 'data folder', status: 'warning', message: `${dataDir} has nothing stored in it`, fix: BEGIN };
  return [folder, spaceCheck(bavail * bsize)];
}

function spaceCheck(freeBytes: number): Check {
  const message = `${(freeBytes / GIGABYTE).toFixed(1)} GB free`;
  if (freeBytes >= LOW_BYTES) return { name: 'disk', status: 'ok', message };
  return {
    name: 'disk',
    status: freeBytes < FULL_BYTES ? 'problem' : 'warning',
    message,
    fix: 'free some space',
  };
}

async function storeChecks(settings: Settings): Promise<Check[]> {
  try {
    const connection = await connect(settings);
    try {
      const { where } = connection;
      const found = await healthChecks(connection.client);
      if (settings.store === 'dynamodb') return found; // any number of servers may be at the table
      const message = where.kind === 'server' ? `a server holds it, at ${where.url}` : 'nobody else holds it';
      return [{ name: 'in use', status: 'ok', message }, ...found];
    } finally {
      await connection.close();
    }
  } catch (error) {
    return [refusal(error)];
  }
}

const FIXES: Readonly<Record<string, string>> = {
  not_found: 'brain2 table create',
  locked: 'wait until it is done, or stop it',
  read_only: 'make it writable, or use another --data folder',
  corrupt: 'restore the folder from a backup, or import again into a new --data folder',
  schema_newer: 'install the newer brain2 that wrote it',
  storage_full: 'free some space',
  unauthenticated: 'set BRAIN2_TOKEN; brain2 token create makes one',
};

function refusal(error: unknown): Check {
  const code =
    error instanceof BrainError ? error.code : error instanceof ApiError ? error.problem.code : 'internal';
  const message = error instanceof Error ? error.message : String(error);
  const fix = FIXES[code];
  return {
    name: code === 'locked' ? 'in use' : 'store',
    status: code === 'locked' ? 'warning' : 'problem',
    message,
    ...(fix !== undefined && { fix }),
  };
}

const STATUS_OF: Readonly<Record<Health['status'], Status>> = {
  up: 'ok',
  degraded: 'warning',
  down: 'problem',
};

async function healthChecks(client: BrainClient): Promise<Check[]> {
  // Finding the counts opens the graph, so that the health of the index is told as well.
  const { nodes, edges } = await client.graph();
  const categories = await Array.fromAsync(allPages(client.categories.list));
  const { components } = await client.health();
  // The space on the disk is looked at above, where a server that does not start can still be told why.
  const { disk: _disk, ...rest } = components;
  return [
    ...Object.entries(rest).map(([name, { status, message, details }]): Check => {
      const facts = Object.entries(details ?? {}).map(([fact, value]) => `${fact} ${String(value)}`);
      return {
        name,
        status: STATUS_OF[status],
        message: [message, ...facts].filter(Boolean).join(', ') || status,
      };
    }),
    {
      name: 'graph',
      status: 'ok',
      message: holdings({ notes: nodes.length, edges: edges.length, categories: categories.length }),
    },
  ];
}
