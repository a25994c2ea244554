import { BrainError } from '../domain/error.ts';
import { EXIT } from './exit-codes.ts';

/** The first Ctrl-C stops between two steps, lets go of the store and says what is now; the second does not wait. */
export function interruption(said = 'stopped; what was stored stays, run it again to go on'): {
  readonly signal: AbortSignal;
  end(): void;
} {
  const controller = new AbortController();
  const onSignal = (): void => {
    if (controller.signal.aborted) process.exit(EXIT.failed);
    controller.abort(new BrainError('aborted', said));
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return {
    signal: controller.signal,
    end: () => process.off('SIGINT', onSignal).off('SIGTERM', onSignal),
  };
}
