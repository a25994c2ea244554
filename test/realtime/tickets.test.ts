import { describe, expect, test } from 'vitest';
import { ownerId } from '../../src/domain/values.ts';
import { SharedTickets } from '../../src/realtime/shared-tickets.ts';
import { OwnTickets } from '../../src/realtime/tickets.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { MemoryTable } from '../support/memory-table.ts';

const ALICE = { owner: ownerId('alice'), scopes: ['read'] as const };

describe.each([
  ['of one process', (clock: ManualClock) => new OwnTickets(clock)],
  [
    'of a table',
    (clock: ManualClock) => new SharedTickets({ table: new MemoryTable(), nowMs: () => clock.nowMs() }),
  ],
])('tickets %s', (_where, make) => {
  test('[RT9] each is good once, and for half a minute', async () => {
    const clock = new ManualClock(Date.now());
    const tickets = make(clock);
    const { ticket, expiresInMs } = await tickets.issue(ALICE);
    expect(expiresInMs).toBe(30_000);
    const redeemed = await Promise.all([tickets.redeem(ticket), tickets.redeem(ticket)]);
    expect(redeemed.filter((principal) => principal !== undefined)).toEqual([ALICE]);
    expect(await tickets.redeem('made up')).toBeUndefined();
    const { ticket: late } = await tickets.issue(ALICE);
    await clock.advance(30_000);
    expect(await tickets.redeem(late)).toBeUndefined();
  });
});

test('[RT9] a ticket that one process issued opens another, and is stored by its hash alone', async () => {
  const table = new MemoryTable();
  const { ticket } = await new SharedTickets({ table, nowMs: Date.now }).issue(ALICE);
  expect(await table.get({ pk: `TKT#${ticket}`, sk: '-' })).toBeUndefined();
  expect(await new SharedTickets({ table, nowMs: Date.now }).redeem(ticket)).toEqual(ALICE);
});
