import type { ImportEvent, ImportSummary } from '../api/v2-imports.ts';
import { BrainError } from '../domain/error.ts';
import type { Missing, NoteCounts } from './import-report.ts';
import type { Progress } from './progress.ts';

type ItemEvent = Extract<ImportEvent, { type: 'item' }>;

/** What an import has told, to its end. */
export interface Followed {
  readonly summary: ImportSummary;
  readonly notes: NoteCounts;
  readonly failed: readonly ItemEvent[];
  readonly trimmed: readonly ItemEvent[];
  readonly missing: readonly Missing[];
}

const STAGES = { links: 'linking' } as const;

/** Follows an import to its end, and shows how far it is. Throws when it is cut off, and the signal's reason on abort. */
export async function followImport(
  events: AsyncIterable<ImportEvent>,
  {
    total,
    progress,
    signal,
  }: { readonly total: number; readonly progress: Progress; readonly signal: AbortSignal },
): Promise<Followed> {
  const notes = { created: 0, updated: 0, unchanged: 0 };
  const failed: ItemEvent[] = [];
  const trimmed: ItemEvent[] = [];
  const missing: Missing[] = [];
  let stored = 0;
  for await (const event of events) {
    signal.throwIfAborted(); // leaving the loop ends the request
    switch (event.type) {
      case 'item':
        if (event.status === 'failed') failed.push(event);
        else if (event.nodeId !== undefined) notes[event.status] += 1;
        if (event.trimmed) trimmed.push(event);
        progress.update('storing', ++stored, total);
        break;
      case 'progress':
        progress.update(STAGES[event.stage] ?? event.stage, event.done, event.total);
        break;
      case 'missing':
        missing.push({ key: event.key, nodeId: event.nodeId, pruned: event.pruned });
        break;
      case 'summary':
        return { summary: event.summary, notes, failed, trimmed, missing };
      case 'problem':
        break; // the client has thrown it
      default:
        break; // of a newer server
    }
  }
  throw new BrainError('unavailable', 'the import was cut off before its end; run it again to go on');
}
