import { ownerId } from '../domain/values.ts';
import type { BusEvent } from './events.ts';
import type { Parts } from './parts.ts';

/**
 * Woken by an event on the bus: whatever the owner's connections were not posted by whoever committed it is posted now.
 * It costs one query where nothing was missed. A failure is thrown, for the bus to come again.
 */
export function repairFunction({ delivery, inContext }: Parts): (event: BusEvent) => Promise<void> {
  return ({ detail }) => {
    const owner = ownerId(detail.owner);
    return inContext(owner, () => delivery.toOwner(owner));
  };
}
