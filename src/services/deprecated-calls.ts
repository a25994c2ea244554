import type { Instant, OwnerId } from '../domain/values.ts';
import { piecesOf } from '../shared/pieces.ts';
import type { DeprecatedCallId, DeprecatedCalls } from '../storage/repositories.ts';
import type { Store } from '../storage/store.ts';

/** Counts written in one transaction, of the hundred writes that it takes. */
const COUNTS_A_TRANSACTION = 50;

/**
 * Counts which of an owner's clients still call what is to go. Counted in memory and written now and then: a call costs
 * no write, and a crash loses the counts since the last `flush` and nothing else.
 */
export class DeprecatedCallCounter {
  readonly #store: Store;
  #counted = new Map<OwnerId, Map<string, DeprecatedCalls>>();
  /** One flush at a time, so that whoever waits for one has everything that was counted before. */
  #flushing: Promise<void> = Promise.resolve();

  constructor(needs: { readonly store: Store }) {
    this.#store = needs.store;
  }

  count(owner: OwnerId, { operation, tokenId }: DeprecatedCallId, at: Instant): void {
    this.#add(owner, {
      operation,
      ...(tokenId !== undefined && { tokenId }),
      count: 1,
      firstAt: at,
      lastAt: at,
    });
  }

  /** Stores what was counted. What cannot be stored is kept for the next time. */
  flush(): Promise<void> {
    const flushed = this.#flushing.then(() => this.#flush());
    this.#flushing = flushed.catch(() => {});
    return flushed;
  }

  /** All of an owner's, the last called first. */
  async list(owner: OwnerId): Promise<readonly DeprecatedCalls[]> {
    await this.flush();
    const all = await Array.fromAsync(this.#store.read(owner).deprecatedCalls.all());
    return all.sort((a, b) => (a.lastAt < b.lastAt ? 1 : -1));
  }

  async #flush(): Promise<void> {
    const counted = [...this.#counted].flatMap(([owner, calls]) =>
      piecesOf([...calls.values()], COUNTS_A_TRANSACTION).map((chunk) => ({ owner, chunk })),
    );
    this.#counted = new Map();
    for (const [done, { owner, chunk }] of counted.entries()) {
      try {
        await this.#write(owner, chunk);
      } catch (error) {
        for (const left of counted.slice(done)) for (const calls of left.chunk) this.#add(left.owner, calls);
        throw error;
      }
    }
  }

  #write(owner: OwnerId, chunk: readonly DeprecatedCalls[]): Promise<void> {
    return this.#store.write(owner, async (tx) => {
      for (const calls of chunk) {
        const stored = await tx.deprecatedCalls.find(calls);
        tx.deprecatedCalls.replace(stored, stored ? sumOf(stored, calls) : calls);
      }
    });
  }

  #add(owner: OwnerId, calls: DeprecatedCalls): void {
    let ofOwner = this.#counted.get(owner);
    if (!ofOwner) this.#counted.set(owner, (ofOwner = new Map()));
    const key = `${calls.operation}#${calls.tokenId ?? ''}`;
    const before = ofOwner.get(key);
    ofOwner.set(key, before ? sumOf(before, calls) : calls);
  }
}

function sumOf(a: DeprecatedCalls, b: DeprecatedCalls): DeprecatedCalls {
  return {
    ...a,
    count: a.count + b.count,
    firstAt: a.firstAt < b.firstAt ? a.firstAt : b.firstAt,
    lastAt: a.lastAt > b.lastAt ? a.lastAt : b.lastAt,
  };
}
