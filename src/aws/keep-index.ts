import type { OwnerId, Position } from '../domain/values.ts';
import type { Brain } from '../server/brain.ts';
import { keys } from '../storage/keys.ts';
import type { Item } from '../storage/table.ts';
import type { Parts } from './parts.ts';

/** Events that a function has to read at most before it can answer with an index; then a snapshot is made. */
const TAIL_EVENTS = 1_000;
/** By this name is kept of whom what is stored. */
const SNAPSHOTS = 'snapshot';

/** Stores the owner's index in the bucket, if the log has gone on far beyond what is there. */
export async function keepIndex(brain: Brain, { table }: Parts, owner: OwnerId): Promise<void> {
  const key = keys.cursor(SNAPSHOTS, owner);
  const [stored, head] = await Promise.all([table.get(key), brain.store.head(owner)]);
  const at: Position = stored ? (JSON.parse(stored.j) as Position) : { epoch: '', seq: 0 };
  const isFresh = at.epoch === head.epoch && head.seq - at.seq < TAIL_EVENTS;
  if (isFresh || head.seq === 0) return;
  const { epoch, seq } = await brain.services.indexes.keep(owner);
  const put: Item = { ...key, et: 'cursor.1', j: JSON.stringify({ epoch, seq }) };
  await table.transact([[{ put }]]);
}
