import { hash, randomUUID } from 'node:crypto';
import type { Ticket } from '../api/realtime.ts';
import type { Principal } from '../services/principal.ts';
import { keys } from '../storage/keys.ts';
import type { Table } from '../storage/table.ts';
import { newTicket, type Tickets } from './tickets.ts';

interface Stored {
  readonly principal: Principal;
  readonly untilMs: number;
  /** Who redeemed it. */
  readonly taker?: string;
}

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
      ver: 1,
      ttl: Math.ceil(untilMs / 1_000),
      j: JSON.stringify({ principal, untilMs } satisfies Stored),
    };
    await this.#table.transact([[{ put, if: 'absent' }]]);
    return made;
  }

  /** Of several at once one alone is given the principal; but whoever is named as its taker gets it again. */
  async redeem(ticket: string, taker: string = randomUUID()): Promise<Principal | undefined> {
    const key = keyOf(ticket);
    const found = await this.#table.get(key);
    if (!found) return undefined;
    const stored = JSON.parse(found.j) as Stored;
    if (stored.untilMs <= this.#nowMs()) return undefined;
    if (stored.taker === taker) return stored.principal;
    if (stored.taker !== undefined) return undefined;
    const put = { ...found, ver: 2, j: JSON.stringify({ ...stored, taker }) };
    const { applied } = await this.#table.transact([[{ put, if: { ver: 1 } }]]);
    if (applied === 1) return stored.principal;
    const now = await this.#table.get(key);
    return now && (JSON.parse(now.j) as Stored).taker === taker ? stored.principal : undefined;
  }
}

const keyOf = (ticket: string) => keys.ticket(hash('sha256', ticket, 'hex'));
