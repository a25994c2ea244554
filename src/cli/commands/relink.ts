import { setTimeout as delay } from 'node:timers/promises';
import type { EdgeChange, LinkerRun } from '../../api/v2-linker.ts';
import { ApiError, type BrainClient } from '../../client/http-client.ts';
import { onGraph, type Cli } from '../cli.ts';
import { commandFor } from '../command-for.ts';
import { CliError } from '../cli-error.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { interruption } from '../interruption.ts';
import { duration, progressOn, SILENT, type Progress } from '../progress.ts';
import { briefReasons } from '../reasons.ts';
import { oneLine } from '../screen.ts';

export interface RelinkOptions {
  readonly dryRun?: boolean;
  /** The dry run to apply, or true for none. */
  readonly apply?: string | true;
  readonly revert?: string;
}

const ASK_MS = 250;
const SHOWN = 5;

/** Links all notes anew: by default it only says what would change. */
export async function relinkCommand(cli: Cli, options: RelinkOptions): Promise<ExitCode> {
  const asked = [options.dryRun, options.apply, options.revert].filter((option) => option !== undefined);
  if (asked.length > 1) throw new CliError('invalid', 'give one of --dry-run, --apply and --revert');
  const progress = cli.screen.json ? SILENT : progressOn(process.stderr);
  const interrupt = interruption();
  const settings = cli.settings();
  const named: Named = (command) => commandFor(command, settings);
  const start = performance.now();
  const { run, titles } = await onGraph(cli, { creates: false }, async (client, { kind }) => {
    const begun = await begin(client, options, named);
    const ended = await finished(client, begun, { progress, interrupt }).catch(async (error: unknown) => {
      if (!interrupt.signal.aborted) throw error;
      if (kind === 'local') await client.jobs.cancel(begun.id); // nobody is there to go on with it
      throw stopped(begun, kind, named);
    });
    return {
      run: ended,
      titles: cli.screen.json ? new Map<string, string>() : await titlesOf(client, ended),
    };
  }).finally(() => {
    progress.end();
    interrupt.end();
  });
  if (cli.screen.json) await cli.screen.document(run);
  else {
    await cli.screen.print(...linesOf(run, titles));
    cli.screen.tell(`Done in ${duration(performance.now() - start)}.`, ...next(run, named));
  }
  return run.status === 'done' ? EXIT.ok : EXIT.failed;
}

async function begin(client: BrainClient, options: RelinkOptions, named: Named): Promise<LinkerRun> {
  try {
    return await ask(client, options);
  } catch (error) {
    const running = isConflict(error) ? await underWay(client) : undefined;
    if (!running) throw error;
    throw new CliError('conflict', `the run ${running} is under way`, {
      hints: seeAndEnd(running, named),
    });
  }
}

const isConflict = (error: unknown): boolean =>
  error instanceof ApiError && error.problem.code === 'conflict';

/** A command as it works from here. */
type Named = (command: string) => string;

const seeAndEnd = (id: string, named: Named): readonly string[] => [
  `See how far it is:  ${named(`jobs show ${id}`)}`,
  `End it:  ${named(`jobs cancel ${id}`)}`,
];

async function underWay(client: BrainClient): Promise<string | undefined> {
  const lists = await Promise.all(
    ['running', 'queued'].map((status) => client.jobs.list({ kind: 'relink', status })),
  );
  return lists.flatMap(({ items }) => items)[0]?.id;
}

function ask(client: BrainClient, { apply, revert }: RelinkOptions): Promise<LinkerRun> {
  if (revert !== undefined) return client.linker.revert(revert);
  if (typeof apply === 'string') return client.linker.apply(apply);
  return client.linker.start({ dryRun: apply !== true });
}

