import type { OwnerId } from '../domain/values.ts';
import type { Store } from '../storage/store.ts';
import type { Tx } from '../storage/transaction.ts';

export type OwnerService = ReturnType<typeof ownerService>;

/** Who is served here: what is done without a request is done for each of them. */
export function ownerService(needs: {
  readonly store: Store;
  /** Served whether or not they are stored. */
  readonly resident: OwnerId | undefined;
}) {
  const { store } = needs;
  const residents = needs.resident === undefined ? [] : [needs.resident];
  const met = new Map<OwnerId, Promise<void>>(residents.map((owner) => [owner, Promise.resolve()]));

  /** Who is known is only read: owners can read also while nothing can be written. */
  async function firstMeeting(owner: OwnerId): Promise<void> {
    const known = await store.read(owner).registrations.find(owner);
    if (!known) await store.write(owner, register);
  }

  return {
    /** Call it before anything is done for an owner. The first time it stores that there is this owner. */
    meet(owner: OwnerId): Promise<void> {
      let meeting = met.get(owner);
      if (!meeting) {
        meeting = firstMeeting(owner);
        met.set(owner, meeting);
        meeting.catch(() => met.delete(owner)); // the next request tries again
      }
      return meeting;
    },

    /** Those who were served by this process. */
    met: (): readonly OwnerId[] => [...met.keys()],

    /** Every owner who was ever served or given a token. */
    async known(): Promise<readonly OwnerId[]> {
      const stored = await Array.fromAsync(store.directory.owners());
      return [...new Set([...residents, ...stored])];
    },
  };
}

/** Stores that there is this owner, where that is not known yet. */
export async function register(tx: Tx): Promise<void> {
  const known = await tx.registrations.find(tx.owner);
  if (!known) tx.registrations.replace(undefined, { owner: tx.owner, since: tx.now });
}
