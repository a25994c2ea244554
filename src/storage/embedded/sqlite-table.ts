import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { BrainError } from '../../domain/error.ts';
import { Thread, threadModule } from '../../shared/thread.ts';
import { checkLimits } from '../check-limits.ts';
import {
  type Item,
  type Key,
  type Op,
  type Outcome,
  type Page,
  type QueryOptions,
  type Table,
  type TableReader,
} from '../table.ts';
import { packOps } from './packed-ops.ts';
import { openConnection, type ConnectionOptions } from './sqlite-connection.ts';
import { storageError } from './sqlite-error.ts';
import { asTableReader, attemptRead, SqliteReader } from './sqlite-reader.ts';
import { openToRead } from './sqlite-verify-source.ts';
import type { WriteAnswer, WriteDone, WriteRequest } from './sqlite-writer-entry.ts';
import type { Series, SeriesOutcome } from './sqlite-writer.ts';

/** A thread that ends as soon as it is started is not started more often. */
const RESTART_MS = 1_000;
const NOTHING: Key = { pk: '', sk: '' };

interface Waiting {
  readonly transactions: readonly (readonly Op[])[];
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: unknown) => void;
}

export interface SqliteOptions extends ConnectionOptions {
  /** For `ttl`. */
  readonly nowSeconds?: () => number;
  /** Told when the thread that writes has ended and nobody asked it to. The next write starts another. */
  readonly onWriterLost?: ((reason: Error) => void) | undefined;
}

/**
 * The table on `node:sqlite`: one file, WAL, every commit synced before it is acknowledged. Reads are of this thread's
 * own connection; commits, syncs and checkpoints are a thread's of their own, started by the first write, so nobody
 * who reads or decides waits for the disk. If the thread is lost, a new one looks through the file and goes on.
 */
export class SqliteTable implements Table {
  readonly #options: SqliteOptions;
  readonly #database: DatabaseSync;
  readonly #nowSeconds: () => number;
  readonly #begin: StatementSync;
  readonly #end: StatementSync;
  readonly #reader: SqliteReader;
  #writer: Thread<WriteRequest> | undefined;
  #writerStartedAt = 0;
  #waiting: Waiting[] = [];
  /** Whether reads stand on a snapshot, which lasts as long as the turn of the event loop. */
  #isReading = false;
  #closed = false;

  /** Throws `read_only`, `corrupt`, `schema_newer` or `unavailable`. */
  constructor(options: SqliteOptions) {
    this.#options = options;
    this.#nowSeconds = options.nowSeconds ?? (() => Math.floor(Date.now() / 1000));
    this.#database = openConnection(options);
    const database = this.#database;
    this.#begin = database.prepare('BEGIN');
    this.#end = database.prepare('COMMIT');
    this.#reader = new SqliteReader(database, { nowSeconds: this.#nowSeconds });
  }

  async get(key: Key): Promise<Item | undefined> {
    return this.#read(() => this.#reader.get(key));
  }

  async batchGet(keys: readonly Key[]): Promise<readonly Item[]> {
    return this.#read(() => this.#reader.batchGet(keys));
  }

  async has(keys: readonly Key[]): Promise<readonly Key[]> {
    return this.#read(() => this.#reader.has(keys));
  }

  async query(pk: string, options?: QueryOptions): Promise<Page> {
    return this.#read(() => this.#reader.query(pk, options));
  }

