import pino from 'pino';
import { currentContext, type Context } from './context.ts';
import { describeError } from './describe-error.ts';

export type Log = pino.Logger;

/** Ids of lines that are of the process itself and of nobody's request. */
const OF_PROCESS = { correlationId: '-', requestId: '-', ownerId: '-', traceId: '-' } as const;

// Properties of the logs themselves: what lies in a weak map, one entry a request, costs the collector of garbage more
// than all else of a request together.
const BOUND = Symbol('context');
const LINES = Symbol('lines');

interface Bound {
  /** What the log is bound to. */
  [BOUND]?: Context;
  /** Where its lines go. */
  [LINES]?: pino.DestinationStream;
}

/** Lines of this log are of this context wherever they are written, as on events of a socket that know no other. */
export function bindLog(log: object, context: Context): void {
  (log as Bound)[BOUND] = context;
}

/**
 * The structured log: one JSON object a line, each with the ids of whom it was made for, which no line can give
 * itself. Secrets and note contents have no business here; what looks like one by its name is cut out all the same,
 * and of an error only what `describeError` takes is told.
 */
export function createLog(
  options: { readonly level: string; readonly format: 'json' | 'pretty' },
  destination?: pino.DestinationStream,
): Log {
  const settings: pino.LoggerOptions = {
    level: options.level,
    base: null,
    timestamp: time,
    formatters: { level: (level) => ({ level }) },
    serializers: { err: describeError },
    mixin: (_line, _level, log) => idsOf((log as Bound)[BOUND] ?? currentContext()),
    mixinMergeStrategy: (line, ids) => Object.assign(withoutSecrets(line, 2), ids),
    hooks: {
      logMethod(args, method) {
        method.apply(this, inOurWords(args));
      },
    },
  };
  const lines = destination ?? (options.format === 'pretty' ? pretty() : stdout());
  return Object.assign(pino(settings, lines), { [LINES]: lines });
}

const pretty = (): pino.DestinationStream =>
  pino.transport({ target: 'pino-pretty' }) as pino.DestinationStream;

type Lines = pino.DestinationStream & { flushSync(): void };

/** What pino's stream is in the mode `buffer`, of which its types do not know. */
interface Bytes {
  write(bytes: Uint8Array): void;
  flushSync(): void;
}

let stdoutLines: Lines | undefined;
/** One for all logs of the process. */
const stdout = (): Lines => (stdoutLines ??= openStdout());

/** Under load a write of the log a turn of the event loop costs as much as reading a note. */
const GATHER_MS = 10;
const PIECE_BYTES = 64 * 1024;
/** Of one UTF-16 unit in UTF-8. */
const MOST_BYTES = 3;

/**
 * The lines of a few milliseconds go out in one write, without waiting for it; at the end nothing is left. They wait as
 * bytes: a long text that grows line by line would be copied whole each time that somebody looks at it.
 */
function openStdout(): Lines {
  let piece = Buffer.allocUnsafe(PIECE_BYTES);
  let used = 0;
  const send = (): void => {
    if (used > 0) stream.write(piece.subarray(0, used));
    piece = piece.subarray(used);
    used = 0;
  };
  const flushSync = (): void => {
    send();
    stream.flushSync();
  };
  process.once('exit', flushSync); // before the stream's own, which ends it
  const to = { dest: process.stdout.fd, sync: false, contentMode: 'buffer' } as const;
  const stream = pino.destination(to) as unknown as Bytes;
  return {
    write(line) {
      const mostBytes = line.length * MOST_BYTES;
      if (used + mostBytes > piece.length) {
        send();
        piece = Buffer.allocUnsafe(Math.max(PIECE_BYTES, mostBytes));
      }
      if (used === 0) setTimeout(send, GATHER_MS);
      used += piece.write(line, used);
    },
    flushSync,
  };
}

/**
 * Writes a line of plain values at a quarter of what another costs: they are names and numbers of our own, so that
 * there is nothing to be cut out. For the line that each request has.
 */
export function logPlain(
  log: Log,
  level: 'debug' | 'info',
  line: { readonly context: Context; readonly values: object; readonly msg: string },
): void {
  if (!log.isLevelEnabled(level)) return;
  const { context, values, msg } = line;
  let text = `{"level":"${level}"${time()}`;
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined) text += `,"${name}":${JSON.stringify(value)}`;
  }
  const { correlationId, requestId, ownerId, traceId, spanId = '' } = context;
  text += `,"correlationId":"${correlationId}","requestId":"${requestId}","ownerId":"${ownerId}"`;
  (log as Bound)[LINES]?.write(`${text},"traceId":"${traceId}","spanId":"${spanId}","msg":"${msg}"}\n`);
}

let timeMs = 0;
let timeText = '';

/** The time as a member of a line; made once a millisecond. */
function time(): string {
  const now = Date.now();
  if (now !== timeMs) {
    timeMs = now;
    timeText = `,"time":"${new Date(now).toISOString()}"`;
  }
  return timeText;
}

const SECRET = new Set([
  'authorization',
  'cookie',
  'set-cookie',
  'token',
  'password',
  'headers',
  'title',
  'content',
  'tags',
  'aliases',
]);

/** By their names, in the line and in what it holds. (pino's own way of doing this costs 8 µs a line, this one 0.5.) */
function withoutSecrets(line: object, depth: number): object {
  const told: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(line)) {
    if (SECRET.has(name)) told[name] = '[redacted]';
    else
      told[name] = name !== 'err' && depth > 1 && isRecord(value) ? withoutSecrets(value, depth - 1) : value;
  }
  return told;
}

function isRecord(value: unknown): value is object {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

/** The web framework quotes URLs in its words, and lets an error speak for a line that has none. */
function inOurWords(args: Parameters<pino.LogFn>): Parameters<pino.LogFn> {
  const words = args.findIndex((arg) => typeof arg === 'string');
  if (words < 0) return [args[0], 'of the web framework'];
  const told = args[words] as string;
  return told.includes('"')
    ? (args.with(words, told.replace(/"[^]*"/, '…')) as Parameters<pino.LogFn>)
    : args;
}

function idsOf(context: Context | undefined): object {
  if (!context) return OF_PROCESS;
  const { correlationId, requestId, ownerId, traceId, spanId } = context;
  return { correlationId, requestId, ownerId, traceId, spanId };
}
