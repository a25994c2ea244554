import { hash } from 'node:crypto';
import type { Ticket } from '../api/realtime.ts';
import type { Principal } from '../services/principal.ts';
import { keys } from '../storage/keys.ts';
import type { Table } from '../storage/table.ts';
import { newTicket, type Tickets } from './tickets.ts';

/** Tickets of a table that several processes serve: one issues it, another may redeem it. Only hashes are stored. */
export class SharedTickets implements Tickets {
  readonly #table: Table;
  readonly #nowMs: () => number;

  constructor({ table, nowMs }: { readonly table: Table; readonly nowMs: () => number }) {
    this.#table = table;
    this.#nowMs = nowMs;
  }

  async issue(principal: Principal): Promise<Ticket> {
    const made = newTicket();
    const untilMs = this.#nowMs() + made.expiresInMs;
    const put = {
      ...keyOf(made.ticket),
      et: 'ticket.1',
      ttl: Math.ceil(untilMs / 1_000),
      j: JSON.stringify({ principal, untilMs }),
    };
    await this.#table.transact([[{ put, if: 'absent' }]]);
    return made;
  }

  /** Of several at once one alone is given the principal. */
  async redeem(ticket: string): Promise<Principal | undefined> {
    const key = keyOf(ticket);
    const found = await this.#table.get(key);
    if (!found) return undefined;
    const { principal, untilMs } = JSON.parse(found.j) as { principal: Principal; untilMs: number };
    const { applied } = await this.#table.transact([[{ del: key, if: 'exists' }]]);
    return applied === 1 && untilMs > this.#nowMs() ? principal : undefined;
  }
}

const keyOf = (ticket: string) => keys.ticket(hash('sha256', ticket, 'hex'));
