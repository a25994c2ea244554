import { existsSync } from 'node:fs';
import type { EventFrame, Filter, NoticeFrame, Position } from '../../api/realtime.ts';
import { ApiError, type BrainClient } from '../../client/http-client.ts';
import { RealtimeClient } from '../../client/realtime-client.ts';
import { RealtimeError, type RealtimeItem } from '../../client/realtime-options.ts';
import { connect, serverOf } from '../../server/connect.ts';
import { CliError } from '../cli-error.ts';
import type { Cli } from '../cli.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { oneLine } from '../screen.ts';

export interface WatchOptions {
  readonly types?: readonly string[];
  readonly since?: string;
}

/** Prints what happens, as it happens, until Ctrl-C or until nobody reads it any more. */
export async function watchCommand(cli: Cli, options: WatchOptions): Promise<ExitCode> {
  const { screen } = cli;
  const url = serverUrl(cli);
  const { client: http } = await connect(cli.settings());
  const from = options.since === undefined ? undefined : await positionOf(options.since, http);
  const filter: Filter | undefined = options.types && { types: [...options.types] };
  const client = new RealtimeClient({ url, from, filter, ticket: async () => (await http.ticket()).ticket });
  let isAway = false;
  client.on({
    state(state) {
      if (state === 'waiting' && !isAway) screen.tell('The server does not answer; trying again.');
      if (state === 'live' && isAway) screen.tell('The server is back.');
      if (state === 'waiting' || state === 'live') isAway = state === 'waiting';
    },
    notice({ action: _action, ...notice }) {
      void screen.print(screen.json ? JSON.stringify(notice) : noticeLineOf(notice, cli));
    },
    frame(frame) {
      if (frame.action === 'error') client.stop(new RealtimeError(0, frame.message));
    },
  });
  const stop = (): void => client.stop();
  process.once('SIGINT', stop).once('SIGTERM', stop);
  try {
    for await (const item of client) {
      await screen.print(screen.json ? JSON.stringify(recordOf(item)) : lineOf(item, cli));
      if (screen.closed) client.stop();
    }
  } catch (error) {
    if (error instanceof RealtimeError) throw new CliError('invalid', error.message, { cause: error });
    throw error;
  }
  return EXIT.ok;
}

function serverUrl(cli: Cli): string {
  const { dataDir } = cli.settings();
  const url = existsSync(dataDir) ? serverOf(dataDir) : undefined;
  if (url !== undefined) return url;
  throw new CliError('unavailable', `no server runs on ${dataDir}, so nothing can be watched`, {
    hints: ['Start one with `brain2 serve`, or name its data folder with --data DIR.'],
  });
}

/** `start`, a number of the log, or a position as it is printed. */
async function positionOf(text: string, http: BrainClient): Promise<Position> {
  const [, given, seq] = /^(?:(.{1,64})-)?(\d{1,15})$/.exec(text) ?? [];
  if (seq === undefined && text !== 'start')
    throw new CliError('invalid', `--since takes start, a number, or EPOCH-NUMBER, not "${text}"`);
  if (given !== undefined) return { epoch: given, seq: Number(seq) };
  const oldest = await startOf(http);
  return seq === undefined ? oldest : { epoch: oldest.epoch, seq: Number(seq) };
}

/** Before the oldest event that the log still has. */
async function startOf(http: BrainClient): Promise<Position> {
  try {
    return { epoch: (await http.changes({ seq: 0 }, 1)).epoch, seq: 0 };
  } catch (error) {
    if (!(error instanceof ApiError) || error.problem.code !== 'position_gone') throw error;
    const { epoch, floorSeq } = error.problem.details as {
      readonly epoch: string;
      readonly floorSeq: number;
    };
    return { epoch, seq: floorSeq };
  }
}

function recordOf(item: RealtimeItem): object {
  if (item.kind !== 'event') return { kind: item.kind, reason: item.reason, ...item.position };
  const { action: _action, prev: _prev, ...event } = item.event;
  return event;
}

function lineOf(item: RealtimeItem, { screen }: Cli): string {
  const { position } = item;
  const seq = String(position.seq).padStart(6);
  if (item.kind !== 'event')
    return screen.paint(
      'yellow',
      `${seq}  from here on; what came before is not in the log (${item.reason})`,
    );
  const { event } = item;
  const time = screen.paint('dim', new Date(event.timestamp).toLocaleTimeString('en-GB'));
  return `${seq}  ${time}  ${event.type.padEnd(21)}  ${subjectOf(event)}`.trimEnd();
}

function noticeLineOf(notice: Omit<NoticeFrame, 'action'>, { screen }: Cli): string {
  const { kind, status, progress } = notice.data;
  const time = screen.paint('dim', new Date(notice.timestamp).toLocaleTimeString('en-GB'));
  const done = `${progress.done}${progress.total === undefined ? '' : ` of ${progress.total}`}`;
  const failed = progress.failed === 0 ? '' : `, ${progress.failed} failed`;
  const subject = `${notice.jobId ?? ''}  ${kind} ${status}, ${done}${failed}`;
  return `${' '.repeat(6)}  ${time}  ${notice.type.padEnd(21)}  ${oneLine(subject)}`;
}

interface Named {
  readonly title?: string;
  readonly content?: string;
}

/** What an event is about, in a few words. */
function subjectOf({ nodeId, edgeId, categoryId, data }: EventFrame): string {
  const facts = (data ?? {}) as {
    readonly node?: Named;
    readonly category?: Named;
    readonly changes?: Named;
    readonly sourceId?: string;
    readonly targetId?: string;
    readonly weight?: number;
    readonly edge?: { readonly weight: number };
  };
  if (edgeId !== undefined && nodeId === undefined) {
    const weight = facts.weight ?? facts.edge?.weight;
    return `${facts.sourceId ?? edgeId} – ${facts.targetId ?? ''}${weight === undefined ? '' : `  ${weight.toFixed(2)}`}`;
  }
  const named = facts.node ?? facts.category ?? facts.changes;
  const title = oneLine(named?.title || named?.content?.slice(0, 100) || '').slice(0, 60);
  return `${nodeId ?? categoryId ?? ''}${title === '' ? '' : `  ${title}`}`;
}
