import type { Log } from '../shared/log.ts';

/**
 * Puts into the log, with the ids of whose work it was, what Node would print as text of its own: warnings, and the
 * error that nobody caught, which ends the process; whatever was acknowledged is stored. Gives the way to stop.
 */
export function logProcess(log: Log): () => void {
  const before = process.listeners('warning');
  const onWarning = (err: Error): void => log.warn({ err }, 'warning');
  const onUncaught = (err: unknown, origin: string): void => {
    log.fatal({ err, origin }, 'nobody caught this error; the process ends');
    process.exit(1);
  };
  process.removeAllListeners('warning'); // Node's own, which prints
  process.on('warning', onWarning);
  process.on('uncaughtException', onUncaught);
  return () => {
    process.off('warning', onWarning);
    process.off('uncaughtException', onUncaught);
    for (const listener of before) process.on('warning', listener);
  };
}
