import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Filter } from '../../src/api/realtime.ts';
import { RealtimeClient } from '../../src/client/realtime-client.ts';
import type { OwnerId } from '../../src/domain/values.ts';
import { Hub } from '../../src/realtime/hub.ts';
import type { LoggedEvent } from '../../src/storage/log.ts';
import type { Store } from '../../src/storage/store.ts';
import { ManualClock, settle } from '../support/manual-clock.ts';
import { MemoryTable } from '../support/memory-table.ts';
import { Network, type MemorySocket } from './network.ts';
import { Account } from './oracle.ts';
import { ALICE, authenticate, BOB, create, idOf, newStore, principalOf, touch } from './peer.ts';

/** Steps of a run, and runs: with BRAIN2_TEST_EVENTS=10000 one run goes on until there are so many events. */
const EVENTS = Number(process.env['BRAIN2_TEST_EVENTS'] ?? 0);
const SEED = Number(process.env['BRAIN2_TEST_SEED'] ?? 1);

const CLIENTS: readonly OwnerId[] = [ALICE, ALICE, ALICE, BOB];

const filter: fc.Arbitrary<Filter> = fc.constantFrom<Filter>(
  {},
  {},
  { types: ['node.*'] },
  { types: ['node.updated'] },
  { types: ['category.*'] },
  { nodeIds: [idOf(1), idOf(2)] },
  { tags: ['odd'] },
  { tags: ['odd'], types: ['node.created'] },
);

type Step =
  | {
      readonly kind: 'write';
      readonly owner: OwnerId;
      readonly notes: number;
      readonly touches: number;
      readonly bytes: number;
    }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'cut' | 'kill it dead' | 'stall' | 'wake'; readonly client: number }
  | { readonly kind: 'lose'; readonly client: number; readonly frames: number }
  | { readonly kind: 'filter'; readonly client: number; readonly filter: Filter }
  | { readonly kind: 'kill'; readonly forMs: number }
  | { readonly kind: 'shut down' }
  | { readonly kind: 'trim'; readonly keep: number };

const client = fc.nat({ max: CLIENTS.length - 1 });
const ms = fc.constantFrom(0, 1, 9, 11, 100, 1_000, 12_000, 40_000);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      kind: fc.constant('write' as const),
      owner: fc.constantFrom(ALICE, ALICE, BOB),
      notes: fc.integer({ min: 0, max: 12 }),
      touches: fc.integer({ min: 0, max: 6 }),
      bytes: fc.constantFrom(0, 0, 0, 5_000, 30_000),
    }),
  },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms }) },
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constantFrom('cut', 'kill it dead', 'stall', 'wake'), client }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('lose' as const),
      client,
      frames: fc.integer({ min: 1, max: 4 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('filter' as const), client, filter }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('kill' as const), forMs: ms }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'shut down' } as const) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('trim' as const), keep: fc.integer({ min: 0, max: 40 }) }),
  },
);

/** Limits that a run of a few hundred events meets. */
const LIMITS = { lagBytes: 40_000, drainedBytes: 4_000, replayEvents: 400 };

/** Clients, a network, a server that dies and comes back, and the log, which is right. */
class World {
  readonly clock: ManualClock;
  readonly log = new Map<OwnerId, LoggedEvent[]>([
    [ALICE, []],
    [BOB, []],
  ]);
  readonly clients: RealtimeClient[] = [];
  readonly accounts: Account[] = [];
  readonly #table = new MemoryTable();
  readonly #network: Network;
  readonly #wires: (MemorySocket | undefined)[] = [];
  /** What each owner's frames must never say. */
  readonly strangers: string[] = [];
  #store: Store;
  #notes = 0;

  constructor(seed: number) {
    this.clock = new ManualClock(undefined, seeded(seed));
    this.#store = newStore(this.#table);
    this.#network = new Network((wire, frame) => {
      const account = this.accounts[this.#wires.indexOf(wire)];
      if (frame.action === 'hello') account?.greeted(frame.filter ?? {});
      if (frame.action === 'subscribe') account?.asked(frame.filter);
      if (frame.action === 'resume') account?.resumed();
    });
    this.#start();
    CLIENTS.forEach((owner, index) => this.#join(owner, index));
  }

