import { AsyncResource } from 'node:async_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { BrainError } from '../domain/error.ts';
import type { NodeId, OwnerId, Position } from '../domain/values.ts';
import { Turns } from '../shared/turns.ts';
import { keys } from './keys.ts';
import { emptyHead, readHead, type Head } from './log.ts';
import { repositories } from './repositories.ts';
import { Round, type PackedTransaction } from './round.ts';
import {
  ROUND,
  type Commit,
  type StoreOptions,
  type Tx,
  type Work,
  type WriteOptions,
} from './transaction.ts';
import { UnitOfWork } from './unit-of-work.ts';
import { WriteQueue } from './write-queue.ts';

/** Sent and not answered yet, at most: the writer finds the next one waiting when it has committed one. */
const ROUNDS_UNDER_WAY = 2;
/**
 * Bulk works of a round while others write now and then: who comes next waits for the rounds under way. Beside an
 * import of 10,000, 100 requests a second had a p99 of 50 ms with 32, 30 with 8 and 23 with 4, and the import took 8, 10
 * and 10 s.
 */
const BULK_BESIDE_OTHERS = 4;
/** Above this, a caller is told to come back rather than left waiting. */
export const QUEUE_LIMIT = 20_000;
/**
 * Work that others were before is decided again so often at least, and for so long. Of six processes that wrote to one
 * owner without a pause, over requests of 30 ms, twelve attempts were lost by 8 works in 640; in 6 s none was, the worst
 * waited for 3.2 s. A request has 10 s.
 */
const ATTEMPTS = 12;
const PATIENCE_MS = 6_000;
const BACKOFF_MS = 4;

interface Queued {
  readonly run: (tx: Tx) => Promise<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly onUndone: (() => void) | undefined;
  readonly correlationId: string;
  readonly bulk: boolean;
  attempts: number;
  /** When another writer was first for the first time. */
  beatenAtMs?: number;
}

/** A round that is decided and not yet durable. */
interface Decided {
  readonly taken: readonly Queued[];
  readonly unit: UnitOfWork;
  readonly transactions: readonly PackedTransaction<Queued>[];
  /** As the round leaves it. */
  readonly head: Head;
  /** Where the log stood below it. */
  readonly from: Position;
}

/** What became of a round. */
interface Committed {
  /** Whether all of it was applied, so that what stands on it may be. */
  readonly isWhole: boolean;
  /** The works that are to be decided again. */
  readonly again: readonly Queued[];
}

interface Committing {
  readonly round: Decided;
  readonly end: Promise<Committed>;
}

interface WriterHooks {
  readonly onCommit: (commit: Commit) => void;
  readonly onIdle: () => void;
  /** Whether nobody has waited for a write lately, of any owner. */
  readonly isAlone: () => boolean;
}

/**
 * The one writer of an owner in this process. It takes what is waiting as a round: each piece of work is decided on
 * the state that the ones before it left, then all are committed together. Work that throws is left out; if another
 * process wrote meanwhile, what was not applied is decided again on the new state.
 */
export class OwnerWriter {
  readonly #owner: OwnerId;
  readonly #options: StoreOptions;
  readonly #hooks: WriterHooks;
  readonly #queue = new WriteQueue<Queued>();
  #running: Promise<void> | undefined;
  /** The round before passed over all bulk work that waits: one of it goes first now, however many others come. */
  #isBulkOverdue = false;

  constructor(owner: OwnerId, options: StoreOptions, hooks: WriterHooks) {
    this.#owner = owner;
    this.#options = options;
    this.#hooks = hooks;
  }

