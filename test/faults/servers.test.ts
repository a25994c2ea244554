import { setTimeout as delay } from 'node:timers/promises';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { BrainError, isBrainError } from '../../src/domain/error.ts';
import { instant, isUuid, type EdgeId, type NodeId } from '../../src/domain/values.ts';
import type { BulkResult } from '../../src/services/bulk-items.ts';
import { indexInProcess, IndexThread } from '../../src/services/index-thread.ts';
import type { LinkedNode } from '../../src/services/nodes.ts';
import type { PlannedKeep } from '../../src/services/receipts.ts';
import { createServices, type Services } from '../../src/services/services.ts';
import { verifyIndex } from '../../src/services/verify-index.ts';
import { uuidv7Generator } from '../../src/shared/uuid.ts';
import { repositories } from '../../src/storage/repositories.ts';
import { Store } from '../../src/storage/store.ts';
import { verifyOwner } from '../../src/storage/verify/verify-owner.ts';
import { OWNER } from '../support/arbitraries.ts';
import { MemoryTable } from '../support/memory-table.ts';
import { serviceParts } from '../support/service-parts.ts';
import { textOf, vaultNotes } from './notes.ts';
import { SEED, seeded } from './seed.ts';
import { UnsureTable, type Fate } from './unsure-table.ts';

/** How many cases; each takes about a second. */
const CASES = Number(process.env['BRAIN2_TEST_SERVERS'] ?? 4);
const SERVERS = 2;
/** A request that may succeed later is sent again so often, to one server after the other. */
const TRIES = 60;
const BULK = 5;
const vault = vaultNotes(24, SEED);

type Act =
  | { readonly kind: 'import'; readonly from: number; readonly count: number }
  | { readonly kind: 'create' | 'bulk'; readonly key: number }
  | { readonly kind: 'patch' | 'archive' | 'delete'; readonly note: number; readonly text: number }
  | { readonly kind: 'connect' | 'reject'; readonly note: number; readonly other: number };

const some = fc.nat({ max: 1_000 });
const act = fc.oneof<fc.Arbitrary<Act>[]>(
  fc.record({
    kind: fc.constant('import'),
    from: fc.nat({ max: 12 }),
    count: fc.integer({ min: 2, max: 12 }),
  }),
  fc.record({ kind: fc.constantFrom('create', 'bulk'), key: fc.nat({ max: 3 }) }),
  fc.record({ kind: fc.constantFrom('patch', 'patch', 'archive', 'delete'), note: some, text: some }),
  fc.record({ kind: fc.constantFrom('connect', 'connect', 'reject'), note: some, other: some }),
);
const fate = fc.record<Fate>({
  kind: fc.constantFrom(
    ...(['done', 'done', 'done', 'done', 'done', 'done', 'done', 'done', 'refused', 'part'] as const),
    ...(['unavailable', 'timeout, done', 'timeout, not done', 'timeout, part', 'timeout, late'] as const),
  ),
  turns: fc.nat({ max: 4 }),
});
const lane = fc.record({
  server: fc.nat({ max: SERVERS - 1 }),
  acts: fc.array(act, { minLength: 2, maxLength: 8, size: 'max' }),
});
const cases = fc.record({
  /** Each does one thing after the other; all of them at once. */
  lanes: fc.array(lane, { minLength: 2, maxLength: 5 }),
  fates: fc.array(fc.array(fate, { maxLength: 30 }), { minLength: SERVERS, maxLength: SERVERS }),
  isFollowed: fc.boolean(),
});

interface Server {
  readonly table: UnsureTable;
  readonly store: Store;
  readonly services: Services;
  /** The index, as it was stored last. */
  readonly index: () => Uint8Array;
}

function serverOver(shared: MemoryTable, fates: readonly Fate[], isFollowed: boolean): Server {
  const table = new UnsureTable(shared, fates, []);
  const newId = uuidv7Generator(Date.now);
  const now = () => instant(Date.now());
  const pollMs = isFollowed ? 2 : undefined;
  const store = new Store({ table, pollMs, patienceMs: 20, now, newEpoch: newId, correlationId: () => '-' });
  let stored = new Uint8Array();
  const snapshots = {
    load: async () => undefined,
    save: async (_owner: string, parts: readonly Uint8Array[]) =>
      void (stored = Uint8Array.from(Buffer.concat(parts))),
  };
  const indexThread = new IndexThread(indexInProcess);
  const parts = { ...serviceParts(shared), store, snapshots, indexThread, newId, isShared: true };
  return { table, store, services: createServices(parts), index: () => stored };
}

