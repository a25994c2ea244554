import { AsyncLocalStorage } from 'node:async_hooks';
import { setImmediate, setTimeout as delay } from 'node:timers/promises';
import { BrainError } from '../domain/error.ts';
import type { OwnerId } from '../domain/values.ts';
import { emptyHead, readHead } from './log.ts';
import { repositories } from './repositories.ts';
import { Round, type PackedTransaction } from './round.ts';
import type { Commit, RoundLimits, StoreOptions, Tx, Work } from './transaction.ts';
import { UnitOfWork } from './unit-of-work.ts';

/** What waits behind a round waits no longer than for two of these. */
const ROUND: RoundLimits = { works: 256, ms: 80 };
/** After this time others have a turn of the event loop. */
const TURN_MS = 8;
/** Above this, a caller is told to come back rather than left waiting. */
const QUEUE_LIMIT = 20_000;
const ATTEMPTS = 12;
const BACKOFF_MS = 4;

interface Queued {
  readonly run: (tx: Tx) => Promise<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly correlationId: string;
  attempts: number;
}

/**
 * The one writer of an owner in this process. It takes what is waiting as a round: each piece of work is decided on
 * the state that the ones before it left, then all are committed together. Work that throws is left out; if another
 * process wrote meanwhile, what was not applied is decided again on the new state.
 */
export class OwnerWriter {
  readonly #owner: OwnerId;
  readonly #options: StoreOptions;
  readonly #hooks: { readonly onCommit: (commit: Commit) => void; readonly onIdle: () => void };
  readonly #queue: Queued[] = [];
  #running: Promise<void> | undefined;

  constructor(
    owner: OwnerId,
    options: StoreOptions,
    hooks: { readonly onCommit: (commit: Commit) => void; readonly onIdle: () => void },
  ) {
    this.#owner = owner;
    this.#options = options;
    this.#hooks = hooks;
  }

  write<T>(work: Work<T>): Promise<T> {
    if (this.#queue.length >= QUEUE_LIMIT) {
      return Promise.reject(
        new BrainError('unavailable', 'too many writes are waiting', { operation: 'store.write' }),
      );
    }
    const inContext = AsyncLocalStorage.snapshot();
    const done = new Promise<unknown>((resolve, reject) => {
      this.#queue.push({
        run: (tx) => inContext(work, tx),
        resolve,
        reject,
        correlationId: this.#options.correlationId(),
        attempts: 0,
      });
    });
    this.#running ??= this.#run();
    return done as Promise<T>;
  }

  async idle(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    await Promise.resolve(); // callers of the same tick join the first round
    while (this.#queue.length > 0) await this.#round();
    this.#running = undefined;
    this.#hooks.onIdle();
  }

  async #round(): Promise<void> {
    const taken: Queued[] = [];
    try {
      await this.#commit(await this.#decide(taken));
    } catch (error) {
      for (const work of taken) work.reject(error);
    }
  }

  /** Decides what is waiting, as much as one round takes, and moves it from the queue to `taken`. */
  async #decide(taken: Queued[]): Promise<readonly PackedTransaction<Queued>[]> {
    const { table, now, newEpoch, round: limits = ROUND } = this.#options;
    const head = (await readHead(table, this.#owner)) ?? emptyHead(newEpoch());
    const unit = new UnitOfWork(table);
    const repos = repositories(this.#owner, unit, unit);
    const round = new Round<Queued>(this.#owner, head);
    const committed = round.position;
    const end = performance.now() + limits.ms;
    let turnEnd = performance.now() + TURN_MS;
    do {
      const work = this.#queue.shift();
      if (!work) break;
      taken.push(work);
      const tx: Tx = { ...repos, owner: this.#owner, now: now(), position: round.position, committed };
      try {
        const value = await work.run(tx);
        round.add(unit.changes(), { now: tx.now, correlationId: work.correlationId }, { work, value });
        unit.seal();
      } catch (error) {
        unit.rollback();
        round.refuse({ work, error });
      }
      if (performance.now() < turnEnd) continue;
      await setImmediate();
      turnEnd = performance.now() + TURN_MS;
    } while (taken.length < limits.works && performance.now() < end);
    return round.transactions();
  }

  /** A round's transactions, then its callers: those of what was applied are answered, the rest decide again. */
  async #commit(transactions: readonly PackedTransaction<Queued>[]): Promise<void> {
    const outcome = await this.#options.table.transact(transactions.map((t) => t.ops));
    transactions.slice(0, outcome.applied).forEach((transaction) => {
      if (transaction.commit) this.#hooks.onCommit(transaction.commit);
      for (const settled of transaction.settled) {
        if ('error' in settled) settled.work.reject(settled.error);
        else settled.work.resolve(settled.value);
      }
    });
    const again = transactions.slice(outcome.applied).flatMap((t) => t.settled.map((s) => s.work));
    if (again.length === 0) return;
    for (const work of again) work.attempts += 1;
    const tired = again.filter((work) => work.attempts >= ATTEMPTS);
    for (const work of tired) {
      work.reject(
        new BrainError('contended', 'other writers kept being first', { operation: 'store.write' }),
      );
    }
    const rest = again.filter((work) => work.attempts < ATTEMPTS);
    this.#queue.unshift(...rest);
    const attempt = Math.max(...again.map((work) => work.attempts));
    await delay(Math.random() * BACKOFF_MS * 2 ** Math.min(attempt, 6));
  }
}
