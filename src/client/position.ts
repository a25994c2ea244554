import type { Position } from '../api/realtime.ts';

/** What a frame means to a reader that stands at `last`: rule RT1 of `docs/spec/realtime.md`. */
export type Verdict = 'accept' | 'duplicate' | 'gap';

/**
 * `prev` is what the server had told before the frame. At or before `last`, nothing can be missing in between; after
 * it, something is. A frame of another log is a gap too: asking to resume tells what has become of this one.
 */
export function judge(last: Position, frame: Position & { readonly prev: number }): Verdict {
  const isNew = last.epoch === '' && last.seq === 0;
  if (frame.epoch !== last.epoch && !isNew) return 'gap';
  if (frame.seq <= last.seq) return 'duplicate';
  return frame.prev <= last.seq ? 'accept' : 'gap';
}
