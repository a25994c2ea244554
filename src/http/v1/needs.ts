import type { Services } from '../../services/services.ts';
import type { Cursors } from '../cursor.ts';

/** What the resources of v1 stand on. */
export interface V1Needs {
  readonly services: Services;
  readonly cursors: Cursors;
}
