import { randomBytes } from 'node:crypto';
import type { Ticket } from '../api/realtime.ts';
import type { Principal } from '../services/principal.ts';
import type { Clock } from '../shared/clock.ts';

const TICKET_BYTES = 24;
const EXPIRES_IN_MS = 30_000;
/** Tickets that wait to be used; above it the oldest go. */
const MOST = 10_000;

/** Tickets in the place of a token, which a browser could only put into a URL: each is good once, for half a minute. */
export interface Tickets {
  issue(principal: Principal): Promise<Ticket>;
  /** Undefined for one that was not issued here, or was used, or is too old. */
  redeem(ticket: string): Promise<Principal | undefined>;
}

/** A ticket that nobody can guess. */
export function newTicket(): Ticket {
  return { ticket: randomBytes(TICKET_BYTES).toString('base64url'), expiresInMs: EXPIRES_IN_MS };
}

/** Those of the one process that serves a graph. */
export class OwnTickets implements Tickets {
  readonly #clock: Clock;
  readonly #waiting = new Map<string, { readonly principal: Principal; readonly untilMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async issue(principal: Principal): Promise<Ticket> {
    this.#forget();
    const made = newTicket();
    this.#waiting.set(made.ticket, { principal, untilMs: this.#clock.nowMs() + made.expiresInMs });
    return made;
  }

  async redeem(ticket: string): Promise<Principal | undefined> {
    const found = this.#waiting.get(ticket);
    this.#waiting.delete(ticket);
    return found && found.untilMs > this.#clock.nowMs() ? found.principal : undefined;
  }

  /** They stand in the order of their issue, so the expired ones are in front. */
  #forget(): void {
    const now = this.#clock.nowMs();
    for (const [ticket, { untilMs }] of this.#waiting) {
      if (untilMs > now && this.#waiting.size < MOST) return;
      this.#waiting.delete(ticket);
    }
  }
}