/** Servers on one table, what was asked of them, and what they have acknowledged. */
class Servers {
  readonly table = new MemoryTable();
  readonly all: readonly Server[];
  readonly seen = new Map<string, number>();
  /** By their keys, the answers of what was sent with one. */
  readonly #answers = new Map<string, Set<string>>();
  readonly #drawn = new Map<EdgeId, readonly NodeId[]>();
  readonly #deleted = new Set<NodeId>();

  constructor(fates: readonly (readonly Fate[])[], isFollowed: boolean) {
    this.all = fates.map((of) => serverOver(this.table, of, isFollowed));
  }

  /** Some notes, so that there is something to change. */
  async begin(): Promise<void> {
    const { services } = serverOver(this.table, [], false);
    await importOf(services, vault.slice(0, 4));
    await services.indexes.close();
  }

  async take(act: Act, server: number): Promise<void> {
    const { services } = this.all[server]!;
    try {
      await this.#do(act, services, server);
      this.#count(act.kind);
    } catch (error) {
      if (!isBrainError(error) || error.code === 'internal') throw error;
      this.#count(error.code);
    }
  }

  async #do(act: Act, services: Services, server: number): Promise<void> {
    switch (act.kind) {
      case 'import': {
        return importOf(services, vault.slice(act.from, act.from + act.count));
      }
      case 'create': {
        const input = { title: `create ${act.key}` };
        return this.#once<LinkedNode>(input.title, server, {
          run: ({ nodes }, keep) => nodes.create(OWNER, input, keep),
          answerOf: ({ node }) => node.id,
        });
      }
      case 'bulk': {
        const name = `bulk ${act.key}`;
        const items = Array.from({ length: BULK }, (_, at) => ({ item: { title: `${name} ${at}` } }));
        return this.#once<BulkResult>(name, server, {
          run: ({ bulk }, keep) => bulk.create(OWNER, 'partial', items, keep),
          answerOf: ({ outcomes }) =>
            outcomes.map((one) => ('id' in one ? one.id : one.error.code)).join(' '),
        });
      }
      case 'patch':
      case 'archive': {
        const id = await this.#imported(services, act.note);
        const content = textOf(act.text % 3, seeded(act.text));
        const patch =
          act.kind === 'patch' ? { input: { content } } : { input: {}, archived: act.text % 2 === 0 };
        return void (id && (await services.nodes.patch(OWNER, id, patch)));
      }
      case 'delete': {
        const id = await this.#imported(services, act.note);
        if (!id) return;
        this.#deleted.add(id);
        return services.nodes.delete(OWNER, id);
      }
      case 'connect': {
        const ends = [await this.#imported(services, act.note), await this.#imported(services, act.other)];
        const [sourceId, targetId] = ends;
        if (!sourceId || !targetId) return;
        const type = act.note % 2 === 0 ? 'related' : 'manual';
        const edge = await services.edges.create(OWNER, { sourceId, targetId, type, weight: 0.5 });
        return void this.#drawn.set(edge.id, [sourceId, targetId]);
      }
      case 'reject': {
        const { items } = await services.edges.list(OWNER, { status: 'proposed' }, { limit: 50 });
        const edge = items[act.note % Math.max(1, items.length)];
        return void (edge && (await services.edges.update(OWNER, edge.id, { status: 'rejected' })));
      }
    }
  }

  /** Sends what has a key until it is answered, as a client does who was cut off. */
  async #once<T>(
    name: string,
    first: number,
    {
      run,
      answerOf,
    }: {
      readonly run: (by: Services, keep: PlannedKeep<T>) => Promise<T>;
      readonly answerOf: (result: T) => string;
    },
  ): Promise<void> {
    const about = { name, asked: name };
    for (let tries = 0; ; tries++) {
      const { services } = this.all[(first + tries) % SERVERS]!;
      try {
        const kept = await services.receipts.find(OWNER, about);
        const answer = kept
          ? String(kept.answer)
          : answerOf(await run(services, services.receipts.keeping(about, answerOf)));
        if (isWhole(answer) || kept) {
          this.#answers.set(name, (this.#answers.get(name) ?? new Set()).add(answer));
          return;
        }
        if (tries === TRIES) throw new BrainError('unavailable', answer);
      } catch (error) {
        if (!isBrainError(error) || !error.retryable || tries === TRIES) throw error;
      }
      await delay(1);
    }
  }

  async #imported({ nodes }: Services, number: number): Promise<NodeId | undefined> {
    const { items } = await nodes.list(OWNER, { sort: 'createdAt' }, { limit: 100 });
    const imported = items.filter(({ source }) => source.key !== undefined);
    return imported[number % Math.max(1, imported.length)]?.id;
  }

  #count(what: string): void {
    this.seen.set(what, (this.seen.get(what) ?? 0) + 1);
  }

  /** The table is well again: what was promised is done, and the indexes are stored. */
  async recover(): Promise<void> {
    for (const { table, store } of this.all) {
      await table.recover();
      await store.drain();
    }
    for (const { services } of this.all) await services.pending.finish(OWNER);
    for (const { services } of this.all) await services.indexes.keep(OWNER);
  }

  /** What is wrong; nothing, if all is well. */
  async complaints(): Promise<readonly string[]> {
    const quiet = (): void => {};
    const { findings, counts } = await verifyOwner({ reader: this.table, damaged: new Map() }, OWNER, quiet);
    const found = findings.problems.map(({ kind, key, message }) => `${kind} ${key}: ${message}`);
    if (counts.pending > 0) found.push(`${counts.pending} works are still marked`);
    for (const [server, { index }] of this.all.entries()) {
      const checked = await verifyIndex(this.table, OWNER, {
        stored: index(),
        total: counts.nodes,
        onProgress: quiet,
      });
      found.push(...checked.findings.problems.map(({ message }) => `server ${server}: ${message}`));
    }
    const { nodes, edges } = repositories(OWNER, this.table);
    const all = await Array.fromAsync(nodes.all());
    for (const [name, answers] of this.#answers) {
      if (answers.size !== 1) found.push(`${name} was answered as ${[...answers].join(' and ')}`);
      const stored = all
        .filter(({ title }) => title === name || title.startsWith(`${name} `))
        .map(({ id }) => id);
      const [answer = ''] = answers;
      if (stored.toSorted().join(' ') !== answer.split(' ').toSorted().join(' '))
        found.push(`${name} was answered as ${answer}, and stored as ${stored.join(' ')}`);
    }
    const keys = all.flatMap(({ source }) => source.key ?? []);
    if (new Set(keys).size < keys.length) found.push('a note of a vault is there twice');
    for (const [id, ends] of this.#drawn)
      if (!ends.some((end) => this.#deleted.has(end)) && !(await edges.find(id)))
        found.push(`edge ${id}, which a person drew, is gone`);
    return found;
  }
}

async function importOf({ imports }: Services, notes: typeof vault): Promise<void> {
  const options = { collection: 'vault', prune: false, dryRun: false };
  await Array.fromAsync(imports.run(OWNER, options, notes));
}

/** Of the ids of what was made, and of nothing that went wrong. */
const isWhole = (answer: string): boolean => answer.split(' ').every((one) => isUuid(one));

it('[ST67] whatever servers do at once on one table, each thing that was sent with a key is there once, what people drew stays, and all indexes are those of the notes', async () => {
  const seen = new Map<string, number>();
  const property = fc.asyncProperty(cases, async ({ lanes, fates, isFollowed }) => {
    const servers = new Servers(fates, isFollowed);
    await servers.begin();
    const stops = isFollowed ? await Promise.all(servers.all.map(({ store }) => store.follow(OWNER))) : [];
    await Promise.all(
      lanes.map(async ({ acts, server }) => {
        for (const act of acts) await servers.take(act, server);
      }),
    );
    await servers.recover();
    for (const stop of stops) stop();
    expect(await servers.complaints()).toEqual([]);
    for (const [what, times] of servers.seen) seen.set(what, (seen.get(what) ?? 0) + times);
  });
  // What fails is a race, which does not come again when it is asked for: there is nothing to shrink.
  await fc.assert(property, { numRuns: CASES, endOnFailure: true });
  // Few cases may well have no deletion that is done; that one is done of each kind is asked of many.
  const kinds = CASES < 40 ? [] : ['import', 'create', 'bulk', 'patch', 'delete', 'connect'];
  for (const kind of kinds) expect([...seen.keys()]).toContain(kind);
});
