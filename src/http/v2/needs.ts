import type { Services } from '../../services/services.ts';
import type { Cursors } from '../cursor.ts';
import type { Once } from '../idempotency.ts';
import type { Replacements } from '../successors.ts';
import type { RealtimeNeeds } from './realtime.ts';

/** What the resources of v2 stand on. */
export interface V2Needs {
  readonly services: Services;
  readonly cursors: Cursors;
  /** What replaces each route of a deprecated version. */
  readonly replacements: Replacements;
  readonly once: Once;
  readonly realtime: RealtimeNeeds;
}