/** The run once it has ended. */
async function finished(
  client: BrainClient,
  begun: LinkerRun,
  told: { readonly progress: Progress; readonly interrupt: { readonly signal: AbortSignal } },
): Promise<LinkerRun> {
  const { progress, interrupt } = told;
  let run = begun;
  while (run.status === 'queued' || run.status === 'running') {
    await delay(ASK_MS, undefined, interrupt);
    run = await client.linker.get(run.id);
    progress.update(run.action, run.progress.done, run.progress.total ?? 0);
  }
  return run;
}

/** What a command says that did not wait for its run. */
function stopped({ id, action }: LinkerRun, kind: 'server' | 'local', named: Named): CliError {
  if (kind === 'server')
    return new CliError('aborted', `the server goes on with the run ${id}`, {
      hints: seeAndEnd(id, named),
    });
  if (action === 'preview') return new CliError('aborted', 'stopped; nothing was changed');
  return new CliError('aborted', 'stopped; what was changed by then stays', {
    hints: [
      action === 'apply'
        ? `Take it back:  ${named(`relink --revert ${id}`)}`
        : 'Run it again to go on: what is taken back already is left.',
    ],
  });
}

async function titlesOf(client: BrainClient, run: LinkerRun): Promise<ReadonlyMap<string, string>> {
  const ids = new Set(shownOf(run).flatMap(({ sourceId, targetId }) => [sourceId, targetId]));
  if (ids.size === 0) return new Map();
  const { items } = await client.nodes.bulk.get([...ids]);
  return new Map(items.flatMap((item) => (item.node ? [[item.node.id, item.node.label]] : [])));
}

function shownOf({ result }: LinkerRun): readonly EdgeChange[] {
  if (!result) return [];
  const { added, removed, changed } = result.samples;
  return [added, removed, changed].flatMap((samples) => samples.slice(0, SHOWN));
}

const WORDS = {
  preview: { added: 'would be added', removed: 'would be removed', changed: 'would change' },
  apply: { added: 'added', removed: 'removed', changed: 'changed' },
  revert: { added: 'brought back', removed: 'taken away', changed: 'set back' },
} as const;

/** Weights to the hundredth, or as far as it takes to see that two are not the same. */
function asFarAsTheyDiffer(weights: readonly number[]): readonly string[] {
  const digits = [2, 3, 4, 5].find((d) => weights[0]?.toFixed(d) !== weights[1]?.toFixed(d)) ?? 2;
  return weights.map((weight) => weight.toFixed(digits));
}

function linesOf(run: LinkerRun, titles: ReadonlyMap<string, string>): readonly string[] {
  const { result, problem, action } = run;
  if (!result) return [`${run.status}: ${problem?.detail ?? 'the run has no result'}`];
  const words = WORDS[action];
  const nameOf = (id: string): string => oneLine(titles.get(id) ?? id);
  const sample = (change: EdgeChange): string => {
    const weights = [change.weightBefore, change.weight].filter((weight) => weight !== null);
    const told = asFarAsTheyDiffer(weights).join(' → ');
    const ends = { self: nameOf(change.sourceId), other: nameOf(change.targetId) };
    return `        "${ends.self}" – "${ends.other}" ${told} (${briefReasons(change.reasons, ends)})`;
  };
  const kinds = (['added', 'removed', 'changed'] as const).flatMap((kind) => [
    `${String(result[kind]).padStart(7)} ${words[kind]}`,
    ...result.samples[kind].slice(0, SHOWN).map(sample),
  ]);
  return [
    ...kinds,
    `${String(result.kept).padStart(7)} stay as they are`,
    ...(result.otherwise ? [`${String(result.otherwise).padStart(7)} otherwise than the dry run said`] : []),
    ...(result.left ? [`${String(result.left).padStart(7)} left, for they have changed since`] : []),
  ];
}

function next({ action, id, result }: LinkerRun, named: Named): readonly string[] {
  if (!result || result.added + result.removed + result.changed === 0) return [];
  if (action === 'preview') return [`Apply it:  ${named(`relink --apply ${id}`)}`];
  return action === 'apply' ? [`Take it back:  ${named(`relink --revert ${id}`)}`] : [];
}
