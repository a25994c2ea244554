import type { OwnerId } from '../domain/values.ts';
import type { Services } from '../services/services.ts';
import type { Store } from '../storage/store.ts';

/** What can be read of a running Brain2 at any time, by the name it has in the metrics. */
export const READINGS = {
  brain2_log_position: 'Number of the last event in the log.',
  brain2_nodes: 'Notes that are stored.',
  brain2_edges: 'Edges that are stored.',
  brain2_categories: 'Categories that are stored.',
  brain2_index_notes: 'Notes in the index in memory.',
  brain2_index_behind_events: 'Events that the index lacks; the next use takes them.',
  brain2_index_unsaved_events: 'Events that the stored index lacks; a start would take them.',
  brain2_store_waiting_writes: 'Writes that wait to be decided and committed.',
} as const;

export type Readings = Readonly<Record<keyof typeof READINGS, number>>;

export async function read(
  { store, services }: { readonly store: Store; readonly services: Pick<Services, 'indexes'> },
  owner: OwnerId,
): Promise<Readings> {
  const { seq, counts } = await store.head(owner);
  const { notes = 0, behind = 0, unsaved = 0 } = (await services.indexes.freshness(owner)) ?? {};
  return {
    brain2_log_position: seq,
    brain2_nodes: counts.nodes,
    brain2_edges: counts.edges,
    brain2_categories: counts.categories,
    brain2_index_notes: notes,
    brain2_index_behind_events: behind,
    brain2_index_unsaved_events: unsaved,
    brain2_store_waiting_writes: store.waiting,
  };
}
