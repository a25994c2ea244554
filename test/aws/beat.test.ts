import { expect, test, vi } from 'vitest';
import { beatFunction } from '../../src/aws/beat.ts';
import { Connections, SHARDS, type Arrival, type Connection } from '../../src/aws/connections.ts';
import type { Parts } from '../../src/aws/parts.ts';
import { createLog } from '../../src/shared/log.ts';
import { ALICE, principalOf, range } from '../realtime/peer.ts';
import { MemoryTable } from '../support/memory-table.ts';

/** Connections of one owner, and a beat over them of which `onBeat` is all that is delivered. */
async function newBeat(count: number, onBeat: (connection: Connection) => Promise<void>) {
  const now = Date.now();
  const nowMs = () => now;
  const connections = new Connections({ table: new MemoryTable(), nowMs });
  for (const number of range(1, count)) {
    const id = `c${number}`;
    await connections.arrive(id, undefined);
    const arrival: Arrival = { ...(await connections.arrival(id))!, owner: ALICE };
    const at = { epoch: '', covered: 0, told: 0, phase: { kind: 'live' }, ver: 1 } as const;
    const who = { id, owner: ALICE, principal: principalOf(ALICE), helloId: 'm', subscriptions: [] };
    await connections.greet(arrival, { ...who, ...at });
  }
  const parts = {
    connections,
    delivery: { beat: onBeat },
    log: createLog({ level: 'silent', format: 'json' }),
    tokens: { stands: async () => true },
    nowMs,
    inContext: <T>(_owner: unknown, work: () => T): T => work(),
  };
  return { beat: beatFunction(parts as unknown as Parts, 20), connections };
}

test('[RT4] a connection that takes long keeps no other from its ping', async () => {
  const pinged = new Set<string>();
  const isOver = Promise.withResolvers<void>();
  const { beat, connections } = await newBeat(200, async ({ id }) => {
    pinged.add(id);
    if (pinged.size === 1) await isOver.promise;
  });
  const due: string[] = [];
  for (let shard = 0; shard < SHARDS; shard += 4)
    for await (const { id } of connections.arrivals(shard)) due.push(id);
  const beating = beat({ time: new Date(0).toISOString() });
  try {
    await vi.waitFor(() => expect(pinged).toEqual(new Set(due)), { timeout: 2_000, interval: 5 });
  } finally {
    isOver.resolve();
    await beating;
  }
  expect(due.length).toBeGreaterThan(32);
});
