import pino from 'pino';
import { currentContext } from './context.ts';

export type Log = pino.Logger;

/** Ids of lines that are of the process itself and of nobody's request. */
const OF_PROCESS = { correlationId: '-', requestId: '-', ownerId: '-', traceId: '-' } as const;

/**
 * The structured log: one JSON object a line, each with the four ids of whom it was made for. Secrets and note
 * contents have no business here; what looks like one by its name is cut out all the same.
 */
export function createLog(
  options: { readonly level: string; readonly format: 'json' | 'pretty' },
  destination?: pino.DestinationStream,
): Log {
  const settings: pino.LoggerOptions = {
    level: options.level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (level) => ({ level }) },
    mixin: () => ({ ...(currentContext() ?? OF_PROCESS) }), // a copy: pino writes the line's own fields into it
    redact: {
      paths: ['*.authorization', '*.cookie', '*.token', '*.content', '*.password'],
      censor: '[redacted]',
    },
  };
  if (destination) return pino(settings, destination);
  if (options.format === 'pretty') return pino(settings, pino.transport({ target: 'pino-pretty' }));
  return pino(settings);
}