  #start(): void {
    this.#store = newStore(this.#table);
    const log = this.#store;
    let ids = 0;
    this.#network.hub = new Hub({
      log,
      authenticate,
      newId: () => `c${++ids}`,
      clock: this.clock,
      limits: LIMITS,
    });
  }

  #join(owner: OwnerId, index: number): void {
    const account = new Account({});
    const other = owner === ALICE ? 'bob' : 'alice';
    const joined = new RealtimeClient({
      url: 'http://brain.test',
      clock: this.clock,
      filter: {},
      WebSocket: this.#network.socketClass((wire) => (this.#wires[index] = wire)),
      ticket: async () => {
        if (!this.#network.hub) throw new Error('nobody answers');
        const expiresAtMs = this.clock.nowMs() + 20_000 + this.clock.random() * 100_000;
        return (await this.#network.hub.tickets.issue(principalOf(owner, { expiresAtMs }))).ticket;
      },
    });
    joined.on({
      frame: (frame) => {
        account.saw(frame);
        if (JSON.stringify(frame).includes(other))
          this.strangers.push(`${owner} was sent ${JSON.stringify(frame)}`);
      },
      item: (item) => account.took(item),
    });
    this.clients.push(joined.start());
    this.accounts.push(account);
  }

  async take(step: Step): Promise<void> {
    switch (step.kind) {
      case 'write':
        return this.#write(step);
      case 'wait':
        return this.clock.advance(step.ms);
      case 'cut':
        return this.#wires[step.client]?.cut();
      case 'kill it dead':
        return void Object.assign(this.#wires[step.client] ?? {}, { isDead: true });
      case 'stall':
        return void Object.assign(this.#wires[step.client] ?? {}, { isStalled: true });
      case 'wake':
        return this.#wake(step.client);
      case 'lose':
        return void Object.assign(this.#wires[step.client] ?? {}, { lose: step.frames });
      case 'filter':
        return this.clients[step.client]?.setFilter(step.filter);
      case 'kill':
        this.#network.kill();
        await this.clock.advance(step.forMs);
        return this.#start();
      case 'shut down':
        this.#network.hub?.close();
        await settle(3);
        return this.#start();
      case 'trim':
        await this.#store.trim(ALICE, { events: step.keep, since: '' as never });
    }
  }

  #wake(client: number): void {
    const wire = this.#wires[client];
    if (wire) wire.isStalled = false;
  }

  async #write({ owner, notes, touches, bytes }: Extract<Step, { kind: 'write' }>): Promise<void> {
    const first = this.#notes + 1;
    this.#notes += notes;
    for (let number = first; number <= this.#notes; number++)
      await create(this.#store, owner, [number], {
        content: `of ${owner} ${'x'.repeat(bytes)}`,
        ...(number % 2 === 1 && { tags: ['odd'] }),
      });
    const edits = notes > 0 ? touches : 0;
    for (let edit = 0; edit < edits; edit++)
      await touch(this.#store, owner, first + (edit % notes), `${owner} ${this.clock.nowMs()} ${edit}`);
    const known = this.log.get(owner) ?? [];
    const { events } = await this.#store.changes(owner, { seq: known.length }, 10_000);
    known.push(...events);
  }

  /** Everybody is well again, and has time to catch up. */
  async end(): Promise<void> {
    for (const wire of this.#network.wires) {
      wire.isStalled = false;
      wire.lose = 0;
    }
    for (let round = 0; round < 6; round++) await this.clock.advance(30_000);
    for (const [index, joined] of this.clients.entries()) {
      this.accounts[index]?.check(this.log.get(CLIENTS[index]!) ?? [], joined.position?.seq);
      joined.stop();
    }
    await settle();
  }
}

/** Mulberry32, as in the tests of faults. */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

async function run(steps: readonly Step[], seed: number): Promise<World> {
  const world = new World(seed);
  for (const step of steps) await world.take(step);
  await world.end();
  return world;
}

test('[RT1 RT2 RT3 RT6 RT8 RT9] whatever befalls clients and server, each client ends with its part of the log', async () => {
  const property = fc.asyncProperty(
    fc.array(step, { minLength: 5, maxLength: 40, size: 'max' }),
    fc.nat(),
    async (steps, seed) => {
      expect((await run(steps, seed)).strangers).toEqual([]);
    },
  );
  await fc.assert(property, { numRuns: 40, seed: SEED });
});

test.runIf(EVENTS > 0)(
  `[RT1 RT2 RT3 RT6 RT8 RT9] so too over ${EVENTS} events`,
  { timeout: 3_600_000 },
  async () => {
    const world = new World(SEED);
    const steps = fc.sample(step, { numRuns: 100_000, seed: SEED }).values();
    const written = () => [...world.log.values()].reduce((sum, log) => sum + log.length, 0);
    while (written() < EVENTS) await world.take(steps.next().value ?? { kind: 'wait', ms: 1 });
    await world.end();
    expect(world.strangers).toEqual([]);
    const leaps = world.accounts.map((account) => account.leaps);
    console.log(
      `${written()} events; given ${world.accounts.map((a) => a.events).join(', ')}; leaps ${leaps.join(', ')}`,
    );
  },
);
