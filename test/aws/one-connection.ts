import type { ClientFrame, ServerFrame } from '../../src/api/realtime.ts';
import { Connections, type Connection } from '../../src/aws/connections.ts';
import { Conversation } from '../../src/aws/conversation.ts';
import { Delivery, LEASE_MS } from '../../src/aws/delivery.ts';
import type { Gateway, Posted } from '../../src/aws/gateway.ts';
import type { Log } from '../../src/realtime/channel.ts';
import { SharedTickets } from '../../src/realtime/shared-tickets.ts';
import type { Principal } from '../../src/services/principal.ts';
import { serverFrame } from '../realtime/frames.ts';
import { ALICE, authenticate, newStore, principalOf } from '../realtime/peer.ts';
import { MemoryTable } from '../support/memory-table.ts';

/** Not in the past, or the table would forget what it is given. */
const START_MS = Date.now();

/** A gateway that does what `onPost` says, and what it took. */
function newGateway() {
  const frames: ServerFrame[] = [];
  const hooks: { onPost: (frame: ServerFrame) => Promise<Posted> } = { onPost: async () => 'sent' };
  const gateway: Gateway = {
    async post(_id, bytes) {
      const frame = serverFrame(Buffer.from(bytes).toString());
      const posted = await hooks.onPost(frame);
      if (posted === 'sent') frames.push(frame);
      return posted;
    },
    close: async () => undefined,
  };
  const events = (frame: ServerFrame) =>
    frame.action === 'event' ? [frame] : frame.action === 'batch' ? frame.events : [];
  return { gateway, frames, hooks, seqs: () => frames.flatMap(events).map(({ seq }) => seq) };
}

/** What is said to one connection and on it, over a table in memory. */
export function newConnection() {
  const table = new MemoryTable();
  let looks = 0;
  const nowMs = () => START_MS + looks++;
  const wait = (ms: number): void => void (looks += ms);
  const store = newStore(table);
  /** What happens after something was read, and before whoever asked goes on with it; each is called once. */
  const after: {
    changes?: () => Promise<unknown>;
    head?: () => Promise<unknown>;
    token?: () => Promise<unknown>;
  } = {};
  const once = async (what: keyof typeof after): Promise<void> => {
    const call = after[what];
    delete after[what];
    await call?.();
  };
  const log: Pick<Log, 'changes' | 'head'> = {
    async changes(...asked) {
      const changes = await store.changes(...asked);
      await once('changes');
      return changes;
    },
    async head(owner) {
      const head = await store.head(owner);
      await once('head');
      return head;
    },
  };
  const connections = new Connections({ table, nowMs });
  /** Somebody who was greeted, and is live at the head of the log. */
  async function greet(): Promise<Connection> {
    const { epoch, seq } = await store.head(ALICE);
    const connection: Connection = {
      id: 'c',
      owner: ALICE,
      principal: principalOf(ALICE),
      helloId: 'm',
      subscriptions: [['hello', {}]],
      epoch,
      covered: seq,
      told: seq,
      phase: { kind: 'live' },
      ver: 1,
    };
    await connections.arrive('c', undefined);
    await connections.greet({ ...(await connections.arrival('c'))!, owner: ALICE }, connection);
    return connection;
  }
  const stored = async () => (await connections.find(ALICE, 'c'))!;
  /** A resume from the beginning, as the conversation stores it. */
  const begun = async () =>
    (await connections.save({
      ...(await stored()),
      epoch: (await store.head(ALICE)).epoch,
      covered: 0,
      told: 0,
      phase: { kind: 'replaying', from: 0, count: 0, untilMs: nowMs() + LEASE_MS },
    }))!;
  const invoke = () => {
    const made = newGateway();
    const delivery = new Delivery({ log, connections, gateway: made.gateway, nowMs });
    const conversation = new Conversation({
      log,
      connections,
      delivery,
      tickets: new SharedTickets({ table, nowMs }),
      async authenticate(token): Promise<Principal> {
        await once('token');
        return token === 'alice who writes' ? principalOf(ALICE, { scopes: ['write'] }) : authenticate(token);
      },
      stands: async () => true,
      mostOfOwner: 10,
      nowMs,
    });
    let messages = 0;
    const hear = (frame: ClientFrame | string): Promise<void> =>
      conversation.hear('c', `m${++messages}`, typeof frame === 'string' ? frame : JSON.stringify(frame));
    return { ...made, delivery, hear };
  };
  return { wait, after, connections, log: store, greet, stored, begun, invoke, ...invoke() };
}
