import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BrainError, isBrainError } from '../../src/domain/error.ts';
import type { Edge } from '../../src/domain/edge.ts';
import { deleteNode, updateNode, type Node } from '../../src/domain/node.ts';
import { ownerId, type NodeId, type OwnerId } from '../../src/domain/values.ts';
import type { Store } from '../../src/storage/store.ts';
import type { Commit, Tx } from '../../src/storage/transaction.ts';
import { at, nodeIdOf } from '../support/arbitraries.ts';
import { collect, readLog, verifyOwner } from './oracle.ts';
import { boom, connect, create, idsOf, range, runWorks, storeMaker, update, works } from './store-model.ts';
import { WITHIN_THE_PROCESS, type MadeTable, type MakeTable } from './table.ts';

/** The rules ST20 to ST36 of docs/spec/storage.md, for the store over any engine. */
export function storeConformance(name: string, makeTable: MakeTable, sizes = WITHIN_THE_PROCESS): void {
  describe(`the store on ${name}`, () => {
    let made: MadeTable;
    /** Two stores over one table, as in two processes. */
    let store: Store;
    let rival: Store;
    let owners = 0;
    const freshOwner = (): OwnerId => ownerId(`o${++owners}`);
    const newStore = storeMaker();

    beforeAll(async () => {
      made = await makeTable();
      store = newStore(made.table);
      rival = newStore(made.other);
    });
    afterAll(() => made.dispose());

    const titles = async (owner: OwnerId): Promise<string[]> =>
      (await collect(store.read(owner).nodes.all())).map((node) => node.title);

    test('[ST7] a write at a stale version changes nothing and appends no event', async () => {
      const owner = freshOwner();
      const rename = (title: string, version: number): Promise<void> =>
        store.write(owner, async (tx) => {
          const node = await tx.nodes.get(nodeIdOf(1));
          tx.nodes.apply(updateNode(node, { title }, tx.now));
          if (node.version !== version) throw new BrainError('stale', `it is at ${node.version}`);
        });
      await store.write(owner, async (tx) => create(tx, 1));
      const outcomes = await Promise.allSettled([
        rename('first', 1),
        rename('second', 1),
        rename('third', 2),
      ]);
      expect(outcomes.map((o) => o.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
      expect(outcomes[1]).toMatchObject({ reason: { code: 'stale' } });
      expect(await titles(owner)).toEqual(['third']);
      expect(await verifyOwner(store, made.table, owner)).toBe(3);
    });

    test('[ST20] work that throws changes nothing and appends nothing; the works beside it are not touched', async () => {
      const owner = freshOwner();
      const outcomes = await Promise.allSettled([
        store.write(owner, async (tx) => create(tx, 1, { title: 'kept', tags: ['a'] })),
        store.write(owner, async (tx) => {
          create(tx, 2);
          connect(tx, 1, 2);
          tx.nodes.apply(deleteNode(await tx.nodes.get(nodeIdOf(1)), tx.now));
          throw boom;
        }),
        store.write(owner, async (tx) => update(tx, 1, { tags: ['b'] })),
      ]);
      expect(outcomes[1]).toEqual({ status: 'rejected', reason: boom });
      expect(outcomes.map((o) => o.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
      expect(await titles(owner)).toEqual(['kept']);
      expect((await store.head(owner)).counts).toEqual({ nodes: 1, edges: 0, categories: 0 });
      expect(await verifyOwner(store, made.table, owner)).toBe(2);
    });

    test('[ST20] an owner of whom only refused work was asked has nothing', async () => {
      const owner = freshOwner();
      const refused = store.write(owner, async (tx) => {
        create(tx, 1);
        throw boom;
      });
      await expect(refused).rejects.toBe(boom);
      expect(await store.head(owner)).toMatchObject({ seq: 0, version: 0 });
      expect((await made.table.query(owner)).items).toEqual([]);
    });

    test('[ST22 ST36] events are numbered in the order of the calls, each work seeing the one before', async () => {
      const owner = freshOwner();
      const seen = await Promise.all(
        range(0, sizes.worksAtOnce).map((n) =>
          store.write(owner, async (tx) => {
            create(tx, n);
            return { before: (await collect(tx.nodes.all())).length, seq: tx.position.seq };
          }),
        ),
      );
      expect(seen).toEqual(range(0, sizes.worksAtOnce).map((n) => ({ before: n + 1, seq: n })));
      const log = await readLog(store, owner, 50);
      expect(log.map((l) => l.event)).toMatchObject(
        range(0, sizes.worksAtOnce).map((n) => ({ type: 'node.created', nodeId: nodeIdOf(n) })),
      );
      expect(log[0]).toMatchObject({ seq: 1, correlationId: 'call-1' });
      expect(await verifyOwner(store, made.table, owner)).toBe(sizes.worksAtOnce);
    });

    test('[ST23] no reader sees an event before its state, nor a state without its event', async () => {
      const owner = freshOwner();
      await store.write(owner, async (tx) => create(tx, 1));
      const writing = { done: false };
      const writer = async (): Promise<void> => {
        for (const n of range(0, 40)) await store.write(owner, (tx) => update(tx, 1, { title: `t${n}` }));
        writing.done = true;
      };
      let reads = 0;
      const reader = async (): Promise<void> => {
        for (; !writing.done; reads++) {
          await nextTurn(); // an engine that answers at once would leave the writer no turn
          const before = (await readLog(rival, owner, 100)).length;
          const { version } = await rival.read(owner).nodes.get(nodeIdOf(1));
          const after = (await readLog(rival, owner, 100)).length;
          // One event each version, so the number of events is the version.
          expect(version).toBeGreaterThanOrEqual(before);
          expect(version).toBeLessThanOrEqual(after);
        }
      };
      await Promise.all([writer(), reader()]);
      expect(reads).toBeGreaterThan(0);
    });

    test('[ST24] two stores that race over one table decide again, and neither loses a write of the other', async () => {
      const owner = freshOwner();
      await store.write(owner, async (tx) => create(tx, 1, { title: '0' }));
      const increment = (by: Store): Promise<number> =>
        by.write(owner, async (tx) => {
          const { title } = await tx.nodes.get(nodeIdOf(1));
          await update(tx, 1, { title: String(Number(title) + 1) });
          return Number(title) + 1;
        });
      const answers: number[] = [];
      const lane = async (by: Store): Promise<void> => {
        for (const _ of range(0, 25)) {
          for (let tries = 0; tries < 50; tries++) {
            // work that was beaten too often wrote nothing
            const answer = await increment(by).catch((error: unknown) => error);
            if (typeof answer === 'number') answers.push(answer);
            else if (isBrainError(answer, 'contended')) continue;
            else throw answer;
            break;
          }
        }
      };
      await Promise.all([lane(store), lane(rival), lane(store), lane(rival)]);
      expect(answers.toSorted((a, b) => a - b)).toEqual(range(1, 101));
      expect(await titles(owner)).toEqual(['100']);
      expect(await verifyOwner(store, made.table, owner)).toBe(101);
    });

    test('[ST22 ST24] a round on top of one that another writer was before is decided again', async () => {
      const owner = freshOwner();
      const one = newStore(made.table, { round: { works: 1, ms: 1_000 } });
      let runs = 0;
      const below = one.write(owner, async (tx) => {
        runs += 1;
        if (runs === 1)
          await rival.write(owner, async (other) => range(0, 3).forEach((n) => create(other, n)));
        create(tx, 3);
      });
      await Promise.all([below, one.write(owner, async (tx) => create(tx, 4))]);
      expect(runs).toBe(2);
      expect(await verifyOwner(store, made.table, owner)).toBe(5);
    });

    test('[ST21 ST24] a refusal whose state another writer changed is decided again', async () => {
      const owner = freshOwner();
      await store.write(owner, async (tx) => create(tx, 1, { title: 'held' }));
      let runs = 0;
      const answer = store.write(owner, async (tx) => {
        runs += 1;
        const { title } = await tx.nodes.get(nodeIdOf(1));
        if (runs === 1) await rival.write(owner, (other) => update(other, 1, { title: 'free' }));
        if (title === 'held') throw new BrainError('conflict', 'it is held');
        return title;
      });
      expect(await answer).toBe('free');
      expect(runs).toBe(2);
    });

    test('[ST25] nothing of an owner is found by another, however alike their names', async () => {
      const base = freshOwner();
      const alike = [base, `${base}x`, `${base}:N`, `${base}.NU`, `${base}|E`, `${base}-T`].map((text) =>
        ownerId(text),
      );
      await Promise.all(
        alike.map((owner, n) =>
          store.write(owner, async (tx) =>
            create(tx, n, { title: owner, tags: ['t'], source: { kind: 'import', key: 'k' } }),
          ),
        ),
      );
      for (const [n, owner] of alike.entries()) {
        const { nodes } = store.read(owner);
        expect(await titles(owner)).toEqual([owner]);
        expect(idsOf((await nodes.listByTag('t', {})).items)).toEqual([nodeIdOf(n)]);
        expect(idsOf((await nodes.listByUpdate({})).items)).toEqual([nodeIdOf(n)]);
        expect(await nodes.bySourceKeys(['k'])).toEqual(new Map([['k', nodeIdOf(n)]]));
        expect(idsOf(await nodes.batchGet(alike.map((_, other) => nodeIdOf(other))))).toEqual([nodeIdOf(n)]);
        expect(await readLog(store, owner)).toHaveLength(1);
      }
    });

    test('[ST26] pages of every list give each entity that stays exactly once, whatever is written between two', async () => {
      const owner = freshOwner();
      await store.write(owner, async (tx) => {
        for (const n of range(0, 30)) create(tx, n * 10, { title: `n${n}`, tags: ['t'] });
      });
      await store.write(owner, async (tx) => range(1, 30).forEach((n) => connect(tx, 0, n * 10)));
      const { nodes, edges } = store.read(owner);
      const lists = [
        (o: object) => nodes.list(o),
        (o: object) => nodes.list({ ...o, reverse: true }),
        (o: object) => nodes.listByTag('T', o),
        (o: object) => nodes.listByUpdate(o),
        (o: object) => nodes.listByUpdate({ ...o, reverse: true }),
        (o: object) => edges.list(o),
      ];
      const expected = [30, 30, 30, 30, 30, 29];
      for (const [which, list] of lists.entries()) {
        const before = new Set(idsOf((await list({})).items));
        const seen: string[] = [];
        let after: string | undefined;
        do {
          const page: { readonly items: readonly (Node | Edge)[]; readonly next?: string | undefined } =
            await list({ limit: 7, after });
          seen.push(...idsOf(page.items));
          after = page.next;
          const number = 1 + which * 1000 + seen.length * 10;
          await store.write(owner, async (tx) => {
            create(tx, number, { title: 'new', tags: ['t'] });
            connect(tx, 0, number);
          });
        } while (after !== undefined && seen.length < 500);
        expect(new Set(seen).size).toBe(seen.length);
        expect(seen.filter((id) => before.has(id))).toHaveLength(before.size);
        expect(before.size).toBeGreaterThanOrEqual(expected[which] ?? 0);
      }
    });

    test('[ST29] a work sees what it and earlier works of the round applied, and nothing that was rolled back', async () => {
      const owner = freshOwner();
      await store.write(owner, async (tx) => create(tx, 5, { title: 'stored', tags: ['t'] }));
      const look = async (tx: Tx): Promise<object> => ({
        found: (await tx.nodes.find(nodeIdOf(1)))?.title,
        gone: await tx.nodes.find(nodeIdOf(5)),
        got: idsOf(await tx.nodes.batchGet([1, 2, 5, 9].map(nodeIdOf))).toSorted(),
        listed: idsOf((await tx.nodes.list({ limit: 2 })).items),
        tagged: idsOf((await tx.nodes.listByTag('t', { limit: 5 })).items),
        updated: idsOf((await tx.nodes.listByUpdate({ reverse: true, limit: 1 })).items),
        edges: (await tx.edges.of(nodeIdOf(2))).length,
        source: [...(await tx.nodes.bySourceKeys(['k1', 'k9']))],
      });
      const expected = {
        found: 'one',
        gone: undefined,
        got: [nodeIdOf(1), nodeIdOf(2)],
        listed: [nodeIdOf(1), nodeIdOf(2)],
        tagged: [nodeIdOf(1)],
        updated: [nodeIdOf(2)],
        edges: 1,
        source: [['k1', nodeIdOf(1)]],
      };
      const [own, , later] = await Promise.allSettled([
        store.write(owner, async (tx) => {
          create(tx, 1, { title: 'one', tags: ['t'], source: { kind: 'import', key: 'k1' } });
          create(tx, 2, { title: 'two', updatedAt: at(1_000_000) });
          connect(tx, 2, 1);
          tx.nodes.apply(deleteNode(await tx.nodes.get(nodeIdOf(5)), tx.now));
          return look(tx);
        }),
        store.write(owner, async (tx) => {
          create(tx, 9, { title: 'nine', tags: ['t'], source: { kind: 'import', key: 'k9' } });
          await update(tx, 1, { title: 'ten', tags: [] });
          connect(tx, 2, 9);
          throw boom;
        }),
        store.write(owner, look),
      ]);
      expect(own).toEqual({ status: 'fulfilled', value: expected });
      expect(later).toEqual({ status: 'fulfilled', value: expected });
    });

    test('[ST30] everything a snapshot reads stands at its position, also when writers of two processes cross it', async () => {
      const owner = freshOwner();
      const both = (by: Store): Promise<void> =>
        by.write(owner, async (tx) => {
          const { version } = await tx.nodes.get(nodeIdOf(1));
          for (const n of [1, 2]) await update(tx, n, { title: `v${version + 1}` });
        });
      await store.write(owner, async (tx) => [1, 2].forEach((n) => create(tx, n)));
      for (const crossings of range(0, 7)) {
        let reads = 0;
        const { value, position } = await store.snapshot(owner, async (from) => {
          const first = await from.nodes.get(nodeIdOf(1));
          if (reads++ < crossings) await both(rival);
          return [first, await from.nodes.get(nodeIdOf(2))];
        });
        expect(value[0]?.title.replace('Note 1', '')).toBe(value[1]?.title.replace('Note 2', ''));
        expect(position.seq).toBe((value[0]?.version ?? 0) * 2);
        expect(position.epoch).toBe((await store.head(owner)).epoch);
      }
    });

    test('[ST31] the log is read on from any position, whole transactions at a time', async () => {
      const owner = freshOwner();
      for (const n of range(0, 4))
        await store.write(owner, async (tx) => range(0, 3).forEach((m) => create(tx, n * 3 + m)));
      const { epoch } = await store.head(owner);
      for (const seq of range(0, 13)) {
        const { events, position, hasMore } = await store.changes(owner, { epoch, seq }, 1);
        const upTo = Math.min(12, Math.floor(seq / 3) * 3 + 3);
        expect(events.map((e) => e.seq)).toEqual(range(seq + 1, upTo + 1));
        expect(position).toEqual({ epoch, seq: upTo });
        expect(hasMore).toBe(upTo < 12);
      }
    });

    test('[ST31] a position of another log, or ahead of this one, is gone', async () => {
      const owner = freshOwner();
      await store.write(owner, async (tx) => create(tx, 1));
      const { epoch } = await store.head(owner);
      await expect(store.changes(owner, { epoch: 'other', seq: 0 }, 9)).rejects.toMatchObject({
        code: 'position_gone',
        details: { reason: 'epoch_changed', epoch, seq: 1 },
      });
      await expect(store.changes(owner, { epoch, seq: 2 }, 9)).rejects.toMatchObject({
        details: { reason: 'invalid' },
      });
      expect((await store.changes(owner, { epoch: '', seq: 0 }, 9)).events).toHaveLength(1);
      expect(await store.changes(freshOwner(), { seq: 0 }, 9)).toMatchObject({ events: [], hasMore: false });
    });

    test('[ST32] listeners hear of each commit once, after it can be read, in the order of the log', async () => {
      const owner = freshOwner();
      const listening = newStore(made.table);
      const heard: Commit[] = [];
      const visible: Promise<number>[] = [];
      const stop = listening.onCommit((commit) => {
        heard.push(commit);
        visible.push(readLog(rival, owner, 100).then((log) => log.length - commit.to));
      });
      const work = (n: number): Promise<void> => listening.write(owner, async (tx) => create(tx, n));
      await Promise.all(range(0, 150).map(work));
      await work(200);
      await expect(listening.write(owner, async () => Promise.reject(boom))).rejects.toBe(boom);
      stop();
      await work(201);
      expect(heard.flatMap((c) => range(c.from, c.to + 1))).toEqual(range(1, 152));
      expect(heard.flatMap((c) => c.events)).toEqual(
        (await readLog(store, owner)).slice(0, 151).map((l) => l.event),
      );
      expect(Math.min(...(await Promise.all(visible)))).toBeGreaterThanOrEqual(0);
    });

    test('[ST32] a listener that throws harms neither the write nor the other listeners', async () => {
      const owner = freshOwner();
      const listening = newStore(made.table);
      const warned = once(process, 'warning');
      const heard: number[] = [];
      listening.onCommit(() => {
        throw boom;
      });
      listening.onCommit((commit) => heard.push(commit.to));
      await listening.write(owner, async (tx) => create(tx, 1));
      await listening.write(owner, async (tx) => create(tx, 2));
      expect(heard).toEqual([1, 2]);
      expect(await warned).toEqual([boom]);
    });

    test('[ST33] work that no engine would take is refused alone', async () => {
      const owner = freshOwner();
      const write = (work: (tx: Tx) => void): Promise<void> => store.write(owner, async (tx) => work(tx));
      const outcomes = await Promise.allSettled([
        write((tx) => create(tx, 1)),
        write((tx) => range(100, 150).forEach((n) => create(tx, n))), // 100 operations, and two of the store's own
        write((tx) => create(tx, 2)),
        write((tx) => tx.pending.replace(undefined, { nodeId: 'x'.repeat(2000) as NodeId, kind: 'link' })),
        write((tx) => create(tx, 3)),
        write((tx) => range(200, 249).forEach((n) => create(tx, n))),
      ]);
      expect(
        outcomes.map((o) => (o.status === 'fulfilled' ? 'done' : (o.reason as BrainError).code)),
      ).toEqual(['done', 'too_large', 'done', 'too_large', 'done', 'done']);
      expect(await verifyOwner(store, made.table, owner)).toBe(52);
    });

    test('[ST35] a decision without events writes nothing and moves nothing', async () => {
      const owner = freshOwner();
      await store.write(owner, async (tx) => create(tx, 1, { title: 'same' }));
      const before = await store.head(owner);
      await store.write(owner, (tx) => update(tx, 1, { title: ' same ' }));
      expect(await store.head(owner)).toEqual(before);
      expect((await store.read(owner).nodes.get(nodeIdOf(1))).version).toBe(1);
    });

    test('[ST20 ST22 ST24 ST27 ST28 ST29 ST34] after any works of two stores, folding the log gives what is stored', async () => {
      const seen = { done: 0, refused: 0, events: 0 };
      const property = fc.asyncProperty(works, async (sequence) => {
        const owner = freshOwner();
        const { done, refused } = await runWorks([store, rival], owner, sequence);
        seen.done += done;
        seen.refused += refused;
        seen.events += await verifyOwner(store, made.table, owner);
      });
      // What fails is a race, which does not come again when it is asked for: there is nothing to shrink.
      await fc.assert(property, { numRuns: sizes.storeCases, endOnFailure: true });
      expect(Math.min(seen.done, seen.refused)).toBeGreaterThan(2 * sizes.storeCases);
      expect(seen.events).toBeGreaterThan(sizes.storeCases);
    });
  });
}
