import type { ClientFrame, EventFrame, ServerFrame } from '../../src/api/realtime.ts';
import { createNode, updateNode } from '../../src/domain/node.ts';
import { nodeId, ownerId, type NodeId, type OwnerId } from '../../src/domain/values.ts';
import { Hub, type HubNeeds } from '../../src/realtime/hub.ts';
import type { Session } from '../../src/realtime/session.ts';
import type { Principal } from '../../src/services/principal.ts';
import { BrainError } from '../../src/domain/error.ts';
import { Store } from '../../src/storage/store.ts';
import type { Table } from '../../src/storage/table.ts';
import { at } from '../support/arbitraries.ts';
import { ManualClock, settle } from '../support/manual-clock.ts';
import { MemoryTable } from '../support/memory-table.ts';
import { clientFrame, serverFrame } from './frames.ts';

export const ALICE = ownerId('alice');
export const BOB = ownerId('bob');

export const principalOf = (owner: OwnerId, more: Partial<Principal> = {}): Principal => ({
  owner,
  scopes: ['read', 'write'],
  ...more,
});

/** Tokens are the owner's name, or `owner until <ms>`. */
export const authenticate = async (token: string | undefined): Promise<Principal> => {
  const [owner = '', until] = (token ?? '').split(' until ');
  if (owner === '' || owner === 'wrong') throw new BrainError('not_found', 'no such token');
  if (owner === 'busy') throw new BrainError('unavailable', 'the keys cannot be fetched');
  return principalOf(ownerId(owner), until === undefined ? {} : { expiresAtMs: Number(until) });
};

/** A store on memory and a hub on it, with time that stands still. */
export function newHub(more: Partial<HubNeeds> = {}, table: Table = new MemoryTable()) {
  const clock = new ManualClock();
  const store = newStore(table);
  let ids = 0;
  const hub = new Hub({ log: store, authenticate, newId: () => `c${++ids}`, clock, ...more });
  return { clock: (more.clock as ManualClock | undefined) ?? clock, store, hub, table };
}

let epochs = 0;

export function newStore(table: Table): Store {
  let seconds = 0;
  return new Store({
    table,
    now: () => at(++seconds),
    newEpoch: () => `e${++epochs}`,
    correlationId: () => 'call-1',
  });
}

export const idOf = (number: number): NodeId =>
  nodeId(`0190a7c4-5b3e-7000-8100-${number.toString(16).padStart(12, '0')}`);

/** Creates so many notes, in one transaction. */
export const create = (
  store: Store,
  owner: OwnerId,
  numbers: readonly number[],
  input: { readonly content?: string; readonly tags?: readonly string[] } = {},
): Promise<void> =>
  store.write(owner, async (tx) => {
    for (const number of numbers) {
      const made = { id: idOf(number), owner, now: tx.now };
      tx.nodes.apply(createNode({ title: `Note ${number}`, ...input }, made));
    }
  });

export const touch = (store: Store, owner: OwnerId, number: number, title: string): Promise<void> =>
  store.write(owner, async (tx) => {
    tx.nodes.apply(updateNode(await tx.nodes.get(idOf(number)), { title }, tx.now));
  });

/** The other end of a session: what it was sent, held to the document. */
export class Peer {
  readonly frames: ServerFrame[] = [];
  readonly texts: string[] = [];
  readonly session: Session;
  bufferedAmount = 0;
  /** While it reads nothing, what it is sent waits. */
  isStalled = false;
  answersPings = true;
  closed: { readonly code: number; readonly reason: string } | undefined;

  constructor(hub: Hub, isTwoWay = true) {
    const session = hub.accept(this, { isTwoWay });
    if (!session) throw new Error('the hub takes no more');
    this.session = session;
  }

  send(bytes: Uint8Array): void {
    const text = Buffer.from(bytes).toString();
    if (this.isStalled) this.bufferedAmount += bytes.length;
    this.texts.push(text);
    const frame = serverFrame(text);
    this.frames.push(frame);
    if (frame.action === 'ping' && this.answersPings)
      queueMicrotask(() => this.say({ action: 'pong', seq: frame.seq }));
  }

  close(code: number, reason: string): void {
    this.closed = { code, reason };
  }

  say(frame: ClientFrame): void {
    const text = JSON.stringify(frame);
    clientFrame(text);
    this.session.receive(text);
  }

  of<A extends ServerFrame['action']>(action: A): Extract<ServerFrame, { action: A }>[] {
    return this.frames.filter(
      (frame): frame is Extract<ServerFrame, { action: A }> => frame.action === action,
    );
  }

  get actions(): readonly string[] {
    return this.frames.map((frame) => frame.action);
  }

  /** Every event, in or out of a batch, in the order of its coming. */
  get events(): readonly EventFrame[] {
    return this.frames.flatMap((frame) =>
      frame.action === 'event' ? [frame] : frame.action === 'batch' ? frame.events : [],
    );
  }

  get seqs(): readonly number[] {
    return this.events.map((event) => event.seq);
  }

  forget(): void {
    this.frames.length = 0;
    this.texts.length = 0;
  }
}

/** A peer that has said hello and was welcomed. */
export async function greeted(
  hub: Hub,
  hello: Omit<Extract<ClientFrame, { action: 'hello' }>, 'action'> = {},
): Promise<Peer> {
  const peer = new Peer(hub);
  peer.say({ action: 'hello', ...(hello.ticket === undefined && { token: 'alice' }), ...hello });
  await settle();
  return peer;
}

export const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);
