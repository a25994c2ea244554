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
  /** Those who came since `forget` was called last, and those who came in the time before. */
  let recent = new Set<OwnerId>(residents);
  let before: ReadonlySet<OwnerId> = new Set();
  const meetings = new Map<OwnerId, Promise<void>>();

  /** Who is known is only read: owners can read also while nothing can be written. */
  async function firstMeeting(owner: OwnerId): Promise<void> {
    const known = await store.read(owner).registrations.find(owner);
    if (!known) await store.write(owner, register);
    recent.add(owner);
  }

  return {
    /**
     * Call it before anything is done for an owner. The first time it stores that there is this owner; where that was
     * done there is nothing to wait for.
     */
    meet(owner: OwnerId): Promise<void> | undefined {
      if (recent.has(owner)) return undefined;
      if (before.has(owner)) {
        recent.add(owner);
        return undefined;
      }
      let meeting = meetings.get(owner);
      if (!meeting) {
        meeting = firstMeeting(owner).finally(() => meetings.delete(owner)); // what failed is tried again
        meetings.set(owner, meeting);
      }
      return meeting;
    },

    /** Those who were served by this process, and are not forgotten. */
    met: (): readonly OwnerId[] => [...recent.union(before)],

    /** Forgets those who did not come since it was called last: nothing more is done for them until they come again. */
    forget(): void {
      before = recent;
      recent = new Set(residents);
    },

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
