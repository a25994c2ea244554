import { setImmediate as nextTurn } from 'node:timers/promises';
import type { OwnerId, Position } from '../domain/values.ts';
import { directory, type Directory } from './directory.ts';
import { ForeignCommits } from './foreign-commits.ts';
import { emptyHead, readChanges, readHead, trimLog, type Changes, type Head, type Retention } from './log.ts';
import { OwnerWriter } from './owner-writer.ts';
import { repositories, type Repositories } from './repositories.ts';
import { ROUND, type Commit, type StoreOptions, type Work, type WriteOptions } from './transaction.ts';

/** Snapshot reads that keep being crossed by writers go through the writer's queue after this many tries. */
const SNAPSHOT_TRIES = 3;
/** What one call of `trim` does at most: the events of some two thousand transactions. */
const TRIM_STEPS = 100;

/** Who has waited for a write within this time may do so again. */
const ALONE_MS = 1_000;

/** The graphs of all owners: reads, transactions and the log. Knows no engine. */
export class Store {
  readonly directory: Directory;
  readonly #options: StoreOptions;
  readonly #writers = new Map<OwnerId, OwnerWriter>();
  readonly #listeners = new Set<(commit: Commit) => void>();
  readonly #foreign: ForeignCommits | undefined;
  /** When somebody last began to wait for a write. */
  #awaitedMs = -Infinity;

  constructor(options: StoreOptions) {
    this.#options = options;
    this.directory = directory(options.table);
    const { table, pollMs } = options;
    if (pollMs === undefined) return;
    this.#foreign = new ForeignCommits({ table, pollMs, tell: (commit) => this.#tell(commit) });
  }

  read(owner: OwnerId): Repositories {
    return repositories(owner, this.#options.table);
  }

  /** Runs the work in the order of calls per owner, bulk work after others'; resolves when its change is durable. */
  write<T>(owner: OwnerId, work: Work<T>, options: WriteOptions = {}): Promise<T> {
    if (!options.bulk) this.#awaitedMs = performance.now();
    let writer = this.#writers.get(owner);
    if (!writer) {
      writer = new OwnerWriter(owner, this.#options, {
        onCommit: (commit) => (this.#foreign ? this.#foreign.local(commit) : this.#tell(commit)),
        onIdle: () => this.#writers.delete(owner),
        isAlone: () => performance.now() - this.#awaitedMs > ALONE_MS,
      });
      this.#writers.set(owner, writer);
    }
    return writer.write(work, options);
  }

  async head(owner: OwnerId): Promise<Head> {
    return (await readHead(this.#options.table, owner)) ?? emptyHead('');
  }

  changes(
    owner: OwnerId,
    after: { readonly epoch?: string | undefined; readonly seq: number },
    limit: number,
  ): Promise<Changes> {
    return readChanges(this.#options.table, owner, after, limit);
  }

  /**
   * Takes from the owner's log what is not to be kept, oldest first, at most `steps` transactions of it: called now
   * and then. It waits for the writers of this process, whose rounds it would otherwise throw back. Gives how many
   * events went.
   */
  async trim(owner: OwnerId, keep: Retention, steps = TRIM_STEPS): Promise<number> {
    let trimmed = 0;
    for (let step = 0; step < steps; step++) {
      await this.#writers.get(owner)?.idle();
      const events = await trimLog(this.#options.table, owner, keep);
      if (events === 0) break;
      trimmed += events;
      await nextTurn();
    }
    return trimmed;
  }

  /** Reads what belongs together: everything `read` sees is as it stood at `position`. */
  async snapshot<T>(
    owner: OwnerId,
    read: (from: Repositories) => Promise<T>,
  ): Promise<{ readonly value: T; readonly position: Position }> {
    if (this.#options.table.atRest) {
      const { value, to } = await this.readAll(owner, read);
      return { value, position: to };
    }
    for (let attempt = 0; attempt < SNAPSHOT_TRIES; attempt++) {
      const before = await this.head(owner);
      const value = await read(this.read(owner));
      const after = await this.head(owner);
      if (before.version === after.version) return { value, position: positionOf(after) };
    }
    return this.write(owner, async (tx) => ({ value: await read(tx), position: tx.position }));
  }

  /**
   * Reads what may take long. Where the engine keeps a moment to read, all of it is as it stood at one position, and
   * `from` is `to`; else each entity is as it stood at one of the positions between these two.
   */
  async readAll<T>(
    owner: OwnerId,
    read: (from: Repositories) => Promise<T>,
  ): Promise<{ readonly value: T; readonly from: Position; readonly to: Position }> {
    const { table } = this.#options;
    if (table.atRest)
      return table.atRest(async (reader) => {
        const at = positionOf((await readHead(reader, owner)) ?? emptyHead(''));
        return { value: await read(repositories(owner, reader)), from: at, to: at };
      });
    const from = positionOf(await this.head(owner));
    const value = await read(this.read(owner));
    return { value, from, to: positionOf(await this.head(owner)) };
  }

  /** Calls the listener after each commit, in the order of the log. Returns the way to stop. */
  onCommit(listener: (commit: Commit) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Pieces of bulk work to have under way: each round finds the next one waiting, and memory holds no more. */
  get bulkAtOnce(): number {
    return 2 * (this.#options.round ?? ROUND).works;
  }

  /** Writes that wait to be decided and committed. */
  get waiting(): number {
    return this.#writers.values().reduce((sum, writer) => sum + writer.waiting, 0);
  }

  /**
   * From when it resolves, listeners hear of every commit to the owner's log, whichever process wrote it. Returns the
   * way to stop. Costs a read at an interval where others may write, and nothing where nobody does.
   */
  async follow(owner: OwnerId): Promise<() => void> {
    return this.#foreign ? this.#foreign.follow(owner) : () => {};
  }

  /** Waits for the work that was accepted. */
  async drain(): Promise<void> {
    await Promise.all([...this.#writers.values()].map((writer) => writer.idle()));
  }

  #tell(commit: Commit): void {
    for (const listener of this.#listeners) {
      try {
        listener(commit);
      } catch (error) {
        // The commit is durable: neither its writer nor the next listener may hear otherwise.
        process.emitWarning(error instanceof Error ? error : new Error(String(error)));
      }
    }
  }
}

const positionOf = ({ epoch, seq }: Head): Position => ({ epoch, seq });