  write<T>(work: Work<T>, { bulk = false, onUndone }: WriteOptions): Promise<T> {
    if (this.#queue.size >= QUEUE_LIMIT) {
      return Promise.reject(
        new BrainError('overloaded', 'too many writes are waiting', { operation: 'store.write' }),
      );
    }
    // `AsyncLocalStorage.snapshot` does the same, and takes 2 KB for it.
    const context = new AsyncResource('brain2.write', { requireManualDestroy: true });
    const done = new Promise<unknown>((resolve, reject) => {
      this.#queue.push({
        run: (tx) => context.runInAsyncScope(work, undefined, tx),
        resolve,
        reject,
        onUndone,
        correlationId: this.#options.correlationId(),
        bulk,
        attempts: 0,
      });
    });
    this.#running ??= this.#run();
    return done as Promise<T>;
  }

  get waiting(): number {
    return this.#queue.size;
  }

  async idle(): Promise<void> {
    await this.#running;
  }

  /**
   * While a round is committed the next one is decided on top of it and sent after it, so neither the disk nor the
   * deciding waits for the other. If one below was not applied whole, all above it are decided again.
   */
  async #run(): Promise<void> {
    await Promise.resolve(); // callers of the same tick join the first round
    const underWay: Committing[] = [];
    while (this.#queue.size > 0 || underWay.length > 0) {
      if (this.#queue.size > 0 && underWay.length < ROUNDS_UNDER_WAY) {
        const round = await this.#tryToDecide(underWay);
        if (round) underWay.push({ round, end: this.#commit(round) });
        continue;
      }
      const lowest = await underWay.shift()?.end;
      if (lowest?.isWhole) {
        underWay[0]?.round.unit.rebase(this.#options.table);
        continue;
      }
      const again = [...(lowest?.again ?? [])];
      for (const { end } of underWay.splice(0)) again.push(...(await end).again);
      if (again.length > 0) await this.#decideAgain(again);
    }
    this.#running = undefined;
    this.#hooks.onIdle();
  }

  async #tryToDecide(underWay: readonly Committing[]): Promise<Decided | undefined> {
    const taken: Queued[] = [];
    try {
      return await this.#decide(taken, underWay);
    } catch (error) {
      // Without the head nothing was taken: whoever waits would only be told the same, and a loop would never end.
      for (let work = taken.length === 0 && this.#queue.take(false); work; work = this.#queue.take(false))
        taken.push(work);
      fail(taken, error);
      return undefined;
    }
  }

  /** Decides what is waiting, as much as one round takes, and moves it from the queue to `taken`. */
  async #decide(taken: Queued[], underWay: readonly Committing[]): Promise<Decided> {
    const { table, now, newEpoch, round: limits = ROUND } = this.#options;
    const below = underWay.at(-1)?.round;
    const head = below?.head ?? (await readHead(table, this.#owner)) ?? emptyHead(newEpoch());
    const unit = new UnitOfWork(below?.unit ?? table);
    const repos = repositories(this.#owner, unit, unit);
    const round = new Round<Queued>(this.#owner, head);
    const from = round.position;
    const about = {
      owner: this.#owner,
      committed: underWay[0]?.round.from ?? from,
      isUncommitted: (id: NodeId) => unit.isUncommitted(keys.node(this.#owner, id)),
    };
    const end = performance.now() + limits.ms;
    const turns = new Turns();
    const mostBulk = this.#hooks.isAlone() ? limits.works : BULK_BESIDE_OTHERS;
    let bulk = 0;
    let isAwaited = false;
    do {
      const overdue = this.#isBulkOverdue && taken.length === 0 ? this.#queue.takeBulk() : undefined;
      const work = overdue ?? this.#queue.take(isAwaited || bulk >= mostBulk);
      if (!work) break;
      taken.push(work);
      if (work.bulk) bulk += 1;
      else isAwaited = true;
      const tx: Tx = { ...repos, ...about, now: now(), position: round.position };
      try {
        const value = await work.run(tx);
        round.add(unit.changes(), { now: tx.now, correlationId: work.correlationId }, { work, value });
        unit.seal();
      } catch (error) {
        unit.rollback();
        work.onUndone?.();
        round.refuse({ work, error });
      }
      if (turns.isOver) await turns.next();
    } while (taken.length < limits.works && performance.now() < end);
    this.#isBulkOverdue = bulk === 0 && this.#queue.hasBulk;
    return { taken, unit, from, transactions: round.transactions(), head: round.head };
  }

  /**
   * Commits a round and answers its callers: those of what was applied, and all of them where the table failed. What
   * another writer was before is left to be decided again. Never rejects.
   */
  async #commit({ taken, transactions }: Decided): Promise<Committed> {
    let applied: number;
    try {
      ({ applied } = await this.#options.table.transact(transactions.map((t) => t.ops)));
    } catch (error) {
      fail(taken, error);
      return { isWhole: false, again: [] };
    }
    transactions.slice(0, applied).forEach((transaction) => {
      if (transaction.commit) this.#hooks.onCommit(transaction.commit);
      for (const settled of transaction.settled) {
        if ('error' in settled) settled.work.reject(settled.error);
        else settled.work.resolve(settled.value);
      }
    });
    const again = transactions.slice(applied).flatMap((t) => t.settled.map((s) => s.work));
    return { isWhole: applied === transactions.length, again };
  }

  /** Puts works back to the front of the queue, but for those that were beaten too often. */
  async #decideAgain(again: readonly Queued[]): Promise<void> {
    const nowMs = performance.now();
    for (const work of again) {
      work.onUndone?.();
      work.attempts += 1;
      work.beatenAtMs ??= nowMs;
    }
    const { patienceMs = PATIENCE_MS } = this.#options;
    const isTired = ({ attempts, beatenAtMs = nowMs }: Queued): boolean =>
      attempts >= ATTEMPTS && nowMs - beatenAtMs >= patienceMs;
    const tired = again.filter(isTired);
    for (const work of tired) {
      work.reject(
        new BrainError('contended', 'other writers kept being first', { operation: 'store.write' }),
      );
    }
    this.#queue.putBack(again.filter((work) => !isTired(work)));
    const attempt = Math.max(...again.map((work) => work.attempts));
    await delay(Math.random() * BACKOFF_MS * 2 ** Math.min(attempt, 6));
  }
}

function fail(works: readonly Queued[], error: unknown): void {
  for (const work of works) {
    work.onUndone?.();
    work.reject(error);
  }
}
