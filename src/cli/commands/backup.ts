import { backUp, restore } from '../../server/backup.ts';
import type { Verification } from '../../server/verify.ts';
import type { Cli } from '../cli.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { interruption } from '../interruption.ts';
import { duration, progressOn, SILENT } from '../progress.ts';
import { holdings } from '../counted.ts';

export interface BackupOptions {
  readonly force?: boolean;
}

const MEGABYTE = 1e6;

/** Copies the store into a file, beside a running server too. Ends with 1 when what was copied is damaged. */
export async function backupCommand(
  cli: Cli,
  path: string,
  { force = false }: BackupOptions,
): Promise<ExitCode> {
  const said = `stopped; a file that is at ${path} now is whole, and was not checked`;
  const { result, durationMs } = await timed(cli, said, (onProgress) =>
    backUp(cli.settings(), path, { force, onProgress }),
  );
  const { bytes, verification } = result;
  const { ok, problemCount } = verification;
  if (cli.screen.json) await cli.screen.document({ ...result, durationMs });
  else {
    await cli.screen.print(
      `${result.path}: ${holdingsOf(verification)}, ${(bytes / MEGABYTE).toFixed(1)} MB`,
    );
    cli.screen.tell(
      ok
        ? `Copied and checked in ${duration(durationMs)}. Bring it back with \`brain2 restore ${path}\`.`
        : `The store is damaged, and so is its copy: ${problemCount} problems. \`brain2 verify\` names them.`,
    );
  }
  return ok ? EXIT.ok : EXIT.failed;
}

/** Makes the data folder what it was when a backup was made. */
export async function restoreCommand(
  cli: Cli,
  path: string,
  { force = false }: BackupOptions,
): Promise<ExitCode> {
  const { result, durationMs } = await timed(cli, 'stopped; nothing was restored', (onProgress) =>
    restore(cli.settings(), path, { force, onProgress }),
  );
  const { dataDir, verification, replaced } = result;
  if (cli.screen.json) await cli.screen.document({ ...result, durationMs });
  else {
    await cli.screen.print(`${dataDir}: ${holdingsOf(verification)}`);
    cli.screen.tell(
      `Restored and checked in ${duration(durationMs)}.`,
      ...(replaced === undefined ? [] : [`What was there is in ${replaced}.`]),
    );
  }
  return EXIT.ok;
}

/** Ctrl-C ends it with what is `said`, at the next step that it tells of. */
async function timed<T>(
  cli: Cli,
  said: string,
  work: (onProgress: (stage: string, done: number, total: number) => void) => Promise<T>,
): Promise<{ readonly result: T; readonly durationMs: number }> {
  const progress = cli.screen.json ? SILENT : progressOn(process.stderr);
  const interrupt = interruption(said);
  const start = performance.now();
  try {
    const result = await work((stage, done, total) => {
      interrupt.signal.throwIfAborted();
      progress.update(stage, done, total);
    });
    return { result, durationMs: Math.round(performance.now() - start) };
  } finally {
    progress.end();
    interrupt.end();
  }
}

function holdingsOf({ owners }: Verification): string {
  const sum = (of: (owner: Verification['owners'][number]) => number): number =>
    owners.reduce((total, owner) => total + of(owner), 0);
  const whose = owners.length > 1 ? ` of ${owners.length} owners` : '';
  const held = {
    notes: sum((o) => o.nodes),
    edges: sum((o) => o.edges),
    categories: sum((o) => o.categories),
  };
  return `${holdings(held)}${whose}`;
}
