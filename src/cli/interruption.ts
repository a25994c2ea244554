import { BrainError } from '../domain/error.ts';
import { EXIT } from './exit-codes.ts';

/** The first Ctrl-C stops between two notes and closes the store; the second does not wait. */
export function interruption(): { readonly signal: AbortSignal; end(): void } {
  const controller = new AbortController();
  const onSignal = (): void => {
    if (controller.signal.aborted) process.exit(EXIT.failed);
    controller.abort(new BrainError('aborted', 'stopped; what was stored stays, run it again to go on'));
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return {
    signal: controller.signal,
    end: () => process.off('SIGINT', onSignal).off('SIGTERM', onSignal),
  };
}
