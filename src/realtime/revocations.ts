import type { OwnerId } from '../domain/values.ts';
import type { Principal } from '../services/principal.ts';
import type { Clock } from '../shared/clock.ts';
import { mapConcurrent } from '../shared/map-concurrent.ts';
import { REVOKED, type Session } from './session.ts';

/** Credentials that can be taken back. */
export interface RevocableTokens {
  /** Calls back as soon as this process revokes one, until what it gives is called. */
  onRevoked(listener: (tokenId: string) => void): () => void;
  /** Whether it still stands: other processes revoke too. */
  stands(owner: OwnerId, tokenId: string): Promise<boolean>;
}

/** Reads that are under way at once. */
const AT_ONCE = 8;

/** Ends the sessions of a token that is revoked: by this process at once, by another one within an interval. */
export class Revocations {
  readonly #needs: { readonly clock: Clock; readonly everyMs: number; readonly tokens: RevocableTokens };
  readonly #sessions = new Map<string, Set<Session>>();
  readonly #stopListening: () => void;
  #callOff: (() => void) | undefined;
  #isLooking = false;

  constructor(needs: { readonly clock: Clock; readonly everyMs: number; readonly tokens: RevocableTokens }) {
    this.#needs = needs;
    this.#stopListening = needs.tokens.onRevoked((tokenId) => this.#end(tokenId));
  }

  enter(session: Session, { tokenId }: Principal): void {
    if (tokenId === undefined) return;
    const sessions = this.#sessions.get(tokenId);
    if (sessions) sessions.add(session);
    else this.#sessions.set(tokenId, new Set([session]));
    this.#schedule();
  }

  leave(session: Session, { tokenId = '' }: Principal): void {
    const sessions = this.#sessions.get(tokenId);
    sessions?.delete(session);
    if (sessions?.size === 0) this.#sessions.delete(tokenId);
    if (this.#sessions.size === 0) this.#rest();
  }

  close(): void {
    this.#stopListening();
    this.#rest();
  }

  #schedule(): void {
    if (this.#isLooking || this.#sessions.size === 0) return;
    this.#callOff ??= this.#needs.clock.after(this.#needs.everyMs, () => void this.#look());
  }

  #rest(): void {
    this.#callOff?.();
    this.#callOff = undefined;
  }

  async #look(): Promise<void> {
    this.#callOff = undefined;
    this.#isLooking = true;
    await mapConcurrent([...this.#sessions], { limit: AT_ONCE }, async ([tokenId, sessions]) => {
      const [first] = sessions;
      if (first?.principal && !(await this.#stands(first.principal.owner, tokenId))) this.#end(tokenId);
    });
    this.#isLooking = false;
    this.#schedule();
  }

  /** One that cannot be read now is looked at the next time: a store that is away takes nobody's right to listen. */
  async #stands(owner: OwnerId, tokenId: string): Promise<boolean> {
    try {
      return await this.#needs.tokens.stands(owner, tokenId);
    } catch {
      return true;
    }
  }

  #end(tokenId: string): void {
    for (const session of this.#sessions.get(tokenId) ?? []) session.bye('auth', REVOKED);
  }
}