  /** Calls made in the same turn of the event loop, of any owners, share one commit and one sync of the disk. */
  async transact(transactions: readonly (readonly Op[])[]): Promise<Outcome> {
    checkLimits(transactions);
    this.#assertOpen('table.transact');
    return new Promise((resolve, reject) => {
      this.#waiting.push({ transactions, resolve, reject });
      if (this.#waiting.length === 1) setImmediate(() => void this.#send());
    });
  }

  /** By a connection of its own. Until `read` has settled, the write-ahead log can only grow. */
  async atRest<T>(read: (from: TableReader) => Promise<T>): Promise<T> {
    this.#assertOpen('table.read');
    const database = openToRead(this.#options.path);
    try {
      database.exec('BEGIN');
      const reader = new SqliteReader(database, { nowSeconds: this.#nowSeconds });
      reader.get(NOTHING); // the moment is that of the first read
      this.#endReading(); // who reads after it in this turn reads no earlier moment
      return await read(asTableReader(reader));
    } finally {
      database.close();
    }
  }

  /**
   * Removes rows whose time is over, which no reader sees any more, a few in each commit so that others' writes go in
   * between. Gives how many there were.
   */
  async sweep(): Promise<number> {
    this.#assertOpen('table.sweep');
    const request = { sweepSeconds: this.#nowSeconds() };
    let removed = 0;
    for (let step: number; (step = (await this.#ask(request)) as number) > 0;) removed += step;
    return removed;
  }

  /** Ends what was called before, and lets go of the file. */
  async close(): Promise<void> {
    if (this.#closed) return;
    const sent = this.#send();
    this.#closed = true;
    await sent;
    await this.#writer?.end();
    this.#endReading();
    this.#database.close();
  }

  /** Never rejects: each caller is told by its own promise. */
  async #send(): Promise<void> {
    const group = this.#waiting;
    this.#waiting = [];
    if (group.length === 0) return;
    try {
      const nowSeconds = this.#nowSeconds();
      const series = group.map(({ transactions }): Series => ({
        transactions: transactions.map(packOps),
        nowSeconds,
      }));
      const outcomes = (await this.#ask(series)) as readonly SeriesOutcome[];
      group.forEach((waiting, at) => {
        waiting.resolve(outcomeOf(waiting.transactions, outcomes[at] as SeriesOutcome));
      });
    } catch (error) {
      for (const { reject } of group) reject(storageError(error, 'table.transact'));
    }
  }

  /** Whether there is a thread that writes, or none was needed yet. */
  get canWrite(): boolean {
    return this.#writer?.isAlive ?? true;
  }

  async #ask(request: WriteRequest): Promise<WriteDone> {
    const writer = this.#writing();
    const answer = await writer.call<WriteAnswer>(request).catch((cause: unknown) => {
      if (writer.isAlive) throw cause;
      throw lost('timeout', 'the thread that writes has ended: whether this was written is not known', cause);
    });
    this.#endReading(); // who is answered reads what was written
    if ('done' in answer) return answer.done;
    const { code, message, operation, details } = answer.failure;
    throw new BrainError(code, message, { details, ...(operation !== undefined && { operation }) });
  }

  #writing(): Thread<WriteRequest> {
    const isFirst = this.#writer === undefined;
    if (this.#writer?.isAlive) return this.#writer;
    if (!isFirst && performance.now() - this.#writerStartedAt < RESTART_MS)
      throw lost('unavailable', 'the thread that writes has ended; another one is started in a moment');
    const { path, checkpointPages, maxPages, ballastPath, onWriterLost } = this.#options;
    const options: ConnectionOptions = { path, checkpointPages, maxPages, ballastPath, isChecked: !isFirst };
    const writer = new Thread<WriteRequest>(threadModule('sqlite-writer-entry', import.meta.url), options);
    writer.onEnd((reason) => {
      if (!this.#closed) onWriterLost?.(reason);
    });
    this.#writerStartedAt = performance.now();
    this.#writer = writer;
    return writer;
  }

  /**
   * The reads of one turn share a snapshot: each by itself would take its locks, and find its pages, anew. Answers
   * of commits come in turns of their own.
   */
  #read<T>(read: () => T): T {
    this.#assertOpen('table.read');
    return attemptRead(() => {
      if (!this.#isReading) {
        this.#begin.run();
        this.#isReading = true;
        setImmediate(() => this.#endReading());
      }
      return read();
    });
  }

  #endReading(): void {
    if (!this.#isReading) return;
    this.#isReading = false;
    if (this.#database.isTransaction) this.#end.run(); // a read that the disk failed has ended it
  }

  #assertOpen(operation: string): void {
    if (this.#closed) throw new BrainError('unavailable', 'the store is closed', { operation });
  }
}

function lost(code: 'timeout' | 'unavailable', message: string, cause?: unknown): BrainError {
  return new BrainError(code, message, { cause, operation: 'table.transact' });
}

function outcomeOf(transactions: readonly (readonly Op[])[], { applied, refusedAt }: SeriesOutcome): Outcome {
  const refused = refusedAt === undefined ? undefined : transactions[applied]?.[refusedAt];
  return refused ? { applied, refused: { op: refused } } : { applied };
}
