import { REALTIME_LIMITS } from '../realtime/limits.ts';
import { REVOKED } from '../realtime/session.ts';
import { eachConcurrent } from '../shared/each-concurrent.ts';
import { within } from '../shared/within.ts';
import { SHARDS, type Arrival } from './connections.ts';
import type { ScheduledEvent } from './events.ts';
import type { Parts } from './parts.ts';

/** The schedule runs every minute, and each connection has its turn in one of four. */
const MINUTE_MS = 60_000;
const TURNS = 4;
/** The gateway cuts a connection after two hours; it is sent away before, each at another time. */
const OLDEST_MS = { from: 100 * MINUTE_MS, spread: 15 * MINUTE_MS };
/** Told at least a minute before, and looked for once a minute. */
const EXPIRING_MS = 2 * MINUTE_MS;
const AT_ONCE = 32;
/** One that takes longer, as who is far behind does, goes on beside the others: they are not kept waiting for it. */
const VISIT_MS = 5_000;

/**
 * What a server's timers do, each minute, for the connections of everybody: pings with the position, credentials and
 * connections that end, and those that never said hello.
 */
export function beatFunction(parts: Parts, visitMs = VISIT_MS): (event?: ScheduledEvent) => Promise<void> {
  const { connections, log, nowMs, inContext } = parts;
  return async (event) => {
    const stands = askedOnce(parts);
    const dueMs = event?.time === undefined ? nowMs() : Date.parse(event.time);
    const turn = Math.floor(dueMs / MINUTE_MS) % TURNS;
    const all = (async function* () {
      for (let shard = 0; shard < SHARDS; shard++)
        for await (const arrival of connections.arrivals(shard))
          yield { arrival, stands, hasTurn: shard % TURNS === turn, spread: shard / SHARDS };
    })();
    const late: Promise<void>[] = [];
    const visited = eachConcurrent(all, { limit: AT_ONCE }, ({ arrival, ...when }) => {
      const visiting = inContext(arrival.owner, async () => {
        try {
          await visit(parts, arrival, when);
        } catch (err) {
          log.error({ err }, 'a connection could not be looked after');
        }
      });
      return within(visitMs, visiting, () => void late.push(visiting));
    });
    for await (const _ of visited);
    await Promise.all(late); // after the answer they would be frozen in their middle
  };
}

type Stands = Parts['tokens']['stands'];

/** A token may be that of a hundred connections: it is read once. */
function askedOnce({ tokens }: Parts): Stands {
  const asked = new Map<string, Promise<boolean>>();
  return (owner, id) => {
    let stands = asked.get(id);
    if (!stands) asked.set(id, (stands = tokens.stands(owner, id)));
    return stands;
  };
}

async function visit(
  { connections, delivery, nowMs }: Parts,
  arrival: Arrival,
  when: { readonly stands: Stands; readonly hasTurn: boolean; readonly spread: number },
): Promise<void> {
  const { stands, hasTurn, spread } = when;
  const { id, owner, tokenId, connectedAtMs, authExpiresAtMs = Infinity } = arrival;
  const ageMs = nowMs() - connectedAtMs;
  if (owner === undefined)
    return ageMs < REALTIME_LIMITS.helloMs
      ? undefined
      : delivery.bye(arrival, 'helloTimeout', 'no hello came in time');
  const leftMs = authExpiresAtMs - nowMs();
  if (leftMs <= 0) return delivery.bye(arrival, 'auth', 'the credential has expired');
  if (tokenId !== undefined && !(await stands(owner, tokenId))) return delivery.bye(arrival, 'auth', REVOKED);
  if (ageMs >= OLDEST_MS.from + spread * OLDEST_MS.spread)
    return delivery.bye(arrival, 'shutdown', 'a connection lasts less than two hours here');
  if (leftMs <= EXPIRING_MS) await delivery.say(arrival, { action: 'auth.expiring', inMs: leftMs });
  const connection = hasTurn ? await connections.find(owner, id) : undefined;
  if (connection) await delivery.beat(connection, 'ping');
}
